import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { schedulerConfigSchema } from '../../main/engine/models/scheduler-config.ts';
import { wanDenoiser } from '../../main/engine/models/wan/denoiser.ts';
import { openWanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { createSampler } from '../../main/engine/sampling/sampler.ts';
import { loadTransformer } from './components.ts';
import { expectGolden, golden, onEachBackend, openCase, relativeError } from './golden.ts';

const { prompts, tokens }: { prompts: string[]; tokens: number } = JSON.parse(
  readFileSync(golden('text.json'), 'utf8'),
);
const schedulers = JSON.parse(readFileSync(golden('schedulers.json'), 'utf8'));

/** The golden pipeline was sampled with prompts padded to fewer tokens than a published model's 512. */
async function openGolden() {
  const pipeline = await openWanPipeline(golden('model'));
  pipeline.extras.maxTextTokens = tokens;
  return pipeline;
}

onEachBackend(() => {
  describe('the whole pipeline makes the same clip as diffusers, from prompt and noise to frames', () => {
    test.each(['unipc', 'euler'])('with %s', async (name) => {
      const reference = await openCase('pipeline');
      const pipeline = await openGolden();
      const text = await pipeline.encodeText([prompts[0]!]);
      const negative = await pipeline.encodeText(['a cat']);
      const sampler = createSampler({
        denoiser: await pipeline.denoiser(),
        scheduler: schedulerConfigSchema.parse(schedulers[name]),
      });
      const latents = await sampler.generate({
        text,
        negative,
        guidance: 3,
        steps: 4,
        size: [3, 2, 4],
        seeds: [0],
        noise: reference.latents!,
      });
      await expectGolden(latents, reference[`${name}.latents`]!);
      const frames = await pipeline.decodeFrames(latents);
      expect(frames).toMatchObject({ count: 9, width: 32, height: 16 });
      const expected = (await reference[`${name}.frames`]!.data()).map((value) => Math.round(255 * value));
      expect(relativeError(frames.data, expected)).toBeLessThan(1.01 / 255); // a value on the edge may round the other way
      const different = frames.data.filter((value, index) => value !== expected[index]).length;
      expect(different / frames.data.length).toBeLessThan(0.001);
      sampler.dispose();
      await pipeline.dispose();
    });
  });

  test('self-conditioning feeds the guided prediction of each step into the next', async () => {
    const { latents, text, result } = await openCase('self-conditioning');
    const { config, parameters } = await loadTransformer('self');
    const sampler = createSampler({
      denoiser: wanDenoiser(config, parameters),
      scheduler: schedulerConfigSchema.parse(schedulers.unipc),
    });
    const [conditional, unconditional] = tf.split(text!, 2) as [tf.Tensor, tf.Tensor];
    const found = await sampler.generate({
      text: conditional,
      negative: unconditional,
      guidance: 3,
      steps: 4,
      size: [2, 4, 6],
      seeds: [0],
      noise: latents!,
    });
    await expectGolden(found, result!);
  });
});
