import type { WanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { vaeStrides } from '../../main/engine/models/wan/vae-config.ts';

/** Latents of one clip of the model's first size, or of a single picture: [1, channels, frames, height, width] */
export function latentShape({ vaeConfig, extras }: WanPipeline, frames = extras.frames): number[] {
  const strides = vaeStrides(vaeConfig);
  const { width, height } = extras.sizes[0]!;
  return [1, vaeConfig.z_dim, (frames - 1) / strides.frames + 1, height / strides.height, width / strides.width];
}
