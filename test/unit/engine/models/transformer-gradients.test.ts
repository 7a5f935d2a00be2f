import { beforeAll, describe, expect, test } from 'vitest';
import { hooksOf, type LowRank } from '../../../../main/engine/adapters/additions.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { timeFeatures, wanTransformer } from '../../../../main/engine/models/wan/transformer.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { toyTransformer } from './toy-transformer.ts';

describe.each(['cpu', 'onnxruntime'] as const)('gradients through the transformer on %s', (device) => {
  beforeAll(async () => {
    await selectBackend({ device });
  });

  const random = new Random(3);
  const make = (...shape: [number, number]) => random.normals(shape[0] * shape[1]);
  const values = { basis: make(12, 2), coefficients: make(2, 12) };

  /** Loss and its gradients with respect to a low-rank change of one layer. */
  function gradients(options: { recompute?: boolean; together?: boolean }, shift = 0): Promise<number[][]> {
    const { config, parameters } = toyTransformer();
    const inputs = {
      latents: tf.tensor(new Random(1).normals(64), [1, 4, 2, 2, 4]),
      text: tf.tensor(new Random(2).normals(15), [1, 3, 5]),
      timestep: timeFeatures(config, [400]),
    };
    const basis = tf.tensor2d(
      values.basis.map((value, index) => value + (index === 5 ? shift : 0)),
      [12, 2],
    );
    const coefficients = tf.tensor2d(values.coefficients, [2, 12]);
    const loss = (a: tf.Tensor, b: tf.Tensor) => {
      const change = { basis: a, coefficients: b, side: 'output' } as LowRank;
      const hooks = hooksOf([{ lowRank: new Map([['blocks.0.attn1.to_v', change]]) }]);
      return tf.mean(tf.square(wanTransformer(config, parameters, inputs, { hooks, ...options }))) as tf.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(loss)([basis, coefficients]);
    return Promise.all([value, ...grads].map(async (tensor) => Array.from(await tensor.data())));
  }

  const largestDifference = (a: number[][], b: number[][]) =>
    Math.max(...a.flatMap((row, index) => row.map((value, place) => Math.abs(value - b[index]![place]!))));

  test('agree with finite differences', async () => {
    const [[up], [down], analytic] = [await gradients({}, 0.01), await gradients({}, -0.01), await gradients({})];
    expect((up![0]! - down![0]!) / 0.02).toBeCloseTo(analytic[1]![5]!, 3);
    expect(Math.abs(analytic[1]![5]!)).toBeGreaterThan(0.005);
  });

  test('are the same when blocks are recomputed, and when all are one program', async () => {
    const kept = await gradients({});
    expect(largestDifference(await gradients({ recompute: true }), kept)).toBeLessThan(1e-5);
    expect(largestDifference(await gradients({ together: true }), kept)).toBeLessThan(1e-5);
  });
});
