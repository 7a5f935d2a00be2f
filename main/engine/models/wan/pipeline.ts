import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../../shared/ipc/result.ts';
import * as tf from '../../backends/tf.ts';
import { type ModelIndex, openWeights, readJson, readModelIndex } from '../../formats/diffusers.ts';
import { disposeTree } from '../../nn/tree.ts';
import { openVideoAutoencoder } from '../autoencoders.ts';
import { countParameters, type LoadedOnce, loadComponent, loadedOnce } from '../components.ts';
import { readModelExtras } from '../model-extras.ts';
import type { VideoAutoencoder } from '../video-autoencoder.ts';
import type { Tokens, VideoModel } from '../video-model.ts';
import { denoiserFacts, wanDenoiser, wanShape } from './denoiser.ts';
import { describePipeline } from './describe.ts';
import { transformerFingerprint } from './fingerprint.ts';
import { encodeFirstFrame, firstFrameUse, openImageEncoder } from './first-frame.ts';
import { encodeTokens, encodeTokensStreaming, type TextEncoderParameters } from './text-encoder.ts';
import {
  repeatedEmbeddings,
  type TextEncoderConfig,
  textEncoderConfigSchema,
  textEncoderSpecs,
} from './text-encoder-config.ts';
import { cleanPrompt, loadTokenizer, type Tokenizer } from './tokenizer.ts';
import type { TransformerParameters } from './transformer.ts';
import {
  activationsOf,
  type TransformerConfig,
  transformerConfigSchema,
  transformerSpecs,
} from './transformer-config.ts';
import { transformerWeights } from './transformer-weights.ts';

/** An encoder of more parameters than this is read layer by layer (float32 would take more than 2 GB). */
const streamingParameters = 500e6;

/**
 * WanPipeline and WanImageToVideoPipeline of diffusers. Beside what any model has: its configurations and weights, for saving and for
 * tests.
 */
export interface WanPipeline extends VideoModel {
  readonly autoencoder: VideoAutoencoder;
  readonly tokenizer: Tokenizer;
  readonly transformerConfig: TransformerConfig;
  readonly textEncoderConfig: TextEncoderConfig;
  transformer(): Promise<TransformerParameters>;
  /** Throws `out-of-memory` for an encoder that is only ever streamed. */
  readonly textEncoderWeights: LoadedOnce<TextEncoderParameters>;
}

/**
 * A model with two transformers (Wan 2.2's large ones) has that for high noise in `transformer` and that for low noise in `transformer_2`.
 * Throws `not-found`, `damaged-file`, or `invalid-input`.
 */
