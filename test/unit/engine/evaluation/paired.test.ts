import { expect, test } from 'vitest';
import {
  bootstrapInterval,
  differencesOf,
  type Grid,
  holm,
  sceneMeans,
  signFlipTest,
} from '../../../../main/engine/evaluation/paired.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { wilsonInterval } from '../../../../shared/statistics/wilson.ts';

const scenesOf = (...values: number[]): Grid => values.map((value) => [[value]]);

test('six differences of one sign are told apart with the probability 2 / 64, and mixed signs with more', () => {
  expect(signFlipTest([1, 2, 3, 4, 5, 6])).toBe(2 / 64);
  // Of the 8 ways, only +++ and --- reach a sum of 6; the sum found is 4.
  expect(signFlipTest([3, 2, -1])).toBe(4 / 8);
  expect(signFlipTest([0.1, -0.1])).toBe(1);
  expect(signFlipTest([])).toBe(1);
});

test('counting in halves gives what counting all ways gives', () => {
  const random = new Random(3);
  const values = [...random.normals(9)];
  const found = Math.abs(values.reduce((sum, value) => sum + value, 0));
  let far = 0;
  for (let bits = 0; bits < 512; bits++) {
    const sum = values.reduce((all, value, index) => all + (bits & (1 << index) ? value : -value), 0);
    if (Math.abs(sum) >= found - 1e-12) far++;
  }
  expect(signFlipTest(values)).toBeCloseTo(far / 512, 12);
  expect(signFlipTest(new Array(30).fill(1))).toBe(2 / 2 ** 30);
  expect(() => signFlipTest(new Array(41).fill(1))).toThrow(/at most 40/);
});

test('Holm multiplies the smallest by all, the next by one less, and never falls', () => {
  // The example of Holm's procedure with four hypotheses.
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
});

test("Wilson's interval is that of the tables", () => {
  const { low, high } = wilsonInterval(8, 10)!;
  expect(low).toBeCloseTo(0.4902, 4);
  expect(high).toBeCloseTo(0.9433, 4);
  expect(wilsonInterval(0, 10)!.low).toBe(0);
  expect(wilsonInterval(0, 0)).toBeNull();
});

test('an interval holds the mean, is the same for the same seed, and has no width without any spread', () => {
  const grid = scenesOf(1, 2, 3, 4, 5, 6);
  const interval = bootstrapInterval(grid)!;
  expect(interval).toMatchObject({ mean: 3.5, scenes: 6 });
  // The deviation of a bootstrap mean is the population's over the root of 6: 0.697.
  expect(interval.high - interval.low).toBeCloseTo(2 * 1.96 * 0.697, 0);
  expect(bootstrapInterval(grid)).toEqual(interval);
  expect(bootstrapInterval(scenesOf(2, 2, 2))).toMatchObject({ mean: 2, low: 2, high: 2 });
  expect(bootstrapInterval([[[null]]])).toBeNull();
});

test('a scene counts once, however many seeds it has, and missing values are left out', () => {
  const grid: Grid = [
    [[1, 1], [3]],
    [[null, 10], [null]],
    [[null], [null]],
  ];
  expect(sceneMeans(grid)).toEqual([2, 10]);
  expect(bootstrapInterval(grid)).toMatchObject({ mean: 6, scenes: 2 });
});

test('seeds spread the interval beside scenes', () => {
  const still = Array.from({ length: 5 }, () => [[0, 0]]);
  const spread = Array.from({ length: 5 }, () => [[-1, 1]]);
  expect(bootstrapInterval(still)!.high).toBe(0);
  expect(bootstrapInterval(spread)!.high).toBeGreaterThan(0.2);
});

test('a difference is missing where either side is', () => {
  expect(differencesOf([[[3, null, 5]]], [[[1, 1, null]]])).toEqual([[[2, null, null]]]);
  expect(() => differencesOf(scenesOf(1), scenesOf(1, 2))).toThrow(/equally many/);
});

test('of equal methods the interval holds 0 in about 95 % of runs with 30 scenes', () => {
  const random = new Random('coverage');
  let held = 0;
  for (let run = 0; run < 200; run++) {
    const grid = scenesOf(...random.normals(30));
    const { low, high } = bootstrapInterval(grid, { draws: 400, seed: run })!;
    if (low <= 0 && high >= 0) held++;
  }
  expect(held / 200).toBeGreaterThan(0.88);
  expect(held / 200).toBeLessThan(0.99);
});
