import { attention, rmsNorm } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { type Convolution, convolve3d, padSpace, sliceFrames } from '../../nn/conv.ts';
import { type Linear, linear } from '../../nn/linear.ts';
import type { Pass } from '../causal-chunks.ts';

/** The parts that encoder and decoder share. Tensors are [batch, channels, frames, height, width]. */

export type ResidualBlock = {
  norm1: { gamma: tf.Tensor4D }; // [channels, 1, 1, 1]
  conv1: Convolution;
  norm2: { gamma: tf.Tensor4D };
  conv2: Convolution;
  conv_shortcut?: Convolution;
};

type AttentionBlock = { norm: { gamma: tf.Tensor1D }; to_qkv: Linear; proj: Linear };

export type MiddleBlock = { resnets: { 0: ResidualBlock; 1: ResidualBlock }; attentions: { 0: AttentionBlock } };

/** Convolution that sees each frame and the two before it (zeros before the first), as a window of 3 x 3 x 3 or 3 x 1 x 1. */
export function causalConvolution(pass: Pass, path: string, layer: Convolution, x: tf.Tensor): tf.Tensor {
  const [, , reach, height] = layer.weight.shape;
  if (reach === 1) return convolve3d(layer, x);
  const padded = withHistory(pass.before?.[path], x, reach - 1);
  pass.after[path] = sliceFrames(padded, padded.shape[2]! - (reach - 1));
  const border = (height - 1) / 2;
  return convolve3d(layer, padSpace(padded, border, border));
}

/** x with the `count` frames before it, zeros where nothing was: -> [batch, channels, count + frames, height, width] */
function withHistory(before: tf.Tensor | undefined, x: tf.Tensor, count: number): tf.Tensor {
  if (before) return tf.concat([before, x], 2);
  return tf.pad(x, [
    [0, 0],
    [0, 0],
    [count, 0],
    [0, 0],
    [0, 0],
  ]);
}

/** Divides each pixel's channels by their root mean square: as x. */
export function channelNorm({ gamma }: { gamma: tf.Tensor4D }, x: tf.Tensor): tf.Tensor {
  const squares = tf.sum(tf.square(x), 1, true); // [batch, 1, frames, height, width]
  const inverse = tf.rsqrt(tf.maximum(squares, 1e-24));
  // Of as many axes as x: OpenVINO then computes it in the order in memory that convolutions have, without moving every value twice.
  const scale = tf.reshape(tf.mul(gamma, Math.sqrt(x.shape[1]!)), [1, -1, 1, 1, 1]);
  return tf.mul(tf.mul(x, inverse), scale);
}

export function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x));
}

/** x [batch, in, frames, height, width] -> [batch, out, frames, height, width] */
export function residualBlock(pass: Pass, path: string, block: ResidualBlock, x: tf.Tensor): tf.Tensor {
  const hidden = causalConvolution(pass, `${path}.conv1`, block.conv1, silu(channelNorm(block.norm1, x)));
  const change = causalConvolution(pass, `${path}.conv2`, block.conv2, silu(channelNorm(block.norm2, hidden)));
  return tf.add(change, block.conv_shortcut ? convolve3d(block.conv_shortcut, x) : x);
}

/** Attention of one head among the pixels of each frame: as x. */
function attentionBlock({ norm, to_qkv, proj }: AttentionBlock, x: tf.Tensor): tf.Tensor {
  const [batch, channels, frames, height, width] = x.shape as [number, number, number, number, number];
  const pixels = tf.reshape(tf.transpose(x, [0, 2, 3, 4, 1]), [batch * frames, height * width, channels]);
  const qkv = linear(to_qkv, rmsNorm(pixels, norm.gamma, 1e-24));
  const [q, k, v] = tf.split(qkv, 3, 2) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const attended = linear(proj, attention(q, k, v, { heads: 1 }));
  const grid = tf.reshape(attended, [batch, frames, height, width, channels]);
  return tf.add(x, tf.transpose(grid, [0, 4, 1, 2, 3]));
}

export function middleBlock(pass: Pass, path: string, { resnets, attentions }: MiddleBlock, x: tf.Tensor): tf.Tensor {
  const first = residualBlock(pass, `${path}.resnets.0`, resnets[0], x);
  return residualBlock(pass, `${path}.resnets.1`, resnets[1], attentionBlock(attentions[0], first));
}
