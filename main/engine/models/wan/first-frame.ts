import { join } from 'node:path';
import { AppError } from '../../../../shared/ipc/result.ts';
import * as tf from '../../backends/tf.ts';
import type { ModelIndex } from '../../formats/diffusers.ts';
import type { Pictures } from '../../formats/raw-frames.ts';
import { type ImageEncoder, openClipVision } from '../clip-vision/clip-vision.ts';
import type { CodingOptions, VideoAutoencoder } from '../video-autoencoder.ts';
import type { Denoiser, FirstFrame } from '../video-model.ts';
import type { TransformerConfig } from './transformer-config.ts';

/**
 * How a model of Wan goes on from a first frame (WanImageToVideoPipeline of diffusers). Wan 2.2 TI2V, whose index has `expand_timesteps`,
 * takes its latent frame in place of the first one. What has further input channels always needs one: for each latent frame, which of its
 * frames are given (as many channels as it has frames, ones at the first), then latents of the clip whose other frames are grey.
 */
export function firstFrameUse(
  { expand_timesteps }: ModelIndex,
  { in_channels, out_channels }: TransformerConfig,
  { strides }: VideoAutoencoder,
): Denoiser['firstFrame'] {
  if (in_channels === 2 * out_channels + strides.frames) return 'required';
  return expand_timesteps === true ? 'optional' : 'none';
}

/**
 * The encoder that the transformer reads pictures by, or null where it needs none. Throws `damaged-file` where they do not fit each other,
 * and what opening it throws.
 */
export async function openImageEncoder(
  directory: string,
  { image_dim }: TransformerConfig,
): Promise<ImageEncoder | null> {
  if (image_dim === null) return null;
  const encoder = await openClipVision(join(directory, 'image_encoder'), join(directory, 'image_processor'));
  if (encoder.width === image_dim) return encoder;
  throw new AppError(
    'damaged-file',
    `${directory}: the transformer reads pictures of ${image_dim} channels, the image encoder writes ${encoder.width}`,
    { hint: 'They are of different models. Copy or download the model again.' },
  );
}

/** What such a model is told of a clip's first picture; the caller owns it. */
export async function encodeFirstFrame(
  autoencoder: VideoAutoencoder,
  imageEncoder: ImageEncoder | null,
  use: Denoiser['firstFrame'],
  picture: Pictures,
  frameCount: number,
  options?: CodingOptions,
): Promise<FirstFrame> {
  if (use === 'none') throw new AppError('invalid-input', 'this model takes no first frame');
  if (use === 'optional') return { latents: await autoencoder.encodeFrames(picture, options) };
  const latents = await autoencoder.encodeFrames(picture, { ...options, greyFrames: frameCount - 1 });
  const beside = tf.tidy(() => tf.concat([givenFrames(latents.shape, autoencoder.strides.frames), latents], 1));
  latents.dispose();
  try {
    return { beside, ...(imageEncoder && { image: await imageEncoder.encode(picture, options) }) };
  } catch (error) {
    beside.dispose();
    throw error;
  }
}

/** 1 at the first latent frame, else 0: [1, stride, frames, height, width] of latents [1, channels, frames, height, width] */
function givenFrames([, , frames, height, width]: readonly number[], stride: number): tf.Tensor {
  const ofFrame = (value: number, count: number) => tf.fill([1, stride, count, height!, width!], value);
  return frames === 1 ? ofFrame(1, 1) : tf.concat([ofFrame(1, 1), ofFrame(0, frames! - 1)], 2);
}