export async function openWanPipeline(directory: string): Promise<WanPipeline> {
  const index = await readModelIndex(directory);
  const boundary = boundaryOf(directory, index);
  const main = boundary === null ? 'transformer' : 'transformer_2';
  const folder = (name: string) => join(directory, name);
  const config = <T>(name: string, schema: Parameters<typeof readJson<T>>[1]) =>
    readJson(join(folder(name), 'config.json'), schema);
  const extras = await readModelExtras(directory);
  const transformerConfig = await config(main, transformerConfigSchema);
  const highConfig = boundary === null ? null : await config('transformer', transformerConfigSchema);
  const autoencoder = await openVideoAutoencoder(folder('vae'));
  const textEncoderConfig = await config('text_encoder', textEncoderConfigSchema);
  const tokenizer = await loadTokenizer(folder('tokenizer'));
  const schedulerConfig = await readJson(join(folder('scheduler'), 'scheduler_config.json'), z.unknown());
  for (const each of [transformerConfig, ...(highConfig ? [highConfig] : [])])
    checkChannels(directory, each, autoencoder, textEncoderConfig);
  const { in_channels, image_dim } = transformerConfig;
  if (highConfig && (highConfig.in_channels !== in_channels || highConfig.image_dim !== image_dim))
    throw new AppError('damaged-file', `${directory}: its two transformers are told of different things`);
  const firstFrame = firstFrameUse(index, transformerConfig, autoencoder);
  const imageEncoder = await openImageEncoder(directory, transformerConfig);

  const transformer = transformerWeights(folder(main), transformerConfig);
  const highTransformer = highConfig && transformerWeights(folder('transformer'), highConfig);
  const streams = countParameters(textEncoderSpecs(textEncoderConfig)) > streamingParameters;
  const textEncoderWeights = loadedOnce(async () => {
    if (streams)
      throw new AppError('out-of-memory', 'The text encoder of this model is too large to be held in memory', {
        hint: 'Special tokens cannot be trained with it. Switch their training off.',
      });
    const specs = textEncoderSpecs(textEncoderConfig);
    return loadComponent<TextEncoderParameters>(folder('text_encoder'), specs, repeatedEmbeddings);
  }, disposeTree);

  function tokenize(prompts: readonly string[]): Tokens {
    const { ids, lengths } = tokenizer.encode(prompts.map(cleanPrompt), extras.maxTextTokens);
    if (ids.some((row) => row.some((id) => !(id >= 0 && id < textEncoderConfig.vocab_size))))
      throw new AppError('damaged-file', `${directory}: the tokenizer has more words than the text encoder`, {
        hint: 'They are of different models. Copy or download the model again.',
      });
    // Padding changes nothing, so it is cut to a multiple of 16, which keeps the number of compiled programs
    // small.
    const tokens = Math.min(extras.maxTextTokens, 16 * Math.ceil(Math.max(...lengths) / 16));
    return { ids: ids.map((row) => row.slice(0, tokens)), lengths };
  }

  /**
   * Embeddings of any number of tokens -> [prompts, maxTextTokens, text_dim], with zeros behind.
   * Differentiable.
   */
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

  type Texts = Parameters<typeof encodeTokensStreaming>[2];

  async function encodeTexts(texts: Texts): Promise<tf.Tensor[]> {
    const encode = await pipeline.textEncoder();
    const embeddings: tf.Tensor[] = [];
    for (const { tokens, hooks } of texts) {
      embeddings.push(tf.tidy(() => encode(tokens, hooks)));
      // Apart from the others, so that it rounds the same whatever they are.
      if (texts.length > 1) await embeddings.at(-1)!.data();
    }
    return embeddings;
  }

  async function streamTexts(texts: Texts, options: Parameters<typeof encodeTokensStreaming>[3]): Promise<tf.Tensor[]> {
    const source = await openWeights(folder('text_encoder'));
    try {
      const embeddings = await encodeTokensStreaming(textEncoderConfig, source, texts, options);
      const padded = embeddings.map(padText);
      tf.dispose(embeddings);
      return padded;
    } finally {
      await source.close();
    }
  }

  const pipeline: WanPipeline = {
    ...autoencoder,
    ...denoiserFacts(transformerConfig, firstFrame),
    autoencoder,
    directory,
    name: basename(resolve(directory)),
    extras,
    schedulerConfig,
    shape: wanShape(transformerConfig),
    denoiserParameters:
      countParameters(transformerSpecs(transformerConfig)) +
      (highConfig ? countParameters(transformerSpecs(highConfig)) : 0),
    activations: (latents) => activationsOf(transformerConfig, latents),
    latentSize: (clip) => latentSize(autoencoder, transformerConfig, clip),
    encodeFirstFrame: (picture, frameCount, options) =>
      encodeFirstFrame(autoencoder, imageEncoder, firstFrame, picture, frameCount, options),
    describe: () => describePipeline(pipeline),
    fingerprint: () => transformerFingerprint(folder(main)),
    heldWeights: {
      get form() {
        return transformer.form;
      },
      get isLoaded() {
        return transformer.isLoaded || highTransformer?.isLoaded === true;
      },
      async use(form) {
        await transformer.use(form);
        await highTransformer?.use(form);
      },
    },
    transformerConfig,
    transformer: transformer.parameters,
    denoiser: async () =>
      wanDenoiser(transformerConfig, await transformer.parameters(), { firstFrame, form: transformer.form }),
    highNoise: highTransformer && {
      from: boundary!,
      denoiser: async () =>
        wanDenoiser(highConfig!, await highTransformer.parameters(), { firstFrame, form: highTransformer.form }),
    },
    textWidth: textEncoderConfig.d_model,
    tokenizer,
    tokenize,
    textEncoderConfig,
    streamsText: streams,
    textEncoderWeights,
    async textEncoder() {
      const parameters = await textEncoderWeights();
      return (tokens, hooks) => padText(encodeTokens(textEncoderConfig, parameters, tokens, hooks));
    },
    async encodeText(prompts, { hooks, signal, onLayer } = {}) {
      const texts = prompts.map((prompt, index) => ({ tokens: tokenize([prompt]), hooks: hooks?.[index] }));
      const embeddings = streams ? await streamTexts(texts, { signal, onLayer }) : await encodeTexts(texts);
      if (embeddings.length === 1) return embeddings[0]!;
      try {
        return tf.concat(embeddings, 0);
      } finally {
        tf.dispose(embeddings);
      }
    },
    async dispose() {
      await transformer.release();
      await highTransformer?.release();
      await autoencoder.dispose();
      await textEncoderWeights.release();
    },
  };
  return pipeline;
}

