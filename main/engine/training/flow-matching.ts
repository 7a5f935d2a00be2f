import * as tf from '../backends/tf.ts';
import type { Random } from '../nn/random.ts';

/**
 * Flow matching (Lipman et al., arXiv 2210.02747) along straight lines: x_s = (1 - s) clean + s noise, and the model predicts
 * the velocity noise - clean. s runs from 0 (clean) to 1 (noise).
 */

/** How noise levels are drawn for training. */
export type NoiseLevels = {
  distribution: 'uniform' | 'logit-normal';
  /** Pushes levels towards noise, as the sampler's shift does: s -> shift s / (1 + (shift - 1) s). */
  shift: number;
};

/** `count` noise levels in (0, 1). */
export function drawNoiseLevels(random: Random, count: number, { distribution, shift }: NoiseLevels): number[] {
  const levels =
    distribution === 'uniform'
      ? Array.from({ length: count }, () => random.uniform())
      : Array.from(random.normals(count), (value) => 1 / (1 + Math.exp(-value)));
  return levels.map((level) => Math.fround((shift * level) / (1 + (shift - 1) * level)));
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
