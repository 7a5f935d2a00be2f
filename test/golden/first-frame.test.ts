import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { wanDenoiser } from '../../main/engine/models/wan/denoiser.ts';
import { openWanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { createSampler } from '../../main/engine/sampling/sampler.ts';
import { schedulerConfigOf } from '../../main/engine/sampling/scheduler-config.ts';
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
      denoiser: wanDenoiser(pipeline.transformerConfig, await pipeline.transformer(), true),
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
      firstFrame,
    });
    await expectGolden(made, result!);
    const [beginning] = tf.split(made, [1, 2], 2) as [tf.Tensor, tf.Tensor];
    expect(await beginning.data()).toEqual(await firstFrame.data());
    sampler.dispose();
    await pipeline.dispose();
  });
});

test('a model that takes no first frame refuses one', async () => {
  const pipeline = await openWanPipeline(golden('model'));
  expect(pipeline.takesFirstFrame).toBe(false);
  const sampler = createSampler({ denoiser: await pipeline.denoiser(), scheduler: schedulerConfigOf(pipeline) });
  const text = await pipeline.encodeText(['a dog']);
  const firstFrame = tf.zeros([1, 4, 1, 2, 4]);
  await expect(sampler.generate({ text, steps: 1, size: [3, 2, 4], seeds: [0], firstFrame })).rejects.toThrow(
    'takes no first frame',
  );
  await pipeline.dispose();
});
