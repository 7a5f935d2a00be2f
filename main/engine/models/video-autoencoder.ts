import type { CodingWork, DecodingMemory } from '../../../shared/domain/model.ts';
import type * as tf from '../backends/tf.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import type { TensorToWrite } from '../formats/safetensors-write.ts';

export type WeightType = 'F32' | 'F16' | 'BF16';

export interface CodingOptions {
  signal?: AbortSignal;
  onProgress?: (doneFrames: number, totalFrames: number) => void;
}

export interface EncodingOptions extends CodingOptions {
  /** So many frames of middle grey follow the pictures: a value between two that bytes have. */
  greyFrames?: number;
}

/** Clips to latents and back. Weights are read when they are first needed, and can be let go. */
export interface VideoAutoencoder {
  readonly latentChannels: number;
  /** Pixels per latent value, along each axis; a clip has `1 + k * frames` frames. */
  readonly strides: { readonly frames: number; readonly height: number; readonly width: number };
  /** What coding has to multiply. */
  readonly work: CodingWork;
  /** What decoding takes in memory; null where that was not found out. */
  readonly decoding: DecodingMemory | null;
  /** Throws `invalid-input` unless a clip of this size can be encoded. */
  checkVideoSize(frames: number, height: number, width: number): void;
  /** Pictures -> normalised latents [1, channels, frames, height, width] (the mean of a posterior). */
  encodeFrames(pictures: Pictures, options?: EncodingOptions): Promise<tf.Tensor>;
  /** Normalised latents of one clip -> pictures. */
  decodeFrames(latents: tf.Tensor, options?: CodingOptions): Promise<Pictures>;
  /** Its weights as a checkpoint stores them. */
  weightsToWrite(type: WeightType): Promise<TensorToWrite[]>;
  dispose(): Promise<void>;
}
