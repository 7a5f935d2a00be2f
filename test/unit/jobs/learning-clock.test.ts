import { expect, it } from 'vitest';
import { LearningClock } from '../../../main/jobs/learning-clock.ts';
import type { Progress } from '../../../shared/domain/job.ts';

const recipe = { method: 'set-and-sequence', stepsIdentity: 100, stepsMotion: 200 } as const;
const told = (phase: string, done: number, total: number, etaSeconds: number | null = null): Progress => ({
  phase,
  done,
  total,
  unit: 'steps',
  perSecond: null,
  etaSeconds,
});

it('says how long all phases take, from the first picture that is read on, once a learning was timed', () => {
  const clock = new LearningClock(recipe, { prepare: 20, identity: 0.5, motion: 1, measure: 10 }, 0);
  expect(clock.tell(told('encode', 1, 3), 5000).etaSeconds).toBe(15 + 50 + 200 + 10);
  // The engine's own rate of the stage at hand, and what is known of the rest.
  expect(clock.tell(told('identity', 40, 100, 90), 40_000).etaSeconds).toBe(90 + 200 + 10);
  expect(clock.tell(told('motion', 150, 200, 50), 60_000).etaSeconds).toBe(50 + 10);
  expect(clock.tell(told('measure', 1, 24, 9), 70_000).etaSeconds).toBe(9);
});

it('takes the steps of the second stage to be like those of the first where nothing is known', () => {
  const clock = new LearningClock(recipe, null, 0);
  expect(clock.tell(told('prior', 1, 4), 1000).etaSeconds).toBe(null);
  expect(clock.tell(told('identity', 1, 100), 10_000).etaSeconds).toBe(null);
  expect(clock.tell(told('identity', 11, 100, 44), 15_000).etaSeconds).toBe(44 + 200 * 0.5);
});

it('knows one stage of a plain LoRA', () => {
  const clock = new LearningClock({ ...recipe, method: 'lora' }, null, 0);
  expect(clock.tell(told('identity', 50, 200, 75), 10_000).etaSeconds).toBe(75);
});

it('times a run that did all of its phases, and none that went on from a checkpoint', () => {
  const clock = new LearningClock(recipe, null, 0);
  for (const [phase, done, now] of [
    ['encode', 3, 8000],
    ['identity', 1, 20_000],
    ['identity', 100, 69_500],
    ['motion', 1, 70_500],
    ['motion', 200, 269_500],
    ['measure', 24, 280_000],
  ] as const)
    clock.tell(told(phase, done, 200), now);
  expect(clock.timing(281_500)).toEqual({ identity: 0.5, motion: 1, prepare: 20, measure: 12 });
  const resumed = new LearningClock(recipe, null, 0);
  resumed.tell(told('motion', 120, 200), 5000);
  resumed.tell(told('motion', 200, 200), 85_000);
  expect(resumed.timing(90_000)).toBe(undefined);
});

it('counts every stage of a method that has three', () => {
  const clock = new LearningClock({ ...recipe, method: 'dreamvideo' }, null, 0);
  expect(clock.tell(told('words', 1, 100), 0).etaSeconds).toBe(null);
  expect(clock.tell(told('words', 11, 100, 44), 5000).etaSeconds).toBe(44 + 100 * 0.5 + 200 * 0.5);
});
