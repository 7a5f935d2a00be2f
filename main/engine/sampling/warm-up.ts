import { type ConceptShape, conceptSizes, sum } from '../adapters/set-and-sequence.ts';
import { linearLayers, targetLayers } from '../adapters/target-layers.ts';
import type { WanPipeline } from '../models/wan/pipeline.ts';
import { transformerSpecs } from '../models/wan/transformer-config.ts';
import type { ConceptSampler } from './concept-sampler.ts';

/** Models of more parameters than this, or of clips of more pixels, are only loaded when they are asked for. */
const warmedParameters = 100e6;
const warmedPixels = 1e6;

/** The part of the recipe that a concept's tensors depend on. */
type ShapeOptions = Pick<ConceptShape, 'rank' | 'basisSide'> & { targetLayers: readonly string[] };

/**
 * Does what an edit does, with as few steps as possible and with a concept that changes nothing, so that everything is loaded and
 * compiled when the first edit is asked for. Answers whether it did: large models are left alone.
 */
export async function warmUp(
  { pipeline, sampler }: { pipeline: WanPipeline; sampler: ConceptSampler },
  { rank, basisSide, targetLayers: names }: ShapeOptions,
  signal?: AbortSignal,
): Promise<boolean> {
  const specs = transformerSpecs(pipeline.transformerConfig);
  const parameters = [...specs.values()].map(({ stored }) => stored.reduce((size, length) => size * length, 1));
  const { width, height } = pipeline.extras.sizes[0]!;
  const count = pipeline.extras.frames;
  if (sum(parameters) > warmedParameters || count * width * height > warmedPixels) return false;
  const shape = { layers: targetLayers(linearLayers(specs), [...names]), rank, basisSide };
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const zeros = (length: number) => new Float32Array(rank * length);
  const values = {
    basis: zeros(sum(basisSizes)),
    coefficients: zeros(sum(coefficientSizes)),
    residual: zeros(sum(coefficientSizes)),
  };
  const pictures = { data: new Uint8Array(count * height * width * 3).fill(128), count, width, height };
  const source = await sampler.encodeSource(pictures, signal);
  const latents = await sampler.sample({
    concept: { shape, values, tokens: { names: [], values: new Float32Array(0) }, gains: { identity: 1, motion: 1 } },
    prompts: [''],
    guidance: pipeline.extras.sampling.guidance,
    steps: 2,
    source: { ...source, fidelity: 0.5, shown: '', by: 'flow-edit' },
    seeds: [0],
    size: source.latents.shape.slice(2) as [number, number, number],
    signal,
  });
  await pipeline.decodeFrames(latents, { signal }).finally(() => latents.dispose());
  return true;
}
