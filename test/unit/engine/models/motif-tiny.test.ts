import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { openVideoModel } from '../../../../main/engine/models/registry.ts';
import { schedulerConfigSchema } from '../../../../main/engine/models/scheduler-config.ts';
import type { VideoModel } from '../../../../main/engine/models/video-model.ts';
import { createSampler } from '../../../../main/engine/sampling/sampler.ts';

let pipeline: VideoModel;

beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime' });
  const directory = new URL('../../../../resources/models/motif-tiny', import.meta.url);
  pipeline = await openVideoModel(fileURLToPath(directory));
});
afterAll(() => pipeline.dispose());

test('the embedded model can make every size that it names, and knows its concept tokens', () => {
  const { extras, tokenizer, selfConditioning } = pipeline;
  for (const { width, height } of extras.sizes) pipeline.checkVideoSize(extras.frames, height, width);
  for (const token of [...extras.conceptTokens.identity, ...extras.conceptTokens.motion])
    expect(tokenizer.idOf(token), token).toBeTypeOf('number');
  expect(selfConditioning).toBe(extras.selfConditioning !== undefined);
});

test('its prompts are encoded up to the length it was trained with, whatever their own', async () => {
  const { maxTextTokens } = pipeline.extras;
  const text = await pipeline.encodeText(['a dog', 'a [v] person '.repeat(50)]);
  expect(text.shape).toEqual([2, maxTextTokens, pipeline.textWidth]);
  const [short] = (await text.array()) as number[][][];
  expect(short![1]!.some((value) => value !== 0)).toBe(true);
  expect(short!.at(-1)!.every((value) => value === 0)).toBe(true);
  text.dispose();
});

test('it makes a picture from a prompt, and codes one, in sizes of its own and others', async () => {
  const sampler = createSampler({
    denoiser: await pipeline.denoiser(),
    scheduler: schedulerConfigSchema.parse(pipeline.schedulerConfig),
  });
  const text = await pipeline.encodeText(['a cat on a beach']);
  for (const { width, height } of [pipeline.extras.sizes.at(-1)!, { width: 48, height: 32 }]) {
    const latents = await sampler.generate({ text, steps: 2, size: [1, height / 8, width / 8], seeds: [1] });
    const picture = await pipeline.decodeFrames(latents);
    expect(picture).toMatchObject({ count: 1, width, height });
    const coded = await pipeline.encodeFrames(picture);
    expect(coded.shape).toEqual(latents.shape);
    expect((await coded.data()).every(Number.isFinite)).toBe(true);
    tf.dispose([latents, coded]);
  }
  text.dispose();
  sampler.dispose();
});
