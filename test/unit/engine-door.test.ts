import '@tensorflow/tfjs-backend-cpu/dist/index.js';
import { expect, it } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';

it('has gradients registered', async () => {
  await tf.setBackend('cpu');
  const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(x)));
  expect([...(await gradient(tf.tensor1d([1, 2, 3])).data())]).toEqual([2, 4, 6]);
});
