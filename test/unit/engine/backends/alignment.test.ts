import { beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { Random } from '../../../../main/engine/nn/random.ts';

beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime' });
});

const [rows, columns] = [303, 64];
const values = new Random(1).normals(rows * columns);

const sums: [string, (x: tf.Tensor) => tf.Tensor][] = [
  ['the sum of all', (x) => tf.sum(x)],
  ['the sums of rows', (x) => tf.sum(tf.reshape(x, [rows, columns]), 1)],
  ['the means of rows', (x) => tf.mean(tf.reshape(x, [rows, columns]), 1)],
];

test.each(sums)('%s is the same to the bit wherever in memory the values lie', async (_name, sum) => {
  const found = new Set<string>();
  for (let offset = 0; offset < 16; offset++) {
    const memory = new Float32Array(values.length + 16);
    memory.set(values, offset);
    const x = tf.tensor(memory.subarray(offset, offset + values.length));
    const result = tf.tidy(() => sum(x));
    found.add((await result.data()).join());
    tf.dispose([x, result]);
  }
  expect(found.size).toBe(1);
});
