import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { hooksOf } from '../../../../main/engine/adapters/additions.ts';
import { lowRankAdditions } from '../../../../main/engine/adapters/set-and-sequence.ts';
import { targetLayers } from '../../../../main/engine/adapters/target-layers.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { openWanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import { timeFeatures, wanTransformer } from '../../../../main/engine/models/wan/transformer.ts';
import { transformerSpecs } from '../../../../main/engine/models/wan/transformer-config.ts';
import { linearLayers } from '../../../../main/engine/nn/linear-layers.ts';
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
  const features = timeFeatures(config, [400]);
  const gradients = (recompute: boolean) =>
    tf.grads((a, b) => {
      const hooks = hooksOf([lowRankAdditions(shape, a as tf.Tensor2D, tf.mul(b, 0.1) as tf.Tensor2D)]);
      return tf.sum(wanTransformer(config, parameters, { latents, text, timestep: features }, { hooks, recompute }));
    })([basis, coefficients]);
  const [kept, again] = [gradients(false), gradients(true)];
  for (const [index, gradient] of kept.entries()) {
    const size = tf.max(tf.abs(gradient)).dataSync()[0]!;
    expect(size).toBeGreaterThan(0);
    expect(difference(gradient, again[index]!) / size).toBeLessThan(1e-4);
  }
  await pipeline.dispose();
});
