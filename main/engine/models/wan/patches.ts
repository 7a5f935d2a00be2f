import * as tf from '../../backends/tf.ts';

/** A size of latents, of patches or of the grid of tokens. */
export type Extent = readonly [frames: number, height: number, width: number];

/**
 * [batch, channels, frames, height, width] -> [batch, tokens, channels * patch], the values of a patch in
 * (channel, frame, row, column) order. Two transpositions of at most 6 axes, the most that TensorFlow.js'
 * backends take.
 */
export function patchify(latents: tf.Tensor, [pt, ph, pw]: Extent): tf.Tensor {
  const [batch, channels, frames, height, width] = latents.shape as [number, number, number, number, number];
  const [t, h, w] = [frames / pt, height / ph, width / pw];
  const split = tf.reshape(latents, [batch * channels * t, pt, h, ph, w, pw]);
  const gathered = tf.transpose(split, [0, 2, 4, 1, 3, 5]); // [batch * channels * t, h, w, pt, ph, pw]
  const planes = tf.reshape(gathered, [batch, channels, t * h * w, pt * ph * pw]);
  return tf.reshape(tf.transpose(planes, [0, 2, 1, 3]), [batch, t * h * w, channels * pt * ph * pw]);
}

/**
 * [batch, tokens, patch * channels], a patch in (frame, row, column, channel) order -> [batch, channels,
 * frames, height, width]
 */
export function unpatchify(tokens: tf.Tensor, [pt, ph, pw]: Extent, [t, h, w]: Extent): tf.Tensor {
  const [batch, , values] = tokens.shape as [number, number, number];
  const channels = values / (pt * ph * pw);
  const planes = tf.transpose(tf.reshape(tokens, [batch, t * h * w * pt * ph * pw, channels]), [0, 2, 1]);
  const split = tf.reshape(planes, [batch * channels * t, h, w, pt, ph, pw]);
  const joined = tf.transpose(split, [0, 3, 1, 4, 2, 5]); // [batch * channels * t, pt, h, ph, w, pw]
  return tf.reshape(joined, [batch, channels, t * pt, h * ph, w * pw]);
}
