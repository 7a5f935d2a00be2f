import type { Level } from './luminance-levels.ts';

/**
 * Direct alignment of two pictures by a similarity: Gauss-Newton on the differences of luminance, inverse compositional (Baker & Matthews,
 * "Lucas-Kanade 20 years on", 2004) from coarse to fine. Tukey's biweight with a scale from the differences themselves leaves out what does not move with the
 * camera (Black & Anandan 1996).
 */

/** (x, y) -> (a x - b y + x0, b x + a y + y0), in pixels of the whole picture counted from its middle. */
export type Similarity = readonly [a: number, b: number, x0: number, y0: number];

/** What an alignment asks of the picture that moves: where it has a gradient, its value, and how it changes by each of the four numbers. */
export interface Points {
  level: Level;
  count: number;
  x: Float32Array;
  y: Float32Array;
  values: Float32Array;
  /** [count, 4]: by shift across and down, and by scale and rotation, which are told as pixels at `radius` from the middle. */
  slopes: Float32Array;
  radius: number;
  /** [2, most]: for what is computed of one map or of two. */
  differences: Float32Array;
}

/** Luminance for each step of a level's grid. */
const leastGradient = 2 / 255;
/** Some hundredths of a pixel are found with so many. */
const mostPoints = 2048;

/** The arrays of `spent`, points of another frame's level of the same size, are written over. */
export function pointsOf(level: Level, spent?: Points): Points {
  const { values, width, height, scale, middle } = level;
  const stride = Math.ceil(Math.sqrt((width * height) / mostPoints));
  const most = Math.ceil(width / stride) * Math.ceil(height / stride);
  const least = (leastGradient / scale) ** 2;
  const points: Points = spent ?? {
    level,
    count: 0,
    x: new Float32Array(most),
    y: new Float32Array(most),
    values: new Float32Array(most),
    slopes: new Float32Array(4 * most),
    radius: Math.hypot(...middle) / 2,
    differences: new Float32Array(2 * most),
  };
  points.level = level;
  const { x: xs, y: ys, values: own, slopes, radius } = points;
  const [middleX, middleY] = middle;
  let point = 0;
  for (let row = 1; row < height - 1; row += stride)
    for (let column = 1; column < width - 1; column += stride) {
      const i = row * width + column;
      const across = (values[i + 1]! - values[i - 1]!) / (2 * scale);
      const down = (values[i + width]! - values[i - width]!) / (2 * scale);
      if (across * across + down * down < least) continue;
      const x = (column + 0.5) * scale - middleX;
      const y = (row + 0.5) * scale - middleY;
      xs[point] = x;
      ys[point] = y;
      own[point] = values[i]!;
      slopes[4 * point] = across;
      slopes[4 * point + 1] = down;
      slopes[4 * point + 2] = (across * x + down * y) / radius;
      slopes[4 * point + 3] = (down * x - across * y) / radius;
      point++;
    }
  points.count = point;
  return points;
}

/** Fewer tell nothing. */
const leastPoints = 64;
/** Steps at each level, from the finest. */
const largestSteps = [4, 6, 10];
/** A step that moves nothing by more, in the level's own pixels, is the last. */
const smallestStep = 0.02;
/** Of the error: by chance, and because what is interpolated is smoother, unrelated pictures come to nearly as little. */
const leastGain = 0.9;

export interface Alignment {
  /** From the picture that moves to the other. */
  map: Similarity;
  /** Share of the points that lie in the other picture. */
  overlap: number;
}

/**
 * points: of the picture that moves, at each level. From a start that is near, or else from the best shifts by whole pixels of the coarsest level. Nothing
 * where the pictures have too little to go by, or where what was found is no better than the start, or hardly better than no motion.
 */
export function align(points: readonly Points[], other: readonly Level[], start?: Similarity): Alignment | undefined {
  if (points[0]!.count < leastPoints) return undefined;
  const starts = start ? [start] : shiftsOf(points.at(-1)!.level, other.at(-1)!);
  const coarsest = start ? Math.min(1, points.length - 1) : points.length - 1;
  const rough = starts.map((map) => descend(points, other, map, coarsest, 1));
  const checked = Math.min(1, points.length - 1);
  const errors = compare(points[checked]!, other[checked]!, rough).errors;
  const map = descend(points, other, rough[errors.indexOf(Math.min(...errors))]!, 0, 0);
  const { errors: ends, insides } = compare(points[0]!, other[0]!, [map, start ?? [1, 0, 0, 0]]);
  if (!(ends[0]! < (start ? 1 : leastGain) * ends[1]!)) return undefined;
  return { map, overlap: insides[0]! / points[0]!.count };
}

/** Gauss-Newton from level to level; stays where it is where too little is left to go by. */
function descend(points: readonly Points[], other: readonly Level[], start: Similarity, from: number, to: number) {
  let map = start;
  for (let level = from; level >= to; level--)
    for (let step = 0; step < largestSteps[level]!; step++) {
      const next = improve(points[level]!, other[level]!, map);
      if (!next) break;
      map = next.map;
      if (next.moved < smallestStep * other[level]!.scale) break;
    }
  return map;
}

