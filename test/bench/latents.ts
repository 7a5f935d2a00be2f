import type { VideoModel } from '../../main/engine/models/video-model.ts';

/** Latents of one clip of the model's first size, or of a single picture: [1, channels, frames, height, width] */
export function latentShape({ extras, latentChannels, latentSize }: VideoModel, frameCount = extras.frames): number[] {
  return [1, latentChannels, ...latentSize({ ...extras.sizes[0]!, frameCount })];
}
