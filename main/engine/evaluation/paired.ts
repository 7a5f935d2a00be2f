import { Random } from '../nn/random.ts';

/** Values of one quantity: [scene][learning seed][noise seed]; null where it is missing. */
export type Grid = readonly (readonly (readonly (number | null)[])[])[];

export interface Interval {
  mean: number;
  /** The 2.5th and the 97.5th percentile of the bootstrap's means. */
  low: number;
  high: number;
  /** Scenes that count. */
  scenes: number;
}

/** Grid minus grid, value by value, with null where either is missing. They have to be of equal shape. */
export function differencesOf(a: Grid, b: Grid): Grid {
  if (a.length !== b.length) throw new RangeError(`expected equally many scenes, found ${a.length} and ${b.length}`);
  return a.map((seeds, scene) =>
    seeds.map((values, seed) =>
      values.map((value, noise) => {
        const other = b[scene]?.[seed]?.[noise] ?? null;
        return value === null || other === null ? null : value - other;
      }),
    ),
  );
}

/**
 * Per scene the mean over its learning seeds of the mean over noise seeds, without scenes where all is
 * missing.
 */
export function sceneMeans(grid: Grid): number[] {
  return present(grid).map((seeds) => mean(seeds.map(mean)));
}

/**
 * Mean over scenes with a percentile interval of the hierarchical bootstrap: a draw takes scenes with
 * replacement, in each learning seeds, in each of those noise seeds. Of differences it is the paired
 * bootstrap, since both sides then share every draw. Null without any value. With few scenes such intervals
 * are too narrow (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13).
 */
export function bootstrapInterval(grid: Grid, { draws = 10_000, seed = 1 } = {}): Interval | null {
  const scenes = present(grid);
  if (scenes.length === 0) return null;
  const random = new Random(`bootstrap ${seed}`);
  // A level with one member gives that member.
  const member = <T>(items: readonly T[]): T => (items.length === 1 ? items[0]! : items[random.integer(items.length)]!);
  const drawn = (items: readonly unknown[], each: () => number): number => {
    let sum = 0;
    for (let i = 0; i < items.length; i++) sum += each();
    return sum / items.length;
  };
  const means = Float64Array.from({ length: draws }, () =>
    drawn(scenes, () => {
      const seeds = member(scenes);
      return drawn(seeds, () => {
        const values = member(seeds);
        return drawn(values, () => member(values));
      });
    }),
  ).sort();
  return {
    mean: mean(sceneMeans(grid)),
    low: percentile(means, 0.025),
    high: percentile(means, 0.975),
    scenes: scenes.length,
  };
}

/**
 * Exact two-sided sign-flip test of paired differences: the share of the 2^n ways to choose their signs whose
 * sum is at least as far from 0 as the one found. All are counted, as pairs of half sums. Throws RangeError
 * for more than 40 differences; 1 for none.
 */
export function signFlipTest(differences: readonly number[]): number {
  if (differences.length > 40) throw new RangeError(`expected at most 40 differences, found ${differences.length}`);
  const half = differences.length >> 1;
  const [left, right] = [signedSums(differences.slice(0, half)), signedSums(differences.slice(half))];
  const size = differences.reduce((sum, value) => sum + Math.abs(value), 0);
  // Sums in another order differ in their last bits.
  const least = Math.abs(differences.reduce((sum, value) => sum + value, 0)) - 1e-12 * size;
  if (least <= 0) return 1;
  let far = 0;
  for (const value of left) far += right.length - countBelow(right, least - value);
  // Every way has its opposite in the other tail.
  return (2 * far) / (left.length * right.length);
}

/** Holm's step-down correction of p values, in their order (Holm 1979). */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const corrected = new Array<number>(values.length).fill(1);
  let largest = 0;
  for (const [rank, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (values.length - rank) * values[index]!));
    corrected[index] = largest;
  }
  return corrected;
}

function present(grid: Grid): number[][][] {
  return grid
    .map((seeds) =>
      seeds
        .map((values) => values.filter((value): value is number => value !== null && Number.isFinite(value)))
        .filter((values) => values.length > 0),
    )
    .filter((seeds) => seeds.length > 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of sorted values, linear between them. */
function percentile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (place - Math.floor(place)) * (high - low);
}

/** The sums of all ways to choose the signs, sorted. */
function signedSums(values: readonly number[]): Float64Array {
  let sums = [0];
  for (const value of values) sums = sums.flatMap((sum) => [sum + value, sum - value]);
  return Float64Array.from(sums).sort();
}

/** How many of the sorted values are below a limit. */
function countBelow(sorted: Float64Array, limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
