import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { createEngine } from '../../main/engine/index.ts';
import { schedulerConfigOf } from '../../main/engine/models/scheduler-config.ts';
import { wanDenoiser } from '../../main/engine/models/wan/denoiser.ts';
import { openWanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { createSampler } from '../../main/engine/sampling/sampler.ts';
import { generateRequest } from '../../shared/domain/engine.ts';
import { expectGolden, golden, onEachBackend, openCase } from './golden.ts';

const { prompts, tokens }: { prompts: string[]; tokens: number } = JSON.parse(
  readFileSync(golden('text.json'), 'utf8'),
);

onEachBackend(() => {
  test('a clip goes on from a given picture as with diffusers, from prompt, picture and noise', async () => {
    const { picture, latents, result } = await openCase('first-frame');
    const pipeline = await openWanPipeline(golden('model'));
    pipeline.extras.maxTextTokens = tokens;
    const sampler = createSampler({
      denoiser: wanDenoiser(pipeline.transformerConfig, await pipeline.transformer(), { firstFrame: 'optional' }),
      scheduler: schedulerConfigOf(pipeline),
    });
    const data = Uint8Array.from(await picture!.data());
    const firstFrame = await pipeline.encodeFrames({ data, width: 32, height: 16, count: 1 });
    const made = await sampler.generate({
      text: await pipeline.encodeText([prompts[0]!]),
      negative: await pipeline.encodeText(['a cat']),
      guidance: 3,
      steps: 4,
      size: [3, 2, 4],
      seeds: [0],
      noise: latents!,
      firstFrame: { latents: firstFrame },
    });
    await expectGolden(made, result!);
    const [beginning] = tf.split(made, [1, 2], 2) as [tf.Tensor, tf.Tensor];
    expect(await beginning.data()).toEqual(await firstFrame.data());
    sampler.dispose();
    await pipeline.dispose();
  });
});

test('the engine makes a clip that goes on from a picture, and says where that cannot be', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'motif-first-frame-'));
  const model = join(folder, 'model');
  cpSync(golden('model'), model, { recursive: true });
  const index = join(model, 'model_index.json');
  writeFileSync(index, JSON.stringify({ ...JSON.parse(readFileSync(index, 'utf8')), expand_timesteps: true }));
  const frames = { width: 32, height: 16, rate: { numerator: 8, denominator: 1 } };
  const firstFrame = { ...frames, file: join(folder, 'picture.rgb'), frameCount: 1 };
  writeFileSync(
    firstFrame.file,
    Uint8Array.from({ length: 32 * 16 * 3 }, (_, i) => (i * 5) % 256),
  );
  const engine = await createEngine({ device: 'onnxruntime' });
  const make = (name: string, changes: object = {}, at = model) =>
    engine.generate(
      generateRequest.parse({
        model: at,
        conceptFile: null,
        source: null,
        size: { width: 32, height: 16, frameCount: 5 },
        settings: { prompt: 'a dog', steps: 2, ...changes },
        output: join(folder, name),
        firstFrame,
      }),
    );
  expect((await engine.describeModel({ model })).firstFrame).toBe('optional');
  await make('a.rgb');
  await make('b.rgb', { seed: 2 });
  const [a, b] = ['a.rgb', 'b.rgb'].map((name) => readFileSync(join(folder, name)));
  const picture = 32 * 16 * 3;
  expect(a!.length).toBe(5 * picture);
  expect(a!.subarray(0, picture)).toEqual(b!.subarray(0, picture)); // the same beginning from any noise
  expect(a!.subarray(picture)).not.toEqual(b!.subarray(picture));
  await expect(make('c.rgb', { fidelity: 0.5 })).rejects.toMatchObject({
    hint: expect.stringContaining('fidelity to 0'),
  });
  await expect(make('d.rgb', {}, golden('model'))).rejects.toMatchObject({ hint: expect.stringContaining('TI2V') });
  await engine.dispose();
  rmSync(folder, { recursive: true });
});

test('a model that takes no first frame refuses one', async () => {
  const pipeline = await openWanPipeline(golden('model'));
  expect(pipeline.firstFrame).toBe('none');
  const sampler = createSampler({ denoiser: await pipeline.denoiser(), scheduler: schedulerConfigOf(pipeline) });
  const text = await pipeline.encodeText(['a dog']);
  const firstFrame = tf.zeros([1, 4, 1, 2, 4]);
  await expect(
    sampler.generate({ text, steps: 1, size: [3, 2, 4], seeds: [0], firstFrame: { latents: firstFrame } }),
  ).rejects.toThrow('takes no such first frame');
  await pipeline.dispose();
});
