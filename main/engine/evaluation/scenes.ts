import type { EvaluationSize } from '../../../shared/domain/evaluation.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import type { WanPipeline } from '../models/wan/pipeline.ts';
import { type RenderOptions, render } from '../world/render.ts';
import type { Scene } from '../world/scene.ts';
import { splitOf } from '../world/split.ts';

/** Throws `invalid-input` for seeds that a training may have seen. */
export function checkTestSeeds(seeds: readonly number[]): void {
  const seen = seeds.find((seed) => splitOf(seed) !== 'test');
  if (seen !== undefined)
    throw new AppError('invalid-input', `Seed ${seen} is no test seed: only those that end in 0 are never trained on.`);
}

/** The sizes to evaluate at, in turn. */
export function evaluationSizes({ extras }: WanPipeline, size: EvaluationSize | null): EvaluationSize[] {
  return size ? [size] : extras.sizes.map((each) => ({ ...each, frameCount: extras.frames }));
}

export function renderOptions({ extras }: WanPipeline, size: EvaluationSize): RenderOptions {
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

/** A turn of the event loop, in which canvases give back their memory and an abort arrives. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
