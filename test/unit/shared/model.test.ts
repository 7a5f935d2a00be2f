import { expect, it } from 'vitest';
import { learningSizeOf, planLearning, remarksOn } from '../../../shared/domain/learning-plan.ts';
import { type ModelInfo, planRunning } from '../../../shared/domain/model.ts';
import { makeModelInfo } from '../../fixtures/model-info.ts';

const model = makeModelInfo({
  parameters: 1e6,
  heldParameters: 1e6,
  blockParameters: 9e5,
  sizes: [[128, 128]],
  frameCount: 17,
  layers: 8,
  activationsPerToken: 45_000,
  spatialStride: 16,
});

const memory = 16e9;
const rank = 16;
const plan = (batchSize: number, batchSizeMotion: number, changes: Partial<ModelInfo> = {}, free = memory) =>
  planLearning(learningSizeOf({ ...model, ...changes }, rank), { batchSize, batchSizeMotion }, free);

it('plans the memory of a learning by its larger stage', () => {
  const small = plan(1, 1).bytes;
  expect(plan(5, 1).bytes).toBe(small); // one clip is five latent frames
  expect(plan(6, 1).bytes).toBeGreaterThan(small);
});

it('computes activations that are too many again instead of keeping them, and says so', () => {
  const fits = plan(1, 1).activationBytes;
  const many = Math.ceil(fits / 4 / (64 * model.activationsPerToken)) + 60;
  const [kept, again] = [plan(many - 120, 1), plan(many, 1)];
  expect([kept.recomputes, again.recomputes]).toEqual([false, true]);
  expect(again.bytes).toBeLessThan(kept.bytes);
  expect(remarksOn(kept, { batchSize: many - 120, batchSizeMotion: 1 })).toEqual([]);
  expect(remarksOn(again, { batchSize: many, batchSizeMotion: 1 })).toEqual([
    expect.stringContaining('computed twice'),
  ]);
});

it('makes batches smaller where that is not enough, the larger stage first, and says so', () => {
  const asked = { batchSize: 8, batchSizeMotion: 8 };
  const small = plan(8, 8, {}, 0.4e9);
  expect(small).toMatchObject({ fits: true, recomputes: true });
  expect(small.batchSizeMotion).toBeLessThan(8);
  expect(remarksOn(small, asked).at(-1)).toMatch(/Clips are learned \d at a time instead of 8/);
  expect(plan(8, 8, {}, 0.2e9)).toMatchObject({ fits: false, batchSize: 1, batchSizeMotion: 1 });
});

it('counts the weights that are held, not those that are streamed', () => {
  const wan = { parameters: 7.2e9, heldParameters: 1.55e9 };
  expect(plan(1, 1, wan, 64e9).bytes).toBeLessThan(10e9);
  expect(plan(1, 1, { ...wan, heldParameters: null }, 64e9).bytes).toBeGreaterThan(28e9);
});

const large = {
  parameters: 20e9,
  heldParameters: 14.5e9,
  blockParameters: 14e9,
  layers: 40,
  activationsPerToken: 40 * 100_000,
  weightForms: ['float32', 'float16', 'int8', 'streamed'] as const satisfies ModelInfo['weightForms'],
};

it('holds weights in fewer bits where they do not fit, streams them where even those do not, and says so', () => {
  const choices = [128e9, 68e9, 40e9, 22e9, 12e9].map((memory) =>
    plan(1, 1, { ...large, weightForms: [...large.weightForms] }, memory),
  );
  expect(choices.map(({ form, fits }) => [form, fits])).toEqual([
    ['float32', true],
    ['float32', true],
    ['float16', true],
    ['int8', true],
    ['streamed', true],
  ]);
  const remarks = choices.map((choice) => remarksOn(choice, { batchSize: 1, batchSizeMotion: 1 }).join(' '));
  expect(remarks[0]).toBe('');
  for (const [index, words] of [/computed twice/, /float16, half/, /int8, a quarter/, /read from disk/].entries())
    expect(remarks[index + 1]).toMatch(words);
  // Where only float32 can be had there is nothing to choose.
  expect(plan(1, 1, { ...large, weightForms: ['float32'] }, 32e9)).toMatchObject({ form: 'float32', fits: false });
});

it('plans what generates in the same way', () => {
  const running = (memory: number) => planRunning({ ...model, ...large, weightForms: [...large.weightForms] }, memory);
  expect([128e9, 40e9, 20e9, 8e9].map((memory) => running(memory).form)).toEqual([
    'float32',
    'float16',
    'int8',
    'streamed',
  ]);
  expect(running(1e9)).toMatchObject({ form: 'streamed', fits: false });
  expect(running(128e9).bytes).toBeGreaterThan(4 * large.heldParameters);
});

it('plans for what is larger, sampling or decoding, which goes by tiles and chunks', () => {
  const decoding = { perPixel: 100, perFramePixel: 10, chunkPixels: 80_000 };
  const bytes = (changes: Partial<ModelInfo>, picture: number) =>
    planRunning({ ...model, ...changes }, memory, { picture, clip: 5 * picture }).bytes;
  const without = (picture: number) => bytes({ decoding: null, activationsPerToken: 0 }, picture);
  const decoded = (picture: number) => bytes({ decoding, activationsPerToken: 0 }, picture) - without(picture);
  // 64 tokens are 128 x 128 pixels: a chunk has one latent frame; 16 tokens are 64 x 64 pixels, four latent frames a chunk.
  expect(decoded(64)).toBeCloseTo(128 ** 2 * (100 + 4 * 10), 3);
  expect(decoded(16)).toBeCloseTo(64 ** 2 * (100 + 16 * 10), 3);
  // No chunk is longer than the clip, and no tile larger than a latent frame of a chunk.
  expect(decoded(1)).toBeCloseTo(16 ** 2 * (100 + 20 * 10), 3);
  expect(decoded(640)).toBeCloseTo(20_000 * (100 + 4 * 10), 3);
  expect(bytes({ decoding }, 64)).toBe(Math.max(bytes({ decoding: null }, 64), without(64) + decoded(64)));
});
