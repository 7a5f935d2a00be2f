import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hooksOf, type LowRank } from '../../../../main/engine/adapters/additions.ts';
import { lazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { wanDenoiser } from '../../../../main/engine/models/wan/denoiser.ts';
import { openWanPipeline, type WanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import type { WeightForm } from '../../../../shared/domain/weight-form.ts';

let pipeline: WanPipeline;

beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime' });
  pipeline = await openWanPipeline(fileURLToPath(new URL('../../../../resources/models/motif-tiny', import.meta.url)));
});
afterAll(() => pipeline.dispose());

const layer = 'blocks.2.ffn.net.0.proj';

/** A prediction on a clip of two frames, and the gradients of a low-rank change of one layer. */
async function predicted(denoiser: ReturnType<typeof wanDenoiser>, recompute = false): Promise<Float32Array[]> {
  const { inSize, outSize } = pipeline.shape.layers.find(({ path }) => path === layer)!;
  const random = new Random(5);
  const normals = (...shape: number[]) =>
    tf.tensor(random.normals(shape.reduce((product, length) => product * length, 1)), shape);
  const inputs = {
    latents: normals(1, 32, 2, 8, 8),
    text: normals(1, 16, pipeline.textWidth),
    timestep: denoiser.timeFeatures([500]),
  };
  const change = { basis: normals(outSize, 4), coefficients: tf.mul(normals(4, inSize), 0.01) };
  const flow = (basis: tf.Tensor, coefficients: tf.Tensor) => {
    const lowRank = new Map([[layer, { basis, coefficients, side: 'output' } as LowRank]]);
    return denoiser.denoise(inputs, { hooks: hooksOf([{ lowRank }]), recompute });
  };
  const loss = (...given: tf.Tensor[]) => tf.mean(tf.square(flow(given[0]!, given[1]!))) as tf.Scalar;
  const { grads } = tf.valueAndGrads(loss)([change.basis, change.coefficients]);
  const made = [flow(change.basis, change.coefficients), ...grads];
  const read = await Promise.all(made.map(async (tensor) => Float32Array.from(await tensor.data())));
  tf.dispose([made, inputs, change] as unknown as tf.TensorContainer);
  return read;
}

const difference = (a: Float32Array, b: Float32Array) =>
  Math.hypot(...a.map((value, index) => value - b[index]!)) / Math.hypot(...b);

async function inForm(form: WeightForm, recompute = false) {
  await pipeline.heldWeights.use(form);
  const results = await predicted((await pipeline.denoiser()) as ReturnType<typeof wanDenoiser>, recompute);
  return { results, usedBytes: lazyBackend()!.memory().usedBytes };
}

test('a model computes with its weights in each form, in the memory of that form, as exactly as is said', async () => {
  const whole = await inForm('float32');
  expect(pipeline.heldWeights).toMatchObject({ form: 'float32', isLoaded: true });
  const blocks = pipeline.shape.layers
    .filter(({ path }) => path.startsWith('blocks.'))
    .reduce((sum, { inSize, outSize }) => sum + inSize * outSize, 0);
  for (const [form, bytes, limits] of [
    ['float16', 2, [1e-3, 1e-3]],
    ['int8', 1, [3e-2, 0.1]],
    ['streamed', 0, [1e-5, 1e-5]],
  ] as const) {
    const { results, usedBytes } = await inForm(form);
    const errors = results.map((values, index) => difference(values, whole.results[index]!));
    expect(errors[0], `${form}: prediction`).toBeLessThan(limits[0]);
    for (const error of errors.slice(1)) expect(error, `${form}: gradient`).toBeLessThan(limits[1]);
    expect((whole.usedBytes - usedBytes) / blocks, form).toBeCloseTo(4 - bytes, 1);
    const again = await inForm(form, true);
    for (const [index, values] of again.results.entries())
      expect(difference(values, results[index]!), `${form}: blocks computed again`).toBeLessThan(1e-5);
  }
});

test('streamed weights give to the bit what the same weights in memory give', async () => {
  await pipeline.heldWeights.use('float32');
  // Compiled block by block as well: sums may round otherwise where more is one program.
  const apart = wanDenoiser(pipeline.transformerConfig, await pipeline.transformer(), { form: 'streamed' });
  const expected = await predicted(apart);
  const { results } = await inForm('streamed');
  expect(results).toEqual(expected);
});
