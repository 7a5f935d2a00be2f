import * as tf from '../backends/tf.ts';
import { Random } from '../nn/random.ts';

/** Standard normal noise [seeds, ...], each clip's from its own seed. */
export function seededNoise(seeds: readonly number[], shape: readonly number[]): tf.Tensor {
  return drawNoise(
    seeds.map((seed) => new Random(seed)),
    shape,
  );
}

/** The same from streams that go on. */
export function drawNoise(randoms: readonly Random[], shape: readonly number[]): tf.Tensor {
  if (randoms.length !== shape[0]) throw new Error(`expected ${shape[0]} seeds, found ${randoms.length}`);
  const size = shape.slice(1).reduce((product, length) => product * length, 1);
  const values = new Float32Array(randoms.length * size);
  randoms.forEach((random, index) => {
    values.set(random.normals(size), index * size);
  });
  return tf.tensor(values, [...shape]);
}
