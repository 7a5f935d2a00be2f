import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../../shared/ipc/result.ts';
import * as tf from '../../backends/tf.ts';
import { type ModelIndex, openWeights, readJson, readModelIndex } from '../../formats/diffusers.ts';
import type { Hooks } from '../../nn/hooks.ts';
import { loadParameters } from '../../nn/parameters.ts';
import { disposeTree } from '../../nn/tree.ts';
import { type Frames, framesToVideo, videoToFrames } from './frames.ts';
import { type ModelExtras, readModelExtras } from './model-extras.ts';
import { encodeTokens, encodeTokensStreaming, type TextEncoderParameters } from './text-encoder.ts';
import {
  repeatedEmbeddings,
  type TextEncoderConfig,
  textEncoderConfigSchema,
  textEncoderSpecs,
} from './text-encoder-config.ts';
import { cleanPrompt, loadTokenizer, type Tokenizer, type Tokens } from './tokenizer.ts';
import type { TransformerParameters } from './transformer.ts';
import { type TransformerConfig, transformerConfigSchema, transformerSpecs } from './transformer-config.ts';
import { type ChunkOptions, createVae, type Vae } from './vae.ts';
import type { VaeParameters } from './vae-coders.ts';
import { type VaeConfig, vaeConfigSchema, vaeSpecs } from './vae-config.ts';

/** An encoder of more parameters than this is read layer by layer (float32 would take more than 2 GB). */
const streamingParameters = 500e6;

/** A text-to-video model opened from its directory. Weights are read when they are first needed, and can be let go. */
export interface WanPipeline {
  readonly directory: string;
  readonly index: ModelIndex;
  readonly extras: ModelExtras;
  readonly tokenizer: Tokenizer;
  readonly transformerConfig: TransformerConfig;
  readonly vaeConfig: VaeConfig;
  readonly textEncoderConfig: TextEncoderConfig;
  /** `scheduler_config.json` as it stands; `sampling` reads it. */
  readonly schedulerConfig: unknown;
  /** Whether the transformer takes its previous prediction as further channels. */
  readonly selfConditioning: boolean;

  transformer(): Promise<TransformerParameters>;
  vae(): Promise<Vae>;
  /** Throws `out-of-memory` for an encoder that is only ever streamed. */
  textEncoder(): Promise<TextEncoderParameters>;
  /** Frees a component's weights; it is read again when needed. */
  release(component: 'transformer' | 'vae' | 'textEncoder'): Promise<void>;

  /** Prompts -> tokens, cleaned as the Wan pipeline does, cut at the model's length and padded to the longest of them. */
  tokenize(prompts: readonly string[]): Tokens;
  /** Embeddings of any number of tokens -> [prompts, maxTextTokens, text_dim], with zeros behind. Differentiable. */
  padText(embeddings: tf.Tensor): tf.Tensor;
  /** Prompts -> [prompts, maxTextTokens, text_dim]. */
  encodeText(prompts: readonly string[], options?: { hooks?: Hooks; signal?: AbortSignal }): Promise<tf.Tensor>;
  /** Frames -> normalised latents [1, z_dim, frames, height, width] (the posterior's mean). */
  encodeFrames(frames: Frames, options?: ChunkOptions): Promise<tf.Tensor>;
  /** Normalised latents of one clip -> frames. */
  decodeFrames(latents: tf.Tensor, options?: ChunkOptions): Promise<Frames>;
  /** The same, some frames at a time, for clips too long for memory. */
  decodeFrameChunks(latents: tf.Tensor, options?: ChunkOptions): AsyncGenerator<Frames>;
  dispose(): Promise<void>;
}

