import { attention, gelu, rmsNorm } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { WeightArrays } from '../../backends/weights.ts';
import type { TensorSource } from '../../formats/tensor-file.ts';
import type { Hooks } from '../../nn/hooks.ts';
import { type Linear, linear } from '../../nn/linear.ts';
import { checkShape, loadParameters } from '../../nn/parameters.ts';
import { disposeTree } from '../../nn/tree.ts';
import type { Tokens } from '../video-model.ts';
import { type TextEncoderConfig, textLayerSpecs } from './text-encoder-config.ts';

/**
 * The text encoder of Wan (UMT5EncoderModel in transformers): a T5 encoder whose every layer has its own
 * relative position bias. Sequences are [batch, tokens, d_model]. Tokens past a prompt's length are not
 * attended to and come out as zeros.
 */

type Layer = {
  layer: {
    0: {
      SelfAttention: {
        q: Linear;
        k: Linear;
        v: Linear;
        o: Linear;
        relative_attention_bias: { weight: tf.Tensor2D }; // [buckets, heads]
      };
      layer_norm: { weight: tf.Tensor1D };
    };
    1: {
      DenseReluDense: { wi_0: Linear; wi_1: Linear; wo: Linear };
      layer_norm: { weight: tf.Tensor1D };
    };
  };
};

export type TextEncoderParameters = {
  shared: { weight: tf.Tensor2D }; // [vocabulary, d_model]
  encoder: { block: { [index: string]: Layer }; final_layer_norm: { weight: tf.Tensor1D } };
};

/**
 * Differentiable: tokens -> [prompts, tokens, d_model]. Only `hooks.embedTokens` is asked, the layers stay
 * as they are.
 */
export function encodeTokens(
  config: TextEncoderConfig,
  parameters: TextEncoderParameters,
  { ids, lengths }: Tokens,
  hooks?: Hooks,
): tf.Tensor {
  return tf.tidy(() => {
    const tokens = ids[0]!.length;
    const rows = tf.gather(parameters.shared.weight, tf.tensor1d(ids.flat(), 'int32')); // [batch * tokens, d_model]
    const embeddings = tf.reshape(rows, [ids.length, tokens, config.d_model]);
    let x = hooks?.embedTokens?.(ids, embeddings) ?? embeddings;
    const buckets = relativeBuckets(config, tokens);
    const padding = paddingBias(lengths, tokens);
    for (const layer of Object.values(parameters.encoder.block)) x = encoderLayer(config, layer, x, buckets, padding);
    x = rmsNorm(x, parameters.encoder.final_layer_norm.weight, config.layer_norm_epsilon);
    return tf.mul(x, keptTokens(lengths, tokens));
  });
}

/** A batch of prompts of one length, and what gives its special tokens their embeddings. */
interface StreamedText {
  tokens: Tokens;
  hooks?: Pick<Hooks, 'embedTokens'> | undefined;
}

/**
 * The same from a file too large for memory: one layer at a time is read, used for all texts and dropped, and of the embedding table only the
 * rows that occur. What comes of a text depends on no other. -> of each text [prompts, tokens, d_model], owned by the caller
 */
export async function encodeTokensStreaming(
  config: TextEncoderConfig,
  source: TensorSource,
  texts: readonly StreamedText[],
  { signal, onLayer }: { signal?: AbortSignal; onLayer?: (done: number, total: number) => void } = {},
): Promise<tf.Tensor[]> {
  checkShape(source, 'shared.weight', [config.vocab_size, config.d_model]);
  checkShape(source, 'encoder.final_layer_norm.weight', [config.d_model]);
  const streams: TextStream[] = [];
  const arrays = new WeightArrays();
  // A product with a matrix as it is stored is no slower, and moving its axes takes longer than computing with it.
  const specs = new Map([...textLayerSpecs(config)].map(([name, { stored }]) => [name, { stored }]));
  try {
    for (const text of texts) streams.push(await startText(config, source, text));
    for (let index = 0; index < config.num_layers; index++) {
      signal?.throwIfAborted();
      const layer = (await loadParameters(source, specs, {
        prefix: `encoder.block.${index}.`,
        arrays,
      })) as Layer;
      try {
        for (const stream of streams) {
          const next = tf.tidy(() => encoderLayer(config, layer, stream.x, stream.buckets, stream.padding, true));
          stream.x.dispose();
          stream.x = next;
          await next.data(); // so that the layer is no longer needed
        }
      } finally {
        disposeTree(layer);
        arrays.giveAll();
      }
      onLayer?.(index + 1, config.num_layers);
    }
    const scale = await source.readFloats('encoder.final_layer_norm.weight');
    return streams.map(({ x, kept }) =>
      tf.tidy(() => tf.mul(rmsNorm(x, tf.tensor1d(scale), config.layer_norm_epsilon), kept)),
    );
  } finally {
    for (const stream of streams) tf.dispose({ ...stream });
  }
}

