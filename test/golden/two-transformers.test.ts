import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { selectBackend } from '../../main/engine/backends/select.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { countParameters } from '../../main/engine/models/components.ts';
import { schedulerConfigOf } from '../../main/engine/models/scheduler-config.ts';
import { openWanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { transformerSpecs } from '../../main/engine/models/wan/transformer-config.ts';
import { linear } from '../../main/engine/nn/linear.ts';
import { createSampler } from '../../main/engine/sampling/sampler.ts';
import { expectGolden, golden, onEachBackend, openCase } from './golden.ts';

const { prompts, tokens }: { prompts: string[]; tokens: number } = JSON.parse(
  readFileSync(golden('text.json'), 'utf8'),
);

/** The golden model with the two transformers in place of its one. */
const folder = mkdtempSync(join(tmpdir(), 'motif-two-'));
cpSync(golden('model'), folder, { recursive: true });
cpSync(golden('two'), folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true }));

async function open() {
  const pipeline = await openWanPipeline(folder);
  pipeline.extras.maxTextTokens = tokens;
  return pipeline;
}

onEachBackend(() => {
  test('with two transformers each predicts its range of the noise, and the clip is that of diffusers', async () => {
    const { latents, result, steps } = await openCase('two/sampled');
    expect(await steps!.array()).toEqual([4, 2]); // both took part
    const pipeline = await open();
    const sampler = createSampler({
      denoiser: await pipeline.denoiser(),
      highNoise: { from: pipeline.highNoise!.from, denoiser: await pipeline.highNoise!.denoiser() },
      scheduler: schedulerConfigOf(pipeline),
    });
    const text = await pipeline.encodeText([prompts[0]!]);
    const negative = await pipeline.encodeText(['a cat']);
    const options = { text, negative, guidance: 3, steps: 6, size: [3, 2, 4] as const, seeds: [0], noise: latents! };
    await expectGolden(await sampler.generate(options), result!);
    sampler.dispose();
    await pipeline.dispose();
  });
});

test('an adapter acts below the boundary alone', async () => {
  await selectBackend({ device: 'onnxruntime' });
  const pipeline = await open();
  const text = await pipeline.encodeText([prompts[0]!]);
  const denoiser = await pipeline.denoiser();
  /** How far a change of every linear layer moves a clip whose noise has its boundary there. */
  const moved = async (from: number) => {
    const sampler = createSampler<{ factor: tf.Tensor }>({
      denoiser,
      highNoise: { from, denoiser: await pipeline.highNoise!.denoiser() },
      scheduler: schedulerConfigOf(pipeline),
      hooks: ({ factor }) => ({ linear: (_, base, x) => tf.mul(linear(base, x), factor) }),
    });
    const clips = [];
    for (const factor of [1, 1.5])
      clips.push(
        await sampler.generate({ text, steps: 4, size: [1, 2, 4], seeds: [3], adapter: { factor: tf.scalar(factor) } }),
      );
    sampler.dispose();
    return (await tf.max(tf.abs(tf.sub(clips[0]!, clips[1]!))).data())[0]!;
  };
  expect(await moved(1e-6)).toBe(0);
  expect(await moved(0.7)).toBeGreaterThan(0.01);
  await pipeline.dispose();
});

test('the model says below which noise concepts are learned on it, and counts both transformers', async () => {
  const pipeline = await open();
  const one = await openWanPipeline(golden('model'));
  const info = await pipeline.describe();
  expect(info.learnsBelow).toBe(0.7);
  expect((await one.describe()).learnsBelow).toBeNull();
  expect(pipeline.denoiserParameters).toBe(2 * countParameters(transformerSpecs(pipeline.transformerConfig)));
  expect(info.parameters - (await one.describe()).parameters).toBe(
    pipeline.denoiserParameters - one.denoiserParameters,
  );
  expect(await pipeline.fingerprint()).not.toBe(await one.fingerprint());
  await pipeline.dispose();
  await one.dispose();
});

test('a boundary that is none is a damaged model', async () => {
  const broken = mkdtempSync(join(tmpdir(), 'motif-two-broken-'));
  cpSync(folder, broken, { recursive: true });
  const index = JSON.parse(readFileSync(join(folder, 'model_index.json'), 'utf8'));
  writeFileSync(join(broken, 'model_index.json'), JSON.stringify({ ...index, boundary_ratio: 7 }));
  await expect(openWanPipeline(broken)).rejects.toMatchObject({ code: 'damaged-file' });
  rmSync(broken, { recursive: true });
});
