import { attention, gelu, layerNorm } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { convolve2d, type PictureConvolution } from '../../nn/conv.ts';
import { type Linear, linear } from '../../nn/linear.ts';
import type { JudgeConfig } from './judge-config.ts';

type Norm = { weight: tf.Tensor1D; bias: tf.Tensor1D };
type Convolution = { conv: PictureConvolution; norm: Norm };
type Block = { norm1: Norm; norm2: Norm; qkv: Linear; out: Linear; up: Linear; down: Linear };
type Blocks = { [index: string]: Block };

export type JudgeParameters = {
  stages: { [index: string]: { into: Convolution; residuals?: { [index: string]: Convolution } } };
  space?: Blocks;
  frame_pool: Linear;
  frame_norm: Norm;
  frame_embedding: Linear;
  time_position: tf.Tensor2D;
  time?: Blocks;
  video_pool: Linear;
  video_norm: Norm;
  video_embedding: Linear;
  heads: { [attribute: string]: Linear };
  tokens: { weight: tf.Tensor2D };
  text_position: tf.Tensor2D;
  text?: Blocks;
  text_norm: Norm;
  text_embedding: Linear;
  log_scale: tf.Scalar;
};

/** Prepared pictures [frames, height, width, 17] -> a vector per frame [frames, width] */
export function frameVectors(config: JudgeConfig, parameters: JudgeParameters, pictures: tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => {
    let x: tf.Tensor4D = pictures;
    for (const [index, { into, residuals }] of Object.entries(parameters.stages)) {
      x = convolve(config, into, x, config.stages[Number(index)]!.stride);
      for (const residual of Object.values(residuals ?? {})) x = tf.add(x, convolve(config, residual, x, 1));
    }
    const [frames, height, width, channels] = x.shape;
    const places = tf.reshape(x, [frames, height * width, channels]); // [frames, places, width]
    const mixed = runBlocks(config, parameters.space, places);
    return normalise(config, parameters.frame_norm, pool(parameters.frame_pool, mixed)) as tf.Tensor2D;
  });
}

/** Frame vectors [frames, width] -> one vector of the clip [1, width] */
export function videoVector(config: JudgeConfig, parameters: JudgeParameters, frames: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const [count, width] = frames.shape;
    const positioned = tf.add(frames, tf.slice(parameters.time_position, [0, 0], [count, width]));
    const mixed = runBlocks(config, parameters.time, tf.reshape(positioned, [1, count, width]));
    return normalise(config, parameters.video_norm, pool(parameters.video_pool, mixed)) as tf.Tensor2D;
  });
}

/** Token ids and how many of each row count -> unit vectors [prompts, embedding] */
export function textVectors(
  config: JudgeConfig,
  parameters: JudgeParameters,
  ids: readonly (readonly number[])[],
  lengths: readonly number[],
): tf.Tensor2D {
  return tf.tidy(() => {
    const [rows, tokens, width] = [ids.length, ids[0]!.length, config.width];
    const kept = ids.flatMap((_, row) => Array.from({ length: tokens }, (__, i) => (i < lengths[row]! ? 1 : 0)));
    const mask = tf.tensor(kept, [rows, tokens, 1], 'float32');
    const bias = tf.reshape(tf.mul(tf.sub(mask, 1), 1e9), [rows, 1, 1, tokens]);
    const embedded = tf.reshape(tf.gather(parameters.tokens.weight, tf.tensor1d(ids.flat(), 'int32')), [
      rows,
      tokens,
      width,
    ]);
    const positioned = tf.add(embedded, tf.slice(parameters.text_position, [0, 0], [tokens, width]));
    const mixed = runBlocks(config, parameters.text, positioned, bias);
    const mean = tf.div(tf.sum(tf.mul(mixed, mask), 1), tf.sum(mask, 1)); // [rows, width]
    return unit(linear(parameters.text_embedding, normalise(config, parameters.text_norm, mean))) as tf.Tensor2D;
  });
}

/** x [..., size] -> the same directions, each of length 1 */
export function unit(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.div(x, tf.maximum(tf.sqrt(tf.sum(tf.square(x), -1, true)), 1e-12)));
}

/** x [batch, n, width] -> its mean and its maximum over n, mixed [batch, width] */
function pool(mixing: Linear, x: tf.Tensor): tf.Tensor {
  return linear(mixing, tf.concat([tf.mean(x, 1), tf.max(x, 1)], -1));
}

/** x [frames, height, width, in] -> [frames, ceil(height / stride), ceil(width / stride), out] */
export function convolve(
  { layerNormEpsilon }: Pick<JudgeConfig, 'layerNormEpsilon'>,
  { conv, norm }: Convolution,
  x: tf.Tensor,
  stride: number,
): tf.Tensor4D {
  return gelu(layerNorm(convolve2d(conv, x, stride), norm.weight, norm.bias, layerNormEpsilon)) as tf.Tensor4D;
}

function normalise({ layerNormEpsilon }: JudgeConfig, { weight, bias }: Norm, x: tf.Tensor): tf.Tensor {
  return layerNorm(x, weight, bias, layerNormEpsilon);
}

/**
 * x [batch, tokens, width] -> as x; pre-norm attention over all tokens and a feed-forward with exact GELU,
 * one after the other.
 */
function runBlocks(config: JudgeConfig, blocks: Blocks | undefined, input: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  let x = input;
  for (const { norm1, norm2, qkv, out, up, down } of Object.values(blocks ?? {})) {
    const [q, k, v] = tf.split(linear(qkv, normalise(config, norm1, x)), 3, 2) as [tf.Tensor, tf.Tensor, tf.Tensor];
    x = tf.add(x, linear(out, attention(q, k, v, { heads: config.heads, bias })));
    x = tf.add(x, linear(down, gelu(linear(up, normalise(config, norm2, x)))));
  }
  return x;
}
