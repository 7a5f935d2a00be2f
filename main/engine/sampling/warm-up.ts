import type { Recipe } from '../../../shared/domain/recipe.ts';
import { modelShape } from '../adapters/model-shape.ts';
import { kindOf, type LearnedPart } from '../adapters/parts.ts';
import { sum } from '../adapters/set-and-sequence.ts';
import { methodOf } from '../methods/registry.ts';
import type { WanPipeline } from '../models/wan/pipeline.ts';
import { transformerSpecs } from '../models/wan/transformer-config.ts';
import type { ConceptSampler, SampledConcept } from './concept-sampler.ts';

/** Models of more parameters than this, or of clips of more pixels, are only loaded when they are asked for. */
const warmedParameters = 100e6;
const warmedPixels = 1e6;

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

/** The same with a concept of a recipe that changes nothing. */
export async function warmUpConcepts(model: WarmedModel, recipe: Recipe, signal?: AbortSignal): Promise<void> {
  const { pipeline } = model;
  const parts = Object.entries(methodOf(recipe).parts(modelShape(pipeline.transformerConfig), recipe));
  const silent = parts.map(([name, part]): [string, LearnedPart] => {
    const values = Object.entries(kindOf(part).tensors()).map(([tensor, shape]) => [
      tensor,
      new Float32Array(shape.reduce((size, length) => size * length, 1)),
    ]);
    return [name, { part, values: Object.fromEntries(values) }];
  });
  const tokens = { names: [], values: new Float32Array(0) };
  const { width, height } = pipeline.extras.sizes[0]!;
  const concept = {
    parts: Object.fromEntries(silent),
    tokens,
    appearance: new Float32Array(0),
    gains: { identity: 1, motion: 1 },
    part: 1,
  };
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
