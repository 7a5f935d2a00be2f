import { expect, test } from 'vitest';
import { meanOf, statisticOf } from '../../../../main/engine/evaluation/statistics.ts';

test('a statistic is the mean and the spread of a sample, of the values that are there', () => {
  expect(statisticOf([2, null, 4, 6])).toEqual({ mean: 4, deviation: 2, count: 3 });
});

test('one value has no spread, and none has no mean', () => {
  expect(statisticOf([5])).toEqual({ mean: 5, deviation: null, count: 1 });
  expect(statisticOf([null, Number.POSITIVE_INFINITY])).toEqual({ mean: null, deviation: null, count: 0 });
  expect(meanOf([])).toBeNull();
});