/** Mean errors of one map or two by the stricter of their limits, and how many points lie inside. */
function compare(points: Points, other: Level, maps: readonly Similarity[]) {
  const most = points.differences.length / 2;
  const differences = maps.map((_, index) => points.differences.subarray(index * most, index * most + points.count));
  const insides = maps.map((map, index) => differ(points, other, map, differences[index]!));
  const limit = Math.min(...differences.map(limitOf));
  return { errors: differences.map((values) => meanError(values, limit)), insides };
}

/** How badly each of one map or two fits, 0 to 1, what does not move with most of the picture left out. */
export const errorsOf = (points: Points, other: Level, maps: readonly Similarity[]) =>
  compare(points, other, maps).errors;

/** Pixels of the coarsest level that are tried in each direction; luminance from which on differences count alike. */
const reach = 4;
const largestDifference = 0.1;
/** A second start is as far from the first, and not worse by more: a figure and what is behind it move apart. */
const apart = 2;
const nearlyAsGood = 1.5;

/** The nearest first. */
const shifts = Array.from({ length: (2 * reach + 1) ** 2 }, (_, index) => {
  const row = Math.floor(index / (2 * reach + 1));
  return [(index % (2 * reach + 1)) - reach, row - reach] as const;
}).sort((a, b) => Math.hypot(...a) - Math.hypot(...b));

function shiftsOf(own: Level, other: Level): Similarity[] {
  const [values, seen] = [greysOf(own), greysOf(other)];
  const found: { error: number; x: number; y: number }[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const [x, y] of shifts) {
    const error = shiftError({ ...own, values }, seen, x, y, nearlyAsGood * least);
    least = Math.min(least, error);
    found.push({ error, x, y });
  }
  found.sort((a, b) => a.error - b.error);
  const [best] = found as [(typeof found)[0]];
  const second = found.find(({ x, y }) => Math.max(Math.abs(x - best.x), Math.abs(y - best.y)) >= apart)!;
  const starts = second.error < nearlyAsGood * best.error ? [best, second] : [best];
  return starts.map(({ x, y }) => [1, 0, x * own.scale, y * own.scale]);
}

const greySteps = 4096;
const greysOf = ({ values }: Level) => Int32Array.from(values, (value) => greySteps * value);

/** Mean of what two pictures differ by where they overlap, one shifted by whole pixels; infinite where it is over `limit`. */
function shiftError(
  { values, width, height }: { values: Int32Array; width: number; height: number },
  seen: Int32Array,
  x: number,
  y: number,
  limit: number,
): number {
  const most = Math.round(greySteps * largestDifference);
  const count = (height - Math.abs(y)) * (width - Math.abs(x));
  const [left, right] = [Math.max(0, -x), width - Math.max(0, x)];
  let sum = 0;
  for (let row = Math.max(0, -y); row < height - Math.max(0, y); row++) {
    const end = row * width + right;
    const shift = y * width + x;
    for (let i = row * width + left; i < end; i++) {
      // The smaller of the absolute difference and `most`, without branches: which of them it is cannot be foreseen.
      const difference = seen[i + shift]! - values[i]!;
      const sign = difference >> 31;
      const over = (difference ^ sign) - sign - most;
      sum = (sum + most + (over & (over >> 31))) | 0;
    }
    if (sum > limit * count) return Number.POSITIVE_INFINITY;
  }
  return sum / count;
}

/** other(map(point)) - value of each point, NaN outside. Returns how many lie inside. */
function differ({ count, x, y, values }: Points, other: Level, [a, b, x0, y0]: Similarity, into: Float32Array): number {
  const { width, height, scale, middle, values: field } = other;
  const [along, across] = [a / scale, b / scale];
  const [left, above] = [(x0 + middle[0]) / scale - 0.5, (y0 + middle[1]) / scale - 0.5];
  const [wide, high] = [width - 1, height - 1];
  let inside = 0;
  for (let point = 0; point < count; point++) {
    const u = along * x[point]! - across * y[point]! + left;
    const v = across * x[point]! + along * y[point]! + above;
    if (!(u >= 0 && v >= 0 && u < wide && v < high)) {
      into[point] = Number.NaN;
      continue;
    }
    const column = u | 0;
    const row = v | 0;
    const right = u - column;
    const low = v - row;
    const i = row * width + column;
    const top = field[i]! + right * (field[i + 1]! - field[i]!);
    const bottom = field[i + width]! + right * (field[i + width + 1]! - field[i + width]!);
    into[point] = top + low * (bottom - top) - values[point]!;
    inside++;
  }
  return inside;
}

/** Differences are counted in so many steps of 1 / 2048. */
const bins = 1024;
const counts = new Int32Array(bins);
/** Below a grey value's rounding differences tell nothing. */
const leastDeviation = 0.5 / 255;