/** A text on its way through the layers. */
type TextStream = Awaited<ReturnType<typeof startText>>;

async function startText(config: TextEncoderConfig, source: TensorSource, { tokens, hooks }: StreamedText) {
  const { ids, lengths } = tokens;
  const count = ids[0]!.length;
  const embeddings = await embeddingRows(config, source, ids);
  const x = hooks?.embedTokens?.(ids, embeddings) ?? embeddings; // [prompts, tokens, d_model]
  if (x !== embeddings) embeddings.dispose();
  const buckets = relativeBuckets(config, count);
  return { x, buckets, padding: paddingBias(lengths, count), kept: keptTokens(lengths, count) };
}

async function embeddingRows(config: TextEncoderConfig, source: TensorSource, ids: number[][]): Promise<tf.Tensor> {
  const width = config.d_model;
  const flat = ids.flat();
  const rows = new Map<number, Float32Array>();
  for (const id of flat) if (!rows.has(id)) rows.set(id, await source.readFloats('shared.weight', id * width, width));
  const values = new Float32Array(flat.length * width);
  flat.forEach((id, position) => {
    values.set(rows.get(id)!, position * width);
  });
  return tf.tensor(values, [ids.length, ids[0]!.length, width]);
}

/** x [batch, tokens, d_model], buckets [tokens * tokens], padding [batch, 1, 1, tokens] -> as x. `isStored`: matrices are [out, in]. */
function encoderLayer(
  config: TextEncoderConfig,
  { layer }: Layer,
  x: tf.Tensor,
  buckets: tf.Tensor1D,
  padding: tf.Tensor,
  isStored = false,
): tf.Tensor {
  const dense = (weights: Linear, rows: tf.Tensor) => linear(weights, rows, isStored);
  return tf.tidy(() => {
    const { num_heads: heads, layer_norm_epsilon: epsilon } = config;
    const tokens = x.shape[1]!;
    const { q, k, v, o, relative_attention_bias } = layer[0].SelfAttention;
    const perPair = tf.gather(relative_attention_bias.weight, buckets); // [tokens * tokens, heads]
    const bias = tf.transpose(tf.reshape(perPair, [1, tokens, tokens, heads]), [0, 3, 1, 2]); // [1, heads, tokens, tokens]
    const normed = rmsNorm(x, layer[0].layer_norm.weight, epsilon);
    const attended = attention(dense(q, normed), dense(k, normed), dense(v, normed), {
      heads,
      bias: tf.add(bias, padding), // [batch, heads, tokens, tokens]
      scale: 1, // T5 leaves the scores unscaled
    });
    const hidden = tf.add(x, dense(o, attended));
    const { wi_0, wi_1, wo } = layer[1].DenseReluDense;
    const normed2 = rmsNorm(hidden, layer[1].layer_norm.weight, epsilon);
    return tf.add(hidden, dense(wo, tf.mul(gelu(dense(wi_0, normed2), 'tanh'), dense(wi_1, normed2))));
  });
}

/** Which row of the bias table each pair (query, key) reads -> [tokens * tokens] */
function relativeBuckets(config: TextEncoderConfig, tokens: number): tf.Tensor1D {
  const half = config.relative_attention_num_buckets / 2;
  const exact = half / 2;
  const logSpan = Math.log(config.relative_attention_max_distance / exact);
  const values = new Int32Array(tokens * tokens);
  for (let query = 0; query < tokens; query++) {
    for (let key = 0; key < tokens; key++) {
      const distance = Math.abs(key - query);
      // Half of the buckets are single distances, half are wider and wider (T5, arXiv 1910.10683, section
      // 2.1), in float32 as there.
      const ratio = Math.fround(Math.fround(Math.fround(Math.log(distance / exact)) / logSpan) * (half - exact));
      const bucket = distance < exact ? distance : Math.min(exact + Math.trunc(ratio), half - 1);
      values[query * tokens + key] = bucket + (key > query ? half : 0);
    }
  }
  return tf.tensor1d(values, 'int32');
}

/** Added to the scores, so that no token attends to padding: [batch, 1, 1, tokens] */
function paddingBias(lengths: readonly number[], tokens: number): tf.Tensor {
  const values = lengths.flatMap((length) => Array.from({ length: tokens }, (_, index) => (index < length ? 0 : -1e9)));
  return tf.tensor(values, [lengths.length, 1, 1, tokens]);
}

/** One for tokens that count, zero for padding: [batch, tokens, 1] */
function keptTokens(lengths: readonly number[], tokens: number): tf.Tensor {
  const values = lengths.flatMap((length) => Array.from({ length: tokens }, (_, index) => (index < length ? 1 : 0)));
  return tf.tensor(values, [lengths.length, tokens, 1]);
}
