import {
  addMoments,
  changeColours,
  coefficientCount,
  lumaOf,
  lumaWeights,
  momentCount,
  solveAffine,
} from './affine.ts';
import { type ClipPair, type FrameMaps, keptMaps, placeInTime } from './in-time.ts';

/**
 * The even part of a change: one affine change of colour for each coarse place and brightness of the clip, after the bilateral grid of
 * affine transforms (Chen, Adams, Wadhwa, Hasinoff, Bilateral Guided Upsampling, SIGGRAPH Asia 2016), which follows the clip's edges.
 * Light, weather and time of day are like that. What a model draws in besides, a tree on an empty wall, has no counterpart in place and
 * brightness and is averaged away. What such averaging takes of the contrast is given back.
 */

/** Cells along the shorter side of the picture. */
const cellsAlong = 4;
/** Height of a cell in luma. */
const lumaStep = 0.12;
/** How strongly A is drawn to the identity, as a variance of colour. */
const identityPull = 2e-3;
/** Frames before and after that share a grid: what is drawn in flickers, light does not. */
const timeRadius = 3;
/** At most so much contrast is given back. */
const mostContrast = 1.5;
/** What a place counts in pixels that is of the same luma elsewhere, and of any. */
const likeLumaWeight = 0.1;
const anyLumaWeight = 1e-3;
/** The count of pixels and their moments. */
const cellSize = momentCount + 1;
const solvedSize = coefficientCount + 1;

interface Grid {
  rows: number;
  columns: number;
  levels: number;
}

export interface EvenChange {
  /** For each frame of the clip [height, width, 12]. */
  coefficients: FrameMaps;
  /**
   * The same for any frame of the same scene, [height, width, 3] from 0 to 1 -> [height, width, 12]. `time` counts in the clip's frames,
   * with fractions; before the first and after the last, the change at those holds.
   */
  changeOf(frame: Float32Array, time: number): Float32Array;
}

export function findEvenChange({ before, after, width, height, frameCount }: ClipPair): EvenChange {
  const cell = Math.min(width, height) / cellsAlong;
  // One cell more on each side, so that blurring and slicing need not look at borders.
  const grid: Grid = {
    rows: Math.round(height / cell) + 3,
    columns: Math.round(width / cell) + 3,
    levels: Math.ceil(1 / lumaStep) + 3,
  };
  const place = placesOf(grid, width, height);
  const splats = Array.from({ length: frameCount }, (_, frame) => splat(before(frame), after(frame), grid, place));
  const solved = splats.map((_, index) => {
    const near = splats.slice(Math.max(0, index - timeRadius), index + timeRadius + 1);
    return solve(fill(blur(sumOf(near), grid), grid), grid);
  });
  const fitted = keptMaps((frame) => slice(solved[frame]!, before(frame), grid, place));
  const contrast = missingContrast({ before, after, frameCount }, fitted);
  return {
    coefficients: keptMaps((frame) => stretched(fitted(frame), contrast)),
    changeOf(frame, time) {
      const { first, second, share } = placeInTime(time, solved.length);
      const cells = share === 0 ? solved[first]! : between(solved[first]!, solved[second]!, share);
      return stretched(slice(cells, frame, grid, place), contrast);
    },
  };
}

const between = (a: Float64Array, b: Float64Array, share: number) =>
  a.map((value, at) => value + share * (b[at]! - value));

/** Where the pixels of a row and a column lie among the cells. */
interface Places {
  down: Float32Array;
  across: Float32Array;
  width: number;
  height: number;
}

function placesOf({ rows, columns }: Grid, width: number, height: number): Places {
  const along = (length: number, cells: number) =>
    Float32Array.from({ length }, (_, at) => 1 + ((at + 0.5) * (cells - 3)) / length);
  return { down: along(height, rows), across: along(width, columns), width, height };
}

/** Every pixel's moments in the cell nearest to it. */
function splat(
  before: Float32Array,
  after: Float32Array,
  { rows, columns, levels }: Grid,
  { down, across, width, height }: Places,
): Float64Array {
  const cells = new Float64Array(rows * columns * levels * cellSize);
  for (let row = 0, pixel = 0; row < height; row++) {
    const line = Math.round(down[row]!) * columns;
    for (let column = 0; column < width; column++, pixel++) {
      const level = Math.round(1 + lumaOf(before, pixel) / lumaStep);
      const at = ((line + Math.round(across[column]!)) * levels + level) * cellSize;
      cells[at]! += 1;
      addMoments(before, after, pixel, cells, at + 1);
    }
  }
  return cells;
}

function sumOf(grids: readonly Float64Array[]): Float64Array {
  const sum = grids[0]!.slice();
  for (const grid of grids.slice(1)) for (let at = 0; at < sum.length; at++) sum[at]! += grid[at]!;
  return sum;
}

/** 1 2 1 along each of the three directions; nothing lies outside. */
function blur(cells: Float64Array, { rows, columns, levels }: Grid): Float64Array {
  let from = cells;
  for (const [stride, count] of [
    [columns * levels * cellSize, rows],
    [levels * cellSize, columns],
    [cellSize, levels],
  ] as const) {
    const to = new Float64Array(from.length);
    for (let at = 0; at < from.length; at++) {
      const step = Math.floor(at / stride) % count;
      const previous = step > 0 ? from[at - stride]! : 0;
      const next = step < count - 1 ? from[at + stride]! : 0;
      to[at] = 0.25 * previous + 0.5 * from[at]! + 0.25 * next;
    }
    from = to;
  }
  return from;
}

