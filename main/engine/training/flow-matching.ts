import * as tf from '../backends/tf.ts';
import type { Random } from '../nn/random.ts';

/**
 * Flow matching (Lipman et al., arXiv 2210.02747) along straight lines: x_s = (1 - s) clean + s noise, and the model predicts
 * the velocity noise - clean. s runs from 0 (clean) to 1 (noise).
 */

/** How noise levels are drawn for training. */
export type NoiseLevels = {
  distribution: 'uniform' | 'logit-normal' | 'coarse';
  /** Pushes levels towards noise, as the sampler's shift does: s -> shift s / (1 + (shift - 1) s). */
  shift: number;
  /** Levels are below this, where another transformer has the rest (Wan 2.2); unless given, all of them. */
  below?: number;
};

/** `count` noise levels in (0, 1). */
export function drawNoiseLevels(random: Random, count: number, { below, ...levels }: NoiseLevels): number[] {
  const drawn = drawLevels(random, count, levels);
  if (below === undefined) return drawn;
  for (let round = 0; round < 1000 && drawn.some((level) => level >= below); round++)
    for (let index = 0; index < count; index++)
      if (drawn[index]! >= below) drawn[index] = drawLevels(random, 1, levels)[0]!;
  return drawn.map((level) => (level >= below ? Math.fround(below * level) : level)); // practically never
}

function drawLevels(random: Random, count: number, { distribution, shift }: NoiseLevels): number[] {
  const levels =
    distribution === 'logit-normal'
      ? Array.from(random.normals(count), (value) => 1 / (1 + Math.exp(-value)))
      : Array.from({ length: count }, () => (distribution === 'coarse' ? coarse(random.uniform()) : random.uniform()));
  return levels.map((level) => Math.fround((shift * level) / (1 + (shift - 1) * level)));
}

/** The level at which the density 1 - cos(pi s) / 2 has the share u below it: s - sin(pi s) / (2 pi) = u, by Newton's method. */
function coarse(u: number): number {
  let s = u;
  for (let round = 0; round < 8; round++)
    s -= (s - Math.sin(Math.PI * s) / (2 * Math.PI) - u) / (1 - Math.cos(Math.PI * s) / 2);
  return Math.min(1 - 1e-6, Math.max(1e-6, s));
}

/** clean, noise [batch, channels, frames, height, width], level [batch, 1, 1, 1, 1] -> the noisy latents, as clean */
export function addNoise(clean: tf.Tensor, noise: tf.Tensor, level: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(clean, tf.sub(1, level)), tf.mul(noise, level));
}

/** The clean latents that a predicted velocity points to. All as in `addNoise`. */
export function predictedClean(noisy: tf.Tensor, velocity: tf.Tensor, level: tf.Tensor): tf.Tensor {
  return tf.sub(noisy, tf.mul(velocity, level));
}

/** Mean squared error of the velocity, each row counted `weight` [batch, 1, 1, 1, 1] times -> scalar */
export function velocityLoss(velocity: tf.Tensor, clean: tf.Tensor, noise: tf.Tensor, weight: tf.Tensor): tf.Scalar {
  const error = tf.sub(velocity, tf.sub(noise, clean));
  return tf.mean(tf.mul(tf.square(error), weight)) as tf.Scalar;
}

/**
 * The same without what all frames share (MotionDirector, arXiv 2310.08465): with e the error and e_j that of the row's anchor frame, the
 * mean of (sqrt(2) e_i - e_j)^2. anchor [batch, 1, frames, 1, 1] is 1 at that frame, else 0.
 */
export function debiasedLoss(
  velocity: tf.Tensor,
  { clean, noise, weight, anchor }: { clean: tf.Tensor; noise: tf.Tensor; weight: tf.Tensor; anchor: tf.Tensor },
): tf.Scalar {
  const error = tf.sub(velocity, tf.sub(noise, clean));
  const anchored = tf.sum(tf.mul(error, anchor), 2, true); // [batch, channels, 1, height, width]
  return tf.mean(tf.mul(tf.square(tf.sub(tf.mul(error, Math.SQRT2), anchored)), weight)) as tf.Scalar;
}