/** Opens a model directory in diffusers layout. Throws `not-found`, `damaged-file`, or `invalid-input` for other kinds of model. */
export async function openWanPipeline(directory: string): Promise<WanPipeline> {
  const index = await readModelIndex(directory);
  if (index._class_name !== 'WanPipeline')
    throw new AppError('invalid-input', `${directory} holds a ${index._class_name}, which is not supported`, {
      hint: 'Choose a text-to-video checkpoint of Wan (WanPipeline).',
    });
  if (index.boundary_ratio)
    throw new AppError('invalid-input', `${directory} has a second transformer for low noise, which is not supported`, {
      hint: 'Choose a Wan checkpoint with one transformer, for example Wan 2.1 1.3B or Wan 2.2 TI2V 5B.',
    });
  const folder = (name: string) => join(directory, name);
  const config = <T>(name: string, schema: Parameters<typeof readJson<T>>[1]) =>
    readJson(join(folder(name), 'config.json'), schema);
  const extras = await readModelExtras(directory);
  const transformerConfig = await config('transformer', transformerConfigSchema);
  const vaeConfig = await config('vae', vaeConfigSchema);
  const textEncoderConfig = await config('text_encoder', textEncoderConfigSchema);
  const tokenizer = await loadTokenizer(folder('tokenizer'));
  const schedulerConfig = await readJson(join(folder('scheduler'), 'scheduler_config.json'), z.unknown());
  const selfConditioning = checkChannels(directory, transformerConfig, vaeConfig, textEncoderConfig);
  const [mean, deviation] = [vaeConfig.latents_mean, vaeConfig.latents_std];

  const transformer = loadedOnce(
    () => load<TransformerParameters>(folder('transformer'), transformerSpecs(transformerConfig), /norm_added_q/),
    disposeTree,
  );
  const vae = loadedOnce(
    async () => createVae(vaeConfig, await load<VaeParameters>(folder('vae'), vaeSpecs(vaeConfig))),
    (loaded) => loaded.dispose(),
  );
  const streams = textEncoderSize(textEncoderConfig) > streamingParameters;
  const textEncoder = loadedOnce(async () => {
    if (streams)
      throw new AppError('out-of-memory', 'The text encoder of this model is too large to be held in memory', {
        hint: 'Special tokens cannot be trained with it. Switch their training off.',
      });
    return load<TextEncoderParameters>(folder('text_encoder'), textEncoderSpecs(textEncoderConfig), repeatedEmbeddings);
  }, disposeTree);

  function tokenize(prompts: readonly string[]): Tokens {
    const { ids, lengths } = tokenizer.encode(prompts.map(cleanPrompt), extras.maxTextTokens);
    if (ids.some((row) => row.some((id) => !(id >= 0 && id < textEncoderConfig.vocab_size))))
      throw new AppError('damaged-file', `${directory}: the tokenizer has more words than the text encoder`, {
        hint: 'They are of different models. Copy or download the model again.',
      });
    // Padding changes nothing, so it is cut to a multiple of 16, which keeps the number of compiled programs small.
    const tokens = Math.min(extras.maxTextTokens, 16 * Math.ceil(Math.max(...lengths) / 16));
    return { ids: ids.map((row) => row.slice(0, tokens)), lengths };
  }

  function padText(embeddings: tf.Tensor): tf.Tensor {
    const missing = extras.maxTextTokens - embeddings.shape[1]!;
    return missing
      ? tf.pad(embeddings, [
          [0, 0],
          [0, missing],
          [0, 0],
        ])
      : tf.clone(embeddings);
  }

  async function* decodeFrameChunks(latents: tf.Tensor, options?: ChunkOptions): AsyncGenerator<Frames> {
    const decoder = await vae();
    const raw = tf.tidy(() => tf.add(tf.mul(latents, perChannel(deviation)), perChannel(mean)));
    try {
      for await (const chunk of decoder.decodeChunks(raw, options)) {
        const frames = await videoToFrames(chunk);
        chunk.dispose();
        yield frames;
      }
    } finally {
      raw.dispose();
    }
  }

  const components = { transformer, vae, textEncoder };
  return {
    directory,
    index,
    extras,
    tokenizer,
    transformerConfig,
    vaeConfig,
    textEncoderConfig,
    schedulerConfig,
    selfConditioning,
    transformer,
    vae,
    textEncoder,
    release: (component) => components[component].release(),
    tokenize,
    padText,
    decodeFrameChunks,
    async encodeText(prompts, { hooks, signal } = {}) {
      const tokens = tokenize(prompts);
      if (!streams) {
        const parameters = await textEncoder();
        return tf.tidy(() => padText(encodeTokens(textEncoderConfig, parameters, tokens, hooks)));
      }
      const source = await openWeights(folder('text_encoder'));
      try {
        const embeddings = await encodeTokensStreaming(textEncoderConfig, source, tokens, { hooks, signal });
        const padded = padText(embeddings);
        embeddings.dispose();
        return padded;
      } finally {
        await source.close();
      }
    },
    async encodeFrames(frames, options) {
      const video = framesToVideo(frames);
      const posterior = await (await vae()).encode(video, options).finally(() => video.dispose());
      const latents = tf.tidy(() => {
        const [average] = tf.split(posterior, 2, 1) as [tf.Tensor, tf.Tensor];
        return tf.div(tf.sub(average, perChannel(mean)), perChannel(deviation));
      });
      posterior.dispose();
      return latents;
    },
    async decodeFrames(latents, options) {
      const parts: Frames[] = [];
      for await (const part of decodeFrameChunks(latents, options)) parts.push(part);
      const { width, height } = parts[0]!;
      const data = new Uint8Array(parts.reduce((length, part) => length + part.data.length, 0));
      let offset = 0;
      for (const part of parts) {
        data.set(part.data, offset);
        offset += part.data.length;
      }
      return { data, width, height, count: parts.reduce((count, part) => count + part.count, 0) };
    },
    async dispose() {
      for (const component of Object.values(components)) await component.release();
    },
  };
}

