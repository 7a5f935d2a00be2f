import { attention, gelu, layerNorm } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { type Linear, linear } from '../../nn/linear.ts';
import { sinusoids } from '../../nn/positions.ts';
import type { Grid } from './twin-config.ts';
import type { BlockParameters, Norm, QFormerParameters } from './twin-parameters.ts';

/** Parts of VidTwin's encoder and decoder. Tokens are [batch, frames, places, hidden], places row by row; pictures [n, rows, columns, channels]. */

/** Of the blocks and of the norms behind encoder and decoder. */
export const blockEpsilon = 1e-6;
const queryEpsilon = 1e-5;

/**
 * [frames, places, size], computed: S(n, d) are the sines of n / 10000^(i / (d / 2)), then the cosines. A token has S(column) in
 * the first half of its channels and S(row) in the second, and S(frame) added over all.
 */
export function tokenPositions(frames: number, [rows, columns]: Grid, size: number): tf.Tensor3D {
  const [time, down, across] = [sinusoids(frames, size), sinusoids(rows, size / 2), sinusoids(columns, size / 2)];
  const values = new Float32Array(frames * rows * columns * size);
  let offset = 0;
  for (let frame = 0; frame < frames; frame++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        for (const [half, place] of [across[column]!, down[row]!].entries())
          for (let i = 0; i < size / 2; i++)
            values[offset++] = Math.fround(Math.fround(place[i]!) + Math.fround(time[frame]![(half * size) / 2 + i]!));
  return tf.tensor3d(values, [frames, rows * columns, size]);
}

/** [1, 1, frames, frames]: what attention over time adds so that a frame sees no later one. */
export function causalBias(frames: number): tf.Tensor4D {
  const values = Float32Array.from({ length: frames * frames }, (_, index) =>
    index % frames > Math.floor(index / frames) ? -1e9 : 0,
  );
  return tf.tensor4d(values, [1, 1, frames, frames]);
}

export interface BlockContext {
  heads: number;
  /** From `causalBias`, where attention over time is causal. */
  bias: tf.Tensor | undefined;
}

/** Attention over a frame's places, over a place's frames, and a feed-forward. x [batch, frames, places, size] -> as x */
export function twinBlock(parameters: BlockParameters, x: tf.Tensor, { heads, bias }: BlockContext): tf.Tensor {
  return tf.tidy(() => {
    const [batch, frames, places, size] = x.shape as [number, number, number, number];
    const [shift, scale, gate, shift2, scale2, gate2] = tf.unstack(parameters.modulation) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ]; // each [size]
    const normed = (y: tf.Tensor) => layerNorm(y, undefined, undefined, blockEpsilon);

    const modulated = tf.add(tf.mul(normed(x), tf.add(scale, 1)), shift);
    const inSpace = selfAttention(parameters.space_qkv, tf.reshape(modulated, [batch * frames, places, size]), heads);
    const spatial = tf.add(x, tf.mul(gate, tf.reshape(linear(parameters.space_out, inSpace), x.shape)));

    const sequences = tf.reshape(tf.transpose(normed(spatial), [0, 2, 1, 3]), [batch * places, frames, size]);
    const inTime = linear(parameters.time_out, selfAttention(parameters.time_qkv, sequences, heads, bias));
    const back = tf.transpose(tf.reshape(inTime, [batch, places, frames, size]), [0, 2, 1, 3]);
    const temporal = tf.add(spatial, tf.mul(gate, back));

    const modulated2 = tf.add(tf.mul(normed(temporal), tf.add(scale2, 1)), shift2);
    const output = linear(parameters.down, gelu(linear(parameters.up, modulated2), 'tanh'));
    return tf.add(temporal, tf.mul(gate2, output));
  });
}

