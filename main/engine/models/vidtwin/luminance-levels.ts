import type { Pictures } from '../../formats/raw-frames.ts';

/** Luminance 0..1 [height, width], smoothed; a value stands for `scale` x `scale` pixels. */
export interface Level {
  values: Float32Array;
  width: number;
  height: number;
  scale: number;
  /** Middle of the whole picture, in its pixels. */
  middle: readonly [x: number, y: number];
}

const largestSide = 160;
const levelCount = 3;
const smallestSide = 16;

/** A frame in up to three sizes, the finest first, none longer than 160; none at all of a picture with a side below 16. */
export function levelsOf(pictures: Pictures, frame: number): Level[] {
  const base = smooth(reduce(pictures, frame));
  if (Math.min(base.width, base.height) < smallestSide) return [];
  const levels = [base];
  while (levels.length < levelCount) {
    const half = halve(levels.at(-1)!);
    if (Math.min(half.width, half.height) < smallestSide) break;
    levels.push(half);
  }
  return levels;
}

/** Luma (BT.709) averaged over squares of pixels. */
function reduce({ data, width, height }: Pictures, frame: number): Level {
  const scale = Math.ceil(Math.max(width, height) / largestSide);
  const [wide, high] = [Math.floor(width / scale), Math.floor(height / scale)];
  const values = new Float32Array(wide * high);
  const share = 1 / (255 * scale * scale);
  for (let row = 0; row < high * scale; row++) {
    const target = Math.floor(row / scale) * wide;
    let from = (frame * height + row) * width * 3;
    for (let column = 0; column < wide; column++) {
      let sum = 0;
      for (let pixel = 0; pixel < scale; pixel++, from += 3)
        sum += 0.2126 * data[from]! + 0.7152 * data[from + 1]! + 0.0722 * data[from + 2]!;
      values[target + column]! += sum * share;
    }
  }
  return { values, width: wide, height: high, scale, middle: [width / 2, height / 2] };
}

/** By 1 2 1 along both axes, the edge repeated. */
function smooth(level: Level): Level {
  const { width, height } = level;
  const along = new Float32Array(level.values.length);
  const { values } = level; // which are written over
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const i = row * width + column;
      const before = column > 0 ? i - 1 : i;
      const after = column < width - 1 ? i + 1 : i;
      along[i] = (values[before]! + 2 * values[i]! + values[after]!) / 4;
    }
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const i = row * width + column;
      const before = row > 0 ? i - width : i;
      const after = row < height - 1 ? i + width : i;
      values[i] = (along[before]! + 2 * along[i]! + along[after]!) / 4;
    }
  return level;
}

function halve({ values, width, height, scale, middle }: Level): Level {
  const [wide, high] = [width >> 1, height >> 1];
  const half = new Float32Array(wide * high);
  for (let row = 0; row < high; row++)
    for (let column = 0; column < wide; column++) {
      const i = 2 * row * width + 2 * column;
      half[row * wide + column] = (values[i]! + values[i + 1]! + values[i + width]! + values[i + width + 1]!) / 4;
    }
  return { values: half, width: wide, height: high, scale: 2 * scale, middle };
}