/** Rather than the median: what moves by itself may then be more than half of what two frames have in common. */
const quantile = 0.35;
/** A normal distribution's, in deviations. */
const ofDeviation = 0.4538;

/** Where Tukey's biweight ends: 4.685 deviations, as a quantile of the absolute differences tells them. */
function limitOf(differences: Float32Array): number {
  counts.fill(0);
  let total = 0;
  for (let point = 0; point < differences.length; point++) {
    const difference = differences[point]!;
    if (Number.isNaN(difference)) continue;
    counts[Math.min(bins - 1, (Math.abs(difference) * 2 * bins) | 0)]!++;
    total++;
  }
  let bin = 0;
  for (let below = counts[0]!; below < quantile * total && bin < bins - 1; below += counts[bin]!) bin++;
  return 4.685 * Math.max(leastDeviation, (bin + 0.5) / (2 * bins * ofDeviation));
}

/** Tukey's error, 1 from the limit on, averaged over the points inside. */
function meanError(differences: Float32Array, limit: number): number {
  let sum = 0;
  let count = 0;
  for (let point = 0; point < differences.length; point++) {
    const ratio = differences[point]! / limit;
    const left = 1 - ratio * ratio; // NaN outside
    if (Number.isNaN(left)) continue;
    sum += left > 0 ? 1 - left * left * left : 1;
    count++;
  }
  return count > 0 ? sum / count : 1;
}

/** One step: map after the inverse of the small map by which the points' own picture would come nearest to the other. */
function improve(points: Points, other: Level, map: Similarity): { map: Similarity; moved: number } | undefined {
  const differences = points.differences.subarray(0, points.count);
  if (differ(points, other, map, differences) < leastPoints) return undefined;
  const step = stepOf(points, differences, limitOf(differences));
  if (!step) return undefined;
  const [x, y, scale, rotation] = step as [number, number, number, number];
  const [c, d] = [1 + scale / points.radius, rotation / points.radius];
  const size = c * c + d * d;
  const [e, f] = [c / size, -d / size]; // the inverse is e, f, and minus the shift turned by them
  const [u, v] = [-(e * x - f * y), -(f * x + e * y)];
  const [a, b, x0, y0] = map;
  return {
    map: [a * e - b * f, b * e + a * f, a * u - b * v + x0, b * u + a * v + y0],
    moved: Math.hypot(x, y) + 2 * Math.hypot(scale, rotation),
  };
}

/** Along what the pictures do not tell, as across the stripes of a striped one, nothing moves. */
const damping = 1e-4;

type Fourteen = [...Four, ...Four, ...Four, number, number];
type Four = [number, number, number, number];

/** Weighted least squares: slopes · step = differences. */
function stepOf({ count, slopes }: Points, differences: Float32Array, limit: number): number[] | undefined {
  // Sums of products: above the diagonal row by row, then the right side.
  const sums = new Float64Array(14);
  for (let point = 0; point < count; point++) {
    const difference = differences[point]!;
    const share = (difference / limit) ** 2;
    if (!(share < 1)) continue; // also outside
    const weight = (1 - share) ** 2;
    const i = 4 * point;
    const x = slopes[i]!;
    const y = slopes[i + 1]!;
    const s = slopes[i + 2]!;
    const r = slopes[i + 3]!;
    const wx = weight * x;
    const wy = weight * y;
    const ws = weight * s;
    const wr = weight * r;
    sums[0]! += wx * x;
    sums[1]! += wx * y;
    sums[2]! += wx * s;
    sums[3]! += wx * r;
    sums[4]! += wy * y;
    sums[5]! += wy * s;
    sums[6]! += wy * r;
    sums[7]! += ws * s;
    sums[8]! += ws * r;
    sums[9]! += wr * r;
    sums[10]! += wx * difference;
    sums[11]! += wy * difference;
    sums[12]! += ws * difference;
    sums[13]! += wr * difference;
  }
  const [xx, xy, xs, xr, yy, ys, yr, ss, sr, rr, x, y, s, r] = Array.from(sums) as Fourteen;
  const more = damping * Math.max(xx, yy, ss, rr);
  if (!(more > 0)) return undefined;
  return solve([
    [xx + more, xy, xs, xr, x],
    [xy, yy + more, ys, yr, y],
    [xs, ys, ss + more, sr, s],
    [xr, yr, sr, rr + more, r],
  ]);
}

/** Gaussian elimination of a positive definite system, the right side as its last column; in place. */
function solve(rows: number[][]): number[] {
  const size = rows.length;
  for (let pivot = 0; pivot < size; pivot++)
    for (let row = 0; row < size; row++) {
      if (row === pivot) continue;
      const share = rows[row]![pivot]! / rows[pivot]![pivot]!;
      for (let column = pivot; column <= size; column++) rows[row]![column]! -= share * rows[pivot]![column]!;
    }
  return rows.map((row, index) => row[size]! / row[index]!);
}