/** From which part of the noise on the first of two transformers predicts; null where there is one. */
function boundaryOf(directory: string, index: ModelIndex): number | null {
  const { boundary_ratio: ratio, transformer_2: second } = index;
  const isPair = Array.isArray(second) && typeof second[1] === 'string';
  if (!isPair) return null;
  if (typeof ratio === 'number' && ratio > 0 && ratio < 1) return ratio;
  throw new AppError(
    'damaged-file',
    `${directory} has two transformers, and the boundary_ratio ${ratio} between them`,
    {
      hint: 'Copy or download its model_index.json again: it is between 0 and 1.',
    },
  );
}

/** Of the latents: whole patches. */
function latentSize(
  { strides, checkVideoSize }: VideoAutoencoder,
  { patch_size: [, patchHeight, patchWidth] }: TransformerConfig,
  { frameCount, height, width }: { frameCount: number; height: number; width: number },
): [number, number, number] {
  checkVideoSize(frameCount, height, width);
  const latent: [number, number, number] = [
    1 + (frameCount - 1) / strides.frames,
    height / strides.height,
    width / strides.width,
  ];
  if (latent[1] % patchHeight !== 0 || latent[2] % patchWidth !== 0)
    throw new AppError(
      'invalid-input',
      `this model makes clips whose width is a multiple of ${strides.width * patchWidth} and whose height is one of ${strides.height * patchHeight}, not ${width} x ${height}`,
    );
  return latent;
}

/**
 * Throws `damaged-file` when the components do not fit each other, `invalid-input` for another kind of
 * transformer.
 */
function checkChannels(
  directory: string,
  transformer: TransformerConfig,
  { latentChannels, strides }: VideoAutoencoder,
  text: TextEncoderConfig,
): void {
  const refuse = (message: string) => new AppError('damaged-file', `${directory}: ${message}`);
  if (transformer.text_dim !== text.d_model)
    throw refuse(
      `the transformer reads text of ${transformer.text_dim} channels, the text encoder writes ${text.d_model}`,
    );
  if (transformer.out_channels !== latentChannels)
    throw refuse(
      `the transformer predicts ${transformer.out_channels} channels, the autoencoder has ${latentChannels}`,
    );
  // Twice as many: its previous prediction is fed back. More: what says how the clip begins.
  const known = [latentChannels, 2 * latentChannels, 2 * latentChannels + strides.frames];
  if (known.includes(transformer.in_channels)) return;
  throw new AppError(
    'invalid-input',
    `${directory}: a transformer with ${transformer.in_channels} input channels is not supported`,
    {
      hint: 'It may be a model for editing or with other controls. Choose one for text to video or image to video.',
    },
  );
}
