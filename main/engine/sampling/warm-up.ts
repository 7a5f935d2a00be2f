import type { Recipe } from '../../../shared/domain/recipe.ts';
import { kindOf, type LearnedPart } from '../adapters/parts.ts';
import { methodOf } from '../methods/registry.ts';
import type { VideoModel } from '../models/video-model.ts';
import type { SampledConcept } from './acting-concept.ts';
import type { OpenModel } from './open-model.ts';

/**
 * Models of more parameters than this, or of clips of more pixels, are only loaded when they are asked for.
 */
const warmedParameters = 100e6;
const warmedPixels = 1e6;

/**
 * Whether a model changes clips by words, and is so small that readying it takes seconds: large ones are left
 * alone.
 */
export function isWarmed({ denoiserParameters, extras, firstFrame }: VideoModel): boolean {
  const { width, height } = extras.sizes[0]!;
  const isSmall = denoiserParameters <= warmedParameters && extras.frames * width * height <= warmedPixels;
  return isSmall && firstFrame !== 'required';
}

/**
 * Does what a look does, with as few steps as possible, so that everything is loaded and compiled when the
 * first clip is dropped.
 */
export async function warmUpLooks(
  model: Pick<OpenModel, 'pipeline' | 'sampler'>,
  [width, height]: readonly [number, number],
  signal?: AbortSignal,
): Promise<void> {
  await edit(model, [width, height], null, signal);
}

/** The same with a concept of a recipe that changes nothing. */
export async function warmUpConcepts(
  model: Pick<OpenModel, 'pipeline' | 'sampler'>,
  recipe: Recipe,
  signal?: AbortSignal,
): Promise<void> {
  const { pipeline } = model;
  const parts = Object.entries(methodOf(recipe).parts(pipeline.shape, recipe));
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
    acting: [
      {
        parts: Object.fromEntries(silent),
        appearance: new Float32Array(0),
        gains: { identity: 1, motion: 1 },
        isOwn: true,
      },
    ],
    tokens,
    part: 1,
  };
  await edit(model, [width, height], concept, signal);
}

async function edit(
  { pipeline, sampler }: Pick<OpenModel, 'pipeline' | 'sampler'>,
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
    source: { ...source, fidelity: 0.5, prompt: '', by: 'flow-edit' },
    seeds: [0],
    size: source.latents.shape.slice(2) as [number, number, number],
    signal,
  });
  await pipeline.decodeFrames(latents, { signal }).finally(() => latents.dispose());
}
