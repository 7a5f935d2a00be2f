import { expect, test } from 'vitest';
import { createFrameSampler, samplesIn, usableFrameCount } from '../../../main/media/frame-sampler.ts';

/** The source frame (by its place in `times`) that each sample shows. */
function samples(times: number[], end: number, rate: number, startSeconds = 0, maximum = 1000): number[] {
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  const sampler = createFrameSampler({ startSeconds, rate, maximum, sourceGap: Math.min(...gaps, 1) });
  const shown: number[] = [];
  times.forEach((time, index) => {
    for (let count = sampler.next(time); count > 0; count--) shown.push(index - 1);
  });
  for (let count = sampler.end(end); count > 0; count--) shown.push(times.length - 1);
  return shown;
}

const constant = (count: number, rate: number) => Array.from({ length: count }, (_, index) => index / rate);

test('the same rate shows every frame once', () => {
  expect(samples(constant(12, 16), 12 / 16, 16)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('half the rate shows every second frame', () => {
  expect(samples(constant(10, 30), 10 / 30, 15)).toEqual([0, 2, 4, 6, 8]);
});

test('times rounded to milliseconds do not make the choice jump', () => {
  const rounded = constant(60, 30).map((time) => Math.round(time * 1000) / 1000);
  expect(samples(rounded, 2, 15)).toEqual(Array.from({ length: 30 }, (_, index) => 2 * index));
});

test('a lower source rate repeats frames and keeps the speed', () => {
  expect(samples(constant(4, 8), 0.5, 16)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
});

test('a long gap holds the frame before it', () => {
  expect(samples([0, 0.1, 0.5, 0.6], 0.7, 10)).toEqual([0, 1, 1, 1, 1, 2, 3]);
});

test('a range that begins between two frames shows the one on screen', () => {
  expect(samples(constant(30, 10), 3, 10, 1.05).slice(0, 2)).toEqual([10, 11]);
});

test('a video that begins late shows its first frame until then', () => {
  expect(samples([0.5, 0.6], 0.7, 10)).toEqual([0, 0, 0, 0, 0, 0, 1]);
});

test('no more than the maximum is taken', () => {
  expect(samples(constant(100, 16), 100 / 16, 16, 0, 5)).toEqual([0, 1, 2, 3, 4]);
});

test('without frames nothing is shown', () => {
  expect(createFrameSampler({ startSeconds: 0, rate: 16, sourceGap: 0.1, maximum: 9 }).end(1)).toBe(0);
});

test('a range holds the samples that begin inside it', () => {
  expect(samplesIn(1, 16)).toBe(16);
  expect(samplesIn(1.001, 16)).toBe(17);
  expect(samplesIn(0.033, 16)).toBe(1);
  expect(samplesIn(0, 16)).toBe(0);
});

test('usable counts are one more than a multiple of the stride', () => {
  expect([0, 1, 4, 5, 16, 17, 80].map((count) => usableFrameCount(count, 4))).toEqual([0, 1, 1, 5, 13, 17, 77]);
});
