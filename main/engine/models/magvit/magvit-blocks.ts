import * as tf from '../../backends/tf.ts';
import { type Convolution, convolve3d, sliceFrames } from '../../nn/conv.ts';
import { type Linear, linear } from '../../nn/linear.ts';
import type { Pass } from '../causal-chunks.ts';

/** The parts that encoder and decoder share. Tensors are [batch, channels, frames, height, width]. */

const epsilon = 1e-6;

export type Norm = { weight: tf.Tensor1D; bias: tf.Tensor1D };
export type Block = { norm1: Norm; conv1: Convolution; norm2: Norm; conv2: Convolution };

type Strides = readonly [frames: number, height: number, width: number];

/** 3 x 3 x 3 that sees each frame and the two before it; what lies outside repeats the edge. */
export function causalConvolution(
  pass: Pass,
  path: string,
  layer: Convolution,
  x: tf.Tensor,
  strides: Strides = [1, 1, 1],
): tf.Tensor {
  const first = sliceFrames(x, 0, 1);
  const seen = tf.concat(pass.before ? [pass.before[path]!, x] : [first, first, x], 2);
  pass.after[path] = sliceFrames(seen, seen.shape[2]! - (3 - strides[0]));
  return convolve3d(layer, repeatEdge(repeatEdge(seen, 3), 4), [...strides]);
}

/** The first and the last place of an axis once more: longer by two. */
function repeatEdge(x: tf.Tensor, axis: number): tf.Tensor {
  const edge = (place: number) =>
    tf.slice(
      x,
      x.shape.map((_, i) => (i === axis ? place : 0)),
      x.shape.map((length, i) => (i === axis ? 1 : length)),
    );
  return tf.concat([edge(0), x, edge(x.shape[axis]! - 1)], axis);
}

/** Group norm of each frame alone, without weights: as x. */
function normaliseFrames(x: tf.Tensor, groups: number): tf.Tensor {
  const [batch, channels, frames, height, width] = x.shape as [number, number, number, number, number];
  const apart = tf.reshape(x, [batch, groups, channels / groups, frames, height * width]);
  const centred = tf.sub(apart, tf.mean(apart, [2, 4], true));
  const variance = tf.mean(tf.square(centred), [2, 4], true); // [batch, groups, 1, frames, 1]
  return tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), x.shape);
}

export function frameNorm({ weight, bias }: Norm, x: tf.Tensor, groups: number): tf.Tensor {
  const perChannel = (values: tf.Tensor) => tf.reshape(values, [1, -1, 1, 1, 1]);
  return tf.add(tf.mul(normaliseFrames(x, groups), perChannel(weight)), perChannel(bias));
}

/**
 * Group norm whose scale and shift follow from the latent frame that a frame was made of: from the mean and the deviation of each of its
 * channels. latents [batch, latent channels, n, ...]; x has n frames for each, `times` of them but for the clip's first.
 */
export function adaptiveNorm(
  layer: Linear,
  x: tf.Tensor,
  latents: tf.Tensor,
  { groups, times }: { groups: number; times: number },
): tf.Tensor {
  const [batch, channels, frames] = x.shape as [number, number, number];
  const mean = tf.mean(latents, [3, 4], true);
  const variance = tf.mean(tf.square(tf.sub(latents, mean)), [3, 4]);
  const seen = tf.concat([tf.squeeze(mean, [3, 4]), tf.sqrt(tf.add(variance, epsilon))], 1); // [batch, 2 latent channels, n]
  const given = linear(layer, tf.transpose(seen, [0, 2, 1])); // [batch, n, 2 channels]
  const count = given.shape[1]!;
  const repeated = tf.reshape(tf.tile(tf.reshape(given, [batch, count, 1, 2 * channels]), [1, 1, times, 1]), [
    batch,
    count * times,
    2 * channels,
  ]);
  const own = tf.slice(repeated, [0, count * times - frames, 0], [batch, frames, 2 * channels]);
  const [scale, shift] = tf.split(tf.reshape(tf.transpose(own, [0, 2, 1]), [batch, 2 * channels, frames, 1, 1]), 2, 1);
  return tf.add(tf.mul(normaliseFrames(x, groups), tf.add(scale!, 1)), shift!);
}

export const silu = (x: tf.Tensor) => tf.mul(x, tf.sigmoid(x));

export function residualBlock(pass: Pass, path: string, block: Block, x: tf.Tensor, groups: number): tf.Tensor {
  const hidden = causalConvolution(pass, `${path}.conv1`, block.conv1, silu(frameNorm(block.norm1, x, groups)));
  const change = causalConvolution(pass, `${path}.conv2`, block.conv2, silu(frameNorm(block.norm2, hidden, groups)));
  return tf.add(x, change);
}

/**
 * [batch, channels * f * h * w, n, rows, columns] -> [batch, channels, n * f, rows * h, columns * w]; of what a clip's first frame gives
 * in time only the last stays. Height and width grow alike.
 */
export function depthToSpace(pass: Pass, x: tf.Tensor, [inTime, side]: Strides): tf.Tensor {
  const [batch, values, frames, height, width] = x.shape as [number, number, number, number, number];
  const channels = values / (inTime * side * side);
  const split = tf.reshape(x, [batch * channels, inTime, side * side, frames, height * width]);
  const ordered = tf.transpose(split, [0, 3, 1, 2, 4]); // [batch * channels, frames, inTime, side * side, height * width]
  const squares = tf.reshape(ordered, [-1, side, side, height, width]);
  const spread = tf.transpose(squares, [0, 3, 1, 4, 2]); // [..., height, side, width, side]
  const larger = tf.reshape(spread, [batch, channels, frames * inTime, height * side, width * side]);
  return pass.before ? larger : sliceFrames(larger, inTime - 1);
}