/**
 * Where a place shows nothing of a luma, what is of that luma elsewhere speaks for it, and for a luma that is nowhere all that there is:
 * a picture that is finished later may show it there.
 */
function fill(cells: Float64Array, { rows, columns, levels }: Grid): Float64Array {
  const places = rows * columns;
  const everywhere = new Float64Array((levels + 1) * cellSize);
  for (let place = 0; place < places; place++)
    for (let at = 0; at < levels * cellSize; at++) everywhere[at]! += cells[place * levels * cellSize + at]!;
  const all = levels * cellSize;
  for (let at = 0; at < all; at++) everywhere[all + (at % cellSize)]! += everywhere[at]!;
  for (let level = 0; level < levels; level++) {
    for (const [from, weight] of [
      [level * cellSize, likeLumaWeight],
      [all, anyLumaWeight],
    ] as const) {
      const scale = everywhere[from]! > 0 ? weight / everywhere[from]! : 0;
      for (let value = 0; value < cellSize; value++) {
        const share = scale * everywhere[from + value]!;
        for (let place = 0; place < places; place++) cells[(place * levels + level) * cellSize + value]! += share;
      }
    }
  }
  return cells;
}

/** For each cell its weight and its change times its weight, so that cells of few pixels count little where they are blended. */
function solve(cells: Float64Array, { rows, columns, levels }: Grid): Float64Array {
  const count = rows * columns * levels;
  const solved = new Float64Array(count * solvedSize);
  const means = new Float64Array(momentCount);
  for (let cell = 0; cell < count; cell++) {
    const weight = cells[cell * cellSize]!;
    for (let moment = 0; moment < momentCount; moment++) means[moment] = cells[cell * cellSize + 1 + moment]! / weight;
    const at = cell * solvedSize;
    solveAffine(means, 0, identityPull, solved, at + 1);
    solved[at] = weight;
    for (let value = 1; value < solvedSize; value++) solved[at + value]! *= weight;
  }
  return solved;
}

/** Each pixel's coefficients, between the eight cells around its place and luma. */
function slice(
  solved: Float64Array,
  frame: Float32Array,
  { columns, levels }: Grid,
  { down, across, width, height }: Places,
): Float32Array {
  const coefficients = new Float32Array(width * height * coefficientCount);
  const sum = new Float64Array(solvedSize);
  for (let row = 0, pixel = 0; row < height; row++) {
    const top = Math.floor(down[row]!);
    const low = down[row]! - top;
    for (let column = 0; column < width; column++, pixel++) {
      const left = Math.floor(across[column]!);
      const right = across[column]! - left;
      const luma = 1 + lumaOf(frame, pixel) / lumaStep;
      const dark = Math.floor(luma);
      const bright = luma - dark;
      sum.fill(0);
      for (let corner = 0; corner < 8; corner++) {
        const [y, x, z] = [corner >> 2, (corner >> 1) & 1, corner & 1];
        const share = (y ? low : 1 - low) * (x ? right : 1 - right) * (z ? bright : 1 - bright);
        const at = (((top + y) * columns + left + x) * levels + dark + z) * solvedSize;
        for (let value = 0; value < solvedSize; value++) sum[value]! += share * solved[at + value]!;
      }
      const scale = 1 / sum[0]!;
      for (let value = 0; value < coefficientCount; value++)
        coefficients[pixel * coefficientCount + value] = sum[value + 1]! * scale;
    }
  }
  return coefficients;
}

/** How all brightness is stretched about its mean, as a gain beyond 1. */
interface Contrast {
  gain: number;
  mean: number;
}

/** A fit to pictures that agree with each other in part has less contrast than either: how much is missing to that of the edit. */
function missingContrast(
  { before, after, frameCount }: Pick<ClipPair, 'before' | 'after' | 'frameCount'>,
  coefficients: FrameMaps,
): Contrast {
  const changed = (index: number) => {
    const frame = before(index);
    const to = new Float32Array(frame.length);
    changeColours(frame, coefficients(index), to);
    return to;
  };
  const fitted = lumaSpread(changed, frameCount);
  const wanted = lumaSpread(after, frameCount);
  // Pictures of one brightness have none to miss.
  const ratio = fitted.deviation > 0 ? wanted.deviation / fitted.deviation : 1;
  return { gain: Math.min(mostContrast, Math.max(1, ratio)) - 1, mean: fitted.mean };
}

function stretched(fitted: Float32Array, { gain, mean }: Contrast): Float32Array {
  if (gain === 0) return fitted;
  const coefficients = fitted.slice();
  for (let at = 0; at < coefficients.length; at += coefficientCount) {
    for (let into = 0; into < 3; into++) {
      const luma = lumaWeights.reduce((sum, weight, out) => sum + weight * coefficients[at + 3 * out + into]!, 0);
      for (let out = 0; out < 3; out++) coefficients[at + 3 * out + into]! += gain * luma;
    }
    const luma = lumaWeights.reduce((sum, weight, out) => sum + weight * coefficients[at + 9 + out]!, 0);
    for (let out = 0; out < 3; out++) coefficients[at + 9 + out]! += gain * (luma - mean);
  }
  return coefficients;
}

function lumaSpread(frames: FrameMaps, frameCount: number): { mean: number; deviation: number } {
  let [sum, squares, count] = [0, 0, 0];
  for (let index = 0; index < frameCount; index++) {
    const frame = frames(index);
    for (let pixel = 0; pixel < frame.length / 3; pixel++, count++) {
      const luma = lumaOf(frame, pixel);
      sum += luma;
      squares += luma * luma;
    }
  }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}
