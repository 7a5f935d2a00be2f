import { describe, expect, test } from 'vitest';
import { attention } from '../../../../main/engine/backends/fused.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { randomValues, relativeError, testDevices, useDevice } from './compare.ts';

const [queries, keys, width] = [4300, 1000, 8];

/** Output and gradients of the attention of some of the queries. */
async function attend(start: number, count: number): Promise<Float32Array[]> {
  const random = (rows: number, seed: number) => tf.tensor(randomValues(rows * width, seed), [1, rows, width]);
  const [q, k, v, upstream] = [random(queries, 1), random(keys, 2), random(keys, 3), random(queries, 4)];
  const bias = tf.slice(tf.tensor(randomValues(queries, 5), [1, 1, queries, 1]), [0, 0, start, 0], [1, 1, count, 1]);
  const rows = (x: tf.Tensor) => tf.slice(x, [0, start, 0], [1, count, width]);
  const run = (...inputs: tf.Tensor[]) => attention(inputs[0]!, inputs[1]!, inputs[2]!, { heads: 2, bias });
  const inputs = [rows(q), k, v];
  const gradients = tf.grads((...given) => tf.sum(tf.mul(run(...given), rows(upstream))))(inputs);
  return Promise.all([run(...inputs), ...gradients].map(async (tensor) => Float32Array.from(await tensor.data())));
}

const devices = await testDevices();

describe('attention of so many queries that it goes through them in chunks', () => {
  for (const device of devices)
    test(`is on ${device} that of its parts`, async () => {
      await useDevice(device);
      const whole = await attend(0, queries);
      const parts = [await attend(0, 2000), await attend(2000, 2300)];
      const joined = (index: number) => Float32Array.of(...parts[0]![index]!, ...parts[1]![index]!);
      const added = (index: number) => parts[0]![index]!.map((value, i) => value + parts[1]![index]![i]!);
      const expected = [joined(0), joined(1), added(2), added(3)];
      const tolerance = device === 'openvino' ? 2e-2 : 1e-5;
      for (const [index, values] of expected.entries())
        expect(relativeError(whole[index]!, values), `tensor ${index}`).toBeLessThan(tolerance);
    });
});
