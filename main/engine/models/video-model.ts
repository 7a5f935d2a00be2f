import type { ModelInfo } from '../../../shared/domain/model.ts';
import type { WeightForm } from '../../../shared/domain/weight-form.ts';
import type * as tf from '../backends/tf.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import type { Hooks } from '../nn/hooks.ts';
import type { LinearLayer } from '../nn/linear-layers.ts';
import type { ModelExtras } from './model-extras.ts';
import type { CodingOptions, VideoAutoencoder } from './video-autoencoder.ts';

/**
 * The places of a model that something can be added to, and their sizes; no weights need be read for that.
 */
export interface ModelShape {
  /** Every linear layer. */
  layers: readonly LinearLayer[];
  /**
   * Paths of the blocks, `blocks.3`, each with the sub-layers attn1 (self), attn2 (to the prompt) and ffn.
   */
  blocks: readonly string[];
  /** Width d of the residual stream. */
  width: number;
  /** Channels of a clip's latents. */
  latentChannels: number;
}

export interface DenoiserInputs {
  /**
   * [batch, channels, frames, height, width]: noisy latents, then, with self-conditioning, the previous
   * prediction, or what image-to-video models have `beside` them.
   */
  latents: tf.Tensor;
  /**
   * [batch, features] from `timeFeatures`; or, of a model that takes a first frame, [batch, 2, features]: the timestep
   * of the first latent frame, and that of all others.
   */
  timestep: tf.Tensor;
  /** [batch, text tokens, text width], zero past each prompt's length. */
  text: tf.Tensor;
  /** What an image encoder makes of the first frame [batch, image tokens, width], for models that read it. */
  image?: tf.Tensor;
}

/**
 * What a model is told of the picture that a clip goes on from: its latent frame, which stands without noise where the clip's first one would
 * [1, channels, 1, height, width]; or channels beside the noisy latents [1, more channels, frames, height, width], and what an image encoder
 * makes of it [1, image tokens, width] where the model reads that.
 */
export type FirstFrame = { latents: tf.Tensor } | { beside: tf.Tensor; image?: tf.Tensor };

/** All of its tensors. */
export function firstFrameTensors(firstFrame: FirstFrame): tf.Tensor[] {
  if ('latents' in firstFrame) return [firstFrame.latents];
  return [firstFrame.beside, ...(firstFrame.image ? [firstFrame.image] : [])];
}

export interface DenoiserOptions {
  hooks?: Hooks;
  /**
   * Compute each block again for its gradients instead of keeping its activations: deep models on little
   * memory.
   */
  recompute?: boolean;
  /** No gradients are asked for, so that a model may be compiled in larger pieces. */
  inferenceOnly?: boolean;
}

/** What is known of a denoiser before its weights are read. */
interface DenoiserFacts {
  readonly latentChannels: number;
  /** Whether it takes its previous prediction as further channels. */
  readonly selfConditioning: boolean;
  /** Whether a first frame may be given (Wan 2.2 TI2V), or must be (Wan 2.1 I2V). */
  readonly firstFrame: ModelInfo['firstFrame'];
  /** timesteps (0 to 1000) [batch] -> sinusoidal features [batch, features] */
  timeFeatures(timesteps: readonly number[]): tf.Tensor2D;
}

export interface Denoiser extends DenoiserFacts {
  /**
   * Predicts the flow (noise minus clean latents): -> [batch, channels, frames, height, width].
   * Differentiable.
   */
  denoise(inputs: DenoiserInputs, options?: DenoiserOptions): tf.Tensor;
}

/** Prompts as numbers, each padded to the same length. */
export interface Tokens {
  /** [prompts][length] */
  ids: number[][];
  /** Tokens of each prompt that count, its end token included; the rest is padding. */
  lengths: number[];
}

/**
 * Tokens -> [prompts, maxTextTokens, text width], with zeros behind. Differentiable; only
 * `hooks.embedTokens` is asked.
 */
type TextEncoder = (tokens: Tokens, hooks?: Hooks) => tf.Tensor;

interface TextOptions {
  /** One for each prompt. */
  hooks?: readonly Pick<Hooks, 'embedTokens'>[];
  signal?: AbortSignal;
  /** After each layer of an encoder that is read layer by layer. */
  onLayer?(done: number, total: number): void;
}

/** How a denoiser's weights are held in memory. */
interface HeldWeights {
  /** That in which they are, or will be when they are first needed: float32 unless another was asked for. */
  readonly form: WeightForm;
  /** Whether they are in memory (those that are streamed: their file is open). */
  readonly isLoaded: boolean;
  /** From now on this one; denoisers that were given before end with it if it is another. */
  use(form: WeightForm): Promise<void>;
}

/** A text-to-video model opened from its directory. Weights are read when they are first needed. */
export interface VideoModel extends VideoAutoencoder, DenoiserFacts {
  readonly directory: string;
  /** A model goes by the name of its folder. */
  readonly name: string;
  readonly extras: ModelExtras;
  /** `scheduler_config.json` as it stands; `sampling` reads it. */
  readonly schedulerConfig: unknown;
  readonly shape: ModelShape;
  readonly heldWeights: HeldWeights;
  /** How many numbers the denoiser's weights are. */
  readonly denoiserParameters: number;
  /** Memory estimate: about how many values a backward pass keeps for latents of this shape. */
  activations(latents: readonly number[]): number;
  /**
   * Latent frames, height and width of such a clip. Throws `invalid-input` for a size that the model cannot
   * make.
   */
  latentSize(clip: { frameCount: number; height: number; width: number }): [number, number, number];
  /**
   * The picture that a clip of so many frames goes on from, as the denoiser is told of it; the caller owns the tensors. Throws
   * `invalid-input` for a model that takes none.
   */
  encodeFirstFrame(picture: Pictures, frameCount: number, options?: CodingOptions): Promise<FirstFrame>;
  /** What an editor must know of it to prepare clips for it. */
  describe(): Promise<ModelInfo>;
  /** Tells one model's weights from another's without reading gigabytes. */
  fingerprint(): Promise<string>;

  /** The denoiser, or that for low noise of a model with two. Concepts are learned on it and act in it. */
  denoiser(): Promise<Denoiser>;
  /** The other one of a model with two, which predicts from this part of the noise on; null where one does it all. */
  readonly highNoise: { readonly from: number; denoiser(): Promise<Denoiser> } | null;
  readonly textWidth: number;
  readonly tokenizer: {
    /** The id of a whole token such as `[v]`, or undefined if the vocabulary has none. */
    idOf(token: string): number | undefined;
  };
  /** Prompts -> tokens, cut at the model's length and padded to the longest of them. */
  tokenize(prompts: readonly string[]): Tokens;
  /** Throws `out-of-memory` for an encoder that is too large to be held in memory. */
  textEncoder(): Promise<TextEncoder>;
  /** Whether the text encoder is read from disk layer by layer whenever it is used. */
  readonly streamsText: boolean;
  /**
   * Prompts -> [prompts, maxTextTokens, text width], whatever the encoder's size: one that is read from disk layer by layer is read once for
   * all of them. Each comes out the same to the bit whatever the others are.
   */
  encodeText(prompts: readonly string[], options?: TextOptions): Promise<tf.Tensor>;
}
