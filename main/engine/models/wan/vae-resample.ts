import * as tf from '../../backends/tf.ts';
import { type Convolution, convolve3d, padSpace, sliceFrames } from '../../nn/conv.ts';
import type { Pass } from '../causal-chunks.ts';
import { causalConvolution } from './vae-blocks.ts';
import type { StagePlan } from './vae-config.ts';

/**
 * Changes of resolution. Tensors are [batch, channels, frames, height, width]. The very first frame of a clip has no temporal
 * neighbours and bypasses every change in time, so that a clip of 1 + 4 k frames has 1 + k latent frames and a picture has one.
 */

export type Resample = { resample: { 1: Convolution }; time_conv?: Convolution };

/** Halves height and width, and with `time_conv` the frames after the first. */
export function downsample(pass: Pass, path: string, { resample, time_conv }: Resample, x: tf.Tensor): tf.Tensor {
  const smaller = convolve3d(resample[1], padSpace(x, 0, 1), [1, 2, 2]);
  if (!time_conv) return smaller;
  const previous = pass.before?.[path];
  pass.after[path] = sliceFrames(smaller, smaller.shape[2]! - 1);
  if (previous) return convolve3d(time_conv, tf.concat([previous, smaller], 2), [2, 1, 1]);
  const first = sliceFrames(smaller, 0, 1);
  return smaller.shape[2] === 1 ? first : tf.concat([first, convolve3d(time_conv, smaller, [2, 1, 1])], 2);
}

/** Doubles height and width, and with `time_conv` the frames after the first. */
export function upsample(pass: Pass, path: string, { resample, time_conv }: Resample, x: tf.Tensor): tf.Tensor {
  const longer = time_conv ? doubleFrames(pass, path, time_conv, x) : x;
  return convolve3d(resample[1], padSpace(enlarge(longer, 2), 1, 1));
}

/** Every pixel becomes a square: [batch, channels, frames, height, width] -> [..., factor * height, factor * width] */
function enlarge(x: tf.Tensor, factor: number): tf.Tensor {
  const [batch, channels, frames, height, width] = x.shape as [number, number, number, number, number];
  const spread = tf.tile(tf.reshape(x, [batch * channels * frames, height, 1, width, 1]), [1, 1, factor, 1, factor]);
  return tf.reshape(spread, [batch, channels, frames, factor * height, factor * width]);
}

/** [batch, channels, n, ...] -> [batch, channels, 2 n, ...], in the first chunk 1 + 2 (n - 1) */
function doubleFrames(pass: Pass, path: string, layer: Convolution, x: tf.Tensor): tf.Tensor {
  const first = pass.before ? undefined : sliceFrames(x, 0, 1);
  const rest = first ? sliceFrames(x, 1) : x;
  const [batch, channels, frames, height, width] = rest.shape as [number, number, number, number, number];
  if (frames === 0) {
    pass.after[path] = tf.zeros([batch, channels, 2, height, width]);
    return x;
  }
  // The history of this layer begins after the first frame, unlike that of all others.
  const pairs = causalConvolution(pass, path, layer, rest); // [batch, 2 * channels, frames, ...]
  const apart = tf.transpose(tf.reshape(pairs, [batch, 2, channels, frames, height * width]), [0, 2, 3, 1, 4]);
  const doubled = tf.reshape(apart, [batch, channels, 2 * frames, height, width]);
  return first ? tf.concat([first, doubled], 2) : doubled;
}

type Shortcut = NonNullable<StagePlan['shortcut']>;

/**
 * Averages blocks of frames, rows, columns and channels (AvgDown3D): [batch, in, f, h, w] -> [batch, out, f / ft, h / fs, w / fs].
 * Written as a convolution with a fixed kernel, which costs two hundredths of the stage that it bypasses.
 */
export function averageDown({ inSize, outSize, timeFactor, spaceFactor }: Shortcut, x: tf.Tensor): tf.Tensor {
  if (inSize === outSize && timeFactor * spaceFactor === 1) return x;
  const values = timeFactor * spaceFactor * spaceFactor; // per channel and step
  const group = (inSize * values) / outSize;
  const kernel = new Float32Array(outSize * inSize * values);
  for (let source = 0; source < inSize * values; source++)
    kernel[Math.floor(source / group) * inSize * values + source] = 1 / group;
  const missing = (timeFactor - (x.shape[2]! % timeFactor)) % timeFactor;
  const padded = missing
    ? tf.pad(x, [
        [0, 0],
        [0, 0],
        [missing, 0],
        [0, 0],
        [0, 0],
      ])
    : x;
  const weight = tf.tensor5d(kernel, [outSize, inSize, timeFactor, spaceFactor, spaceFactor]);
  return convolve3d({ weight, bias: tf.zeros([outSize]) }, padded, [timeFactor, spaceFactor, spaceFactor]);
}

/** Spreads channels over frames, rows and columns (DupUp3D), the inverse arrangement; the first chunk starts with a single frame. */
export function duplicateUp(
  pass: Pass,
  { inSize, outSize, timeFactor, spaceFactor }: Shortcut,
  x: tf.Tensor,
): tf.Tensor {
  const [batch, , frames, height, width] = x.shape as [number, number, number, number, number];
  const values = timeFactor * spaceFactor * spaceFactor;
  const repeats = (outSize * values) / inSize;
  if (repeats === values) {
    // Every value fills a block of its own channel.
    const skipped = pass.before ? 0 : timeFactor - 1;
    const times = Int32Array.from({ length: frames * timeFactor - skipped }, (_, index) =>
      Math.floor((index + skipped) / timeFactor),
    );
    return enlarge(timeFactor === 1 ? x : tf.gather(x, tf.tensor1d(times, 'int32'), 2), spaceFactor);
  }
  const sources = Int32Array.from({ length: outSize * values }, (_, index) => Math.floor(index / repeats));
  const chosen = tf.gather(x, tf.tensor1d(sources, 'int32'), 1); // [batch, out * values, frames, height, width]
  const split = tf.reshape(chosen, [batch * outSize, timeFactor, spaceFactor * spaceFactor, frames, height * width]);
  const inTime = tf.transpose(split, [0, 3, 1, 2, 4]); // [batch * out, frames, ft, fs * fs, height * width]
  const squares = tf.reshape(inTime, [-1, spaceFactor, spaceFactor, height, width]);
  const inSpace = tf.transpose(squares, [0, 3, 1, 4, 2]); // [..., height, fs, width, fs]
  const larger = tf.reshape(inSpace, [batch, outSize, frames * timeFactor, height * spaceFactor, width * spaceFactor]);
  return pass.before ? larger : sliceFrames(larger, timeFactor - 1);
}
