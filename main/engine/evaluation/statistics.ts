import type { Statistic } from '../../../shared/domain/evaluation.ts';

/** Mean and standard deviation (of a sample: divided by n - 1) of the values that are there. */
export function statisticOf(values: readonly (number | null)[]): Statistic {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  const count = known.length;
  if (count === 0) return { mean: null, deviation: null, count };
  const mean = known.reduce((sum, value) => sum + value, 0) / count;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : null, count };
}

export function meanOf(values: readonly (number | null)[]): number | null {
  return statisticOf(values).mean;
}
