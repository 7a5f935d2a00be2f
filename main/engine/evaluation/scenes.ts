import type { EvaluationSize } from '../../../shared/domain/evaluation.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { type RenderOptions, render } from '../../world/render.ts';
import type { Scene } from '../../world/scene.ts';
import { splitOf } from '../../world/split.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import type { VideoModel } from '../models/video-model.ts';

/** Throws `invalid-input` for seeds that a training may have seen. */
export function checkTestSeeds(seeds: readonly number[]): void {
  const trained = seeds.find((seed) => splitOf(seed) !== 'test');
  if (trained !== undefined)
    throw new AppError(
      'invalid-input',
      `Seed ${trained} is not a test seed: only seeds that end in 0 are never trained on.`,
    );
}

/**
 * The size to evaluate a model at: that asked for, or the model's own in turn, by the seed and not by the
 * range it stands in.
 */
export function sizeOfSeed({ extras }: VideoModel, size: EvaluationSize | null, seed: number): EvaluationSize {
  return size ?? { ...extras.sizes[Math.floor(seed / 10) % extras.sizes.length]!, frameCount: extras.frames };
}

/**
 * The size to learn concepts at: that asked for, or the model's first, so that scenes differ in nothing else.
 */
export function sizeOfConcepts({ extras }: VideoModel, size: EvaluationSize | null): EvaluationSize {
  return size ?? { ...extras.sizes[0]!, frameCount: extras.frames };
}

export function renderOptions({ extras }: VideoModel, size: EvaluationSize): RenderOptions {
  return { ...size, frameRate: extras.frameRate };
}

/** Renders a scene as pictures. */
export async function renderPictures(scene: Scene, options: RenderOptions): Promise<Pictures> {
  const { frames } = render(scene, options);
  await breathe();
  return picturesOf(frames, options);
}

export function picturesOf(data: Uint8Array, { width, height }: RenderOptions): Pictures {
  return { data, count: data.length / (width * height * 3), width, height };
}

/** Coded and decoded: all that the model can give back of a clip. */
export async function throughAutoencoder(
  { pipeline }: { pipeline: VideoModel },
  source: Pictures,
  signal?: AbortSignal,
): Promise<Pictures> {
  const latents = await pipeline.encodeFrames(source, { signal });
  return pipeline.decodeFrames(latents, { signal }).finally(() => latents.dispose());
}

/** A turn of the event loop, in which canvases give back their memory and an abort arrives. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