/** x [n, tokens, size] -> as x, before its output layer */
function selfAttention(qkv: Linear, x: tf.Tensor, heads: number, bias?: tf.Tensor): tf.Tensor {
  const [q, k, v] = tf.split(linear(qkv, x), 3, 2) as [tf.Tensor, tf.Tensor, tf.Tensor];
  return attention(q, k, v, { heads, ...(bias ? { bias } : {}) });
}

/**
 * Learned queries that read sequences: tokens [n, length, hidden] -> [n, queries, width]. Each layer has its norm behind its sum, and
 * every other one, from the first on, reads the tokens. What comes before the first reading is the same for all sequences, and is
 * computed once.
 */
export function qFormer(parameters: QFormerParameters, tokens: tf.Tensor, heads: number): tf.Tensor {
  return tf.tidy(() => {
    const [count] = tokens.shape as [number];
    const [queries, width] = parameters.queries.shape;
    let x: tf.Tensor = tf.reshape(normalise(parameters.norm, parameters.queries), [1, queries, width]);
    for (const layer of Object.values(parameters.layers)) {
      const own = linear(layer.out, selfAttention(layer.qkv, x, heads));
      x = normalise(layer.norm1, tf.add(x, own));
      if (layer.cross_q && layer.cross_kv && layer.cross_out && layer.norm2) {
        const q = linear(layer.cross_q, x);
        const [k, v] = tf.split(linear(layer.cross_kv, tokens), 2, 2) as [tf.Tensor, tf.Tensor];
        const each = q.shape[0] === count ? q : tf.tile(q, [count, 1, 1]);
        x = normalise(layer.norm2, tf.add(x, linear(layer.cross_out, attention(each, k, v, { heads }))));
      }
      x = normalise(layer.norm3, tf.add(x, linear(layer.down, gelu(linear(layer.up, x)))));
    }
    return x.shape[0] === count ? x : tf.tile(x, [count, 1, 1]);
  });
}

function normalise({ weight, bias }: Norm, x: tf.Tensor): tf.Tensor {
  return layerNorm(x, weight, bias, queryEpsilon);
}

/** A linear layer over the second axis: x [batch, n, places, size] -> [batch, m, places, size] */
export function linearOverSequence({ weight, bias }: Linear, x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [batch, length, places, size] = x.shape as [number, number, number, number];
    const first = tf.reshape(tf.transpose(x, [1, 0, 2, 3]), [length, batch * places * size]);
    const mixed = tf.matMul(weight, first as tf.Tensor2D, true); // [m, batch * places * size]
    const moved = bias ? tf.add(mixed, tf.reshape(bias, [-1, 1])) : mixed;
    return tf.transpose(tf.reshape(moved, [weight.shape[1], batch, places, size]), [1, 0, 2, 3]);
  });
}

/** Every row and every column twice; a line (columns = 1) its places alone. x [n, rows, columns, channels] -> larger */
export function double(x: tf.Tensor, axes: 'both' | 'rows' = 'both'): tf.Tensor {
  return tf.tidy(() => {
    const [count, rows, columns, channels] = x.shape as [number, number, number, number];
    const tall = tf.tile(tf.reshape(x, [count * rows, 1, columns * channels]), [1, 2, 1]);
    if (axes === 'rows') return tf.reshape(tall, [count, 2 * rows, columns, channels]);
    const wide = tf.tile(tf.reshape(tall, [count * 2 * rows * columns, 1, channels]), [1, 2, 1]);
    return tf.reshape(wide, [count, 2 * rows, 2 * columns, channels]);
  });
}

/** The middle of pictures that doubling made too large. x [n, rows, columns, channels] -> [n, ...grid, channels] */
export function centre(x: tf.Tensor, [rows, columns]: Grid): tf.Tensor {
  const [count, height, width, channels] = x.shape as [number, number, number, number];
  if (height === rows && width === columns) return x;
  const [top, left] = [Math.floor((height - rows) / 2), Math.floor((width - columns) / 2)];
  return tf.slice(x, [0, top, left, 0], [count, rows, columns, channels]);
}