/** [values] -> [1, values, 1, 1, 1], to be added to or multiplied with latents. */
function perChannel(values: readonly number[]): tf.Tensor {
  return tf.tensor(values as number[], [1, values.length, 1, 1, 1]);
}

/** Whether the transformer conditions on its own prediction. Throws `damaged-file` when the components do not fit each other. */
function checkChannels(
  directory: string,
  transformer: TransformerConfig,
  vae: VaeConfig,
  text: TextEncoderConfig,
): boolean {
  const refuse = (message: string) => new AppError('damaged-file', `${directory}: ${message}`);
  if (transformer.text_dim !== text.d_model)
    throw refuse(
      `the transformer reads text of ${transformer.text_dim} channels, the text encoder writes ${text.d_model}`,
    );
  if (transformer.out_channels !== vae.z_dim)
    throw refuse(`the transformer predicts ${transformer.out_channels} channels, the autoencoder has ${vae.z_dim}`);
  if (transformer.in_channels === vae.z_dim) return false;
  if (transformer.in_channels === 2 * vae.z_dim) return true;
  throw new AppError(
    'invalid-input',
    `${directory}: a transformer with ${transformer.in_channels} input channels is not supported`,
    {
      hint: 'It may be a model for image to video or for editing. Choose a text-to-video checkpoint.',
    },
  );
}

async function load<T>(folder: string, specs: ReturnType<typeof vaeSpecs>, ignore?: RegExp): Promise<T> {
  const source = await openWeights(folder);
  try {
    return (await loadParameters(source, specs, ignore ? { ignore } : {})) as T;
  } finally {
    await source.close();
  }
}

function textEncoderSize(config: TextEncoderConfig): number {
  let size = 0;
  for (const { stored } of textEncoderSpecs(config).values())
    size += stored.reduce((product, length) => product * length, 1);
  return size;
}

/** A component that is read at the first call, given again at later ones, and freed by `release`. */
function loadedOnce<T>(read: () => Promise<T>, free: (loaded: T) => void) {
  let loading: Promise<T> | undefined;
  const get = async (): Promise<T> => {
    loading ??= read();
    try {
      return await loading;
    } catch (error) {
      loading = undefined; // a later call tries again
      throw error;
    }
  };
  const release = async (): Promise<void> => {
    const loaded = loading;
    loading = undefined;
    if (loaded) await loaded.then(free, () => undefined);
  };
  return Object.assign(get, { release });
}
