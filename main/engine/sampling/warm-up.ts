import { type ConceptShape, conceptSizes, sum } from '../adapters/set-and-sequence.ts';
import { linearLayers, targetLayers } from '../adapters/target-layers.ts';
import type { WanPipeline } from '../models/wan/pipeline.ts';
import { transformerSpecs } from '../models/wan/transformer-config.ts';
import type { ConceptSampler, SampledConcept } from './concept-sampler.ts';

/** Models of more parameters than this, or of clips of more pixels, are only loaded when they are asked for. */
const warmedParameters = 100e6;
const warmedPixels = 1e6;

/** The part of the recipe that a concept's tensors depend on. */
type ShapeOptions = Pick<ConceptShape, 'rank' | 'basisSide'> & { targetLayers: readonly string[] };

interface WarmedModel {
  pipeline: WanPipeline;
  sampler: ConceptSampler;
}

/** Whether a model is so small that readying it takes seconds: large ones are left alone. */
export function isWarmed({ transformerConfig, extras }: WanPipeline): boolean {
  const specs = transformerSpecs(transformerConfig);
  const parameters = [...specs.values()].map(({ stored }) => stored.reduce((size, length) => size * length, 1));
  const { width, height } = extras.sizes[0]!;
  return sum(parameters) <= warmedParameters && extras.frames * width * height <= warmedPixels;
}

/** Does what a look does, with as few steps as possible, so that everything is loaded and compiled when the first clip is dropped. */
export async function warmUpLooks(
  model: WarmedModel,
  [width, height]: readonly [number, number],
  signal?: AbortSignal,
): Promise<void> {
  await edit(model, [width, height], null, signal);
}

/** The same with a concept that changes nothing. */
export async function warmUpConcepts(
  model: WarmedModel,
  { rank, basisSide, targetLayers: names }: ShapeOptions,
  signal?: AbortSignal,
): Promise<void> {
  const { pipeline } = model;
  const specs = transformerSpecs(pipeline.transformerConfig);
  const shape = { layers: targetLayers(linearLayers(specs), [...names]), rank, basisSide };
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const zeros = (length: number) => new Float32Array(rank * length);
  const values = {
    basis: zeros(sum(basisSizes)),
    coefficients: zeros(sum(coefficientSizes)),
    residual: zeros(sum(coefficientSizes)),
  };
  const tokens = { names: [], values: new Float32Array(0) };
  const { width, height } = pipeline.extras.sizes[0]!;
  const concept = { shape, values, tokens, gains: { identity: 1, motion: 1 }, part: 1 };
  await edit(model, [width, height], concept, signal);
}

async function edit(
  { pipeline, sampler }: WarmedModel,
  [width, height]: readonly [number, number],
  concept: SampledConcept | null,
  signal?: AbortSignal,
): Promise<void> {
  const count = pipeline.extras.frames;
  const pictures = { data: new Uint8Array(count * height * width * 3).fill(128), count, width, height };
  const source = await sampler.encodeSource(pictures, signal);
  const latents = await sampler.sample({
    concept,
    prompts: [''],
    guidance: pipeline.extras.sampling.guidance,
    steps: 2,
    source: { ...source, fidelity: 0.5, shown: '', by: 'flow-edit' },
    seeds: [0],
    size: source.latents.shape.slice(2) as [number, number, number],
    signal,
  });
  await pipeline.decodeFrames(latents, { signal }).finally(() => latents.dispose());
}
