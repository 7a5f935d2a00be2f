import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { conceptHooks } from '../../../../main/engine/adapters/set-and-sequence.ts';
import { linearLayers, targetLayers } from '../../../../main/engine/adapters/target-layers.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { openWanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import { timeFeatures, wanTransformer } from '../../../../main/engine/models/wan/transformer.ts';
import { transformerSpecs } from '../../../../main/engine/models/wan/transformer-config.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { difference, randomConcept } from './toy.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('a block that is computed again in the backward pass gives a concept the same gradients', async () => {
  const pipeline = await openWanPipeline(fileURLToPath(new URL('../../../golden/model', import.meta.url)));
  const parameters = await pipeline.transformer();
  const all = linearLayers(transformerSpecs(pipeline.transformerConfig));
  const layers = targetLayers(all, ['attn1.to_q', 'attn2.to_out.0', 'ffn.net.2']);
  const shape = { layers, rank: 2, basisSide: 'output' as const };
  const { basis, coefficients } = randomConcept(shape);
  const random = new Random(4);
  const { transformerConfig: config } = pipeline;
  const latents = tf.tensor(random.normals(4 * 2 * 16), [1, 4, 2, 4, 4]);
  const text = tf.tensor(random.normals(3 * 24), [1, 3, 24]);
  const time = timeFeatures(config, [400]);
  const gradients = (recompute: boolean) =>
    tf.grads((a, b) => {
      const hooks = conceptHooks(shape, a as tf.Tensor2D, tf.mul(b, 0.1) as tf.Tensor2D);
      return tf.sum(wanTransformer(config, parameters, { latents, text, time }, { hooks, recompute }));
    })([basis, coefficients]);
  const [kept, again] = [gradients(false), gradients(true)];
  for (const [index, gradient] of kept.entries()) {
    const size = tf.max(tf.abs(gradient)).dataSync()[0]!;
    expect(size).toBeGreaterThan(0);
    expect(difference(gradient, again[index]!) / size).toBeLessThan(1e-4);
  }
  await pipeline.dispose();
});

it('a block is given one share of the concept, which it cuts into its layers itself', () => {
  const layer = (path: string, inSize: number, outSize: number) => ({ path, inSize, outSize });
  const layers = [
    layer('proj_in', 3, 4),
    layer('blocks.0.a', 4, 5),
    layer('blocks.0.b', 5, 4),
    layer('blocks.1.a', 4, 5),
    layer('blocks.1.b', 5, 4),
  ];
  const shape = { layers, rank: 2, basisSide: 'output' as const };
  const { basis, coefficients } = randomConcept(shape);
  const hooks = conceptHooks(shape, basis, coefficients);
  const scope = hooks.scope!('blocks.1');
  const share = scope.trainable as { basis: tf.Tensor; coefficients: tf.Tensor };
  expect([share.basis.shape, share.coefficients.shape]).toEqual([
    [9, 2],
    [2, 9],
  ]);
  const base = { weight: tf.zeros([5, 4]) as tf.Tensor2D };
  const x = tf.tensor(new Random(3).normals(10), [2, 5]);
  const apart = scope.bind(scope.trainable).linear!('blocks.1.b', base, x);
  expect(tf.max(tf.abs(apart)).dataSync()[0]!).toBeGreaterThan(0);
  expect(difference(apart, hooks.linear!('blocks.1.b', base, x))).toBe(0);
});
