import type { RawFrames } from '../../../shared/domain/clip.ts';
import { sampleScene } from '../../world/scene.ts';
import { type Pictures, readRawFrames } from '../formats/raw-frames.ts';
import type { VideoModel } from '../models/video-model.ts';
import { renderOptions, renderPictures, sizeOfSeed } from './scenes.ts';

/** A clip that an autoencoder is measured on. */
export interface ClipSource {
  name: string;
  set: 'world' | 'real';
  pictures(): Promise<Pictures>;
}

/** Files first, then scenes, rendered when they are asked for. Throws `invalid-input` for a file whose size the model does not take. */
export function clipSources(
  pipeline: VideoModel,
  {
    seeds,
    size,
    realClips,
  }: {
    seeds: readonly number[];
    /** Null: those that the model was trained on, by turns. */
    size: Parameters<typeof sizeOfSeed>[1];
    realClips: readonly { name: string; frames: RawFrames }[];
  },
): ClipSource[] {
  const world = seeds.map(
    (seed): ClipSource => ({
      name: `seed ${seed}`,
      set: 'world',
      pictures: () =>
        renderPictures(
          sampleScene(seed, { edition: pipeline.extras.worldEdition }),
          renderOptions(pipeline, sizeOfSeed(pipeline, size, seed)),
        ),
    }),
  );
  const real = realClips.map(({ name, frames }): ClipSource => {
    pipeline.checkVideoSize(frames.frameCount, frames.height, frames.width);
    return { name, set: 'real', pictures: () => readRawFrames(frames) };
  });
  return [...real, ...world];
}
