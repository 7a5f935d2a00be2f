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

/**
 * A frame in up to three sizes, the finest first, none longer than 160; none at all of a picture with a side below 16. The arrays of `spent`, another
 * frame's levels, are written over.
 */
export function levelsOf(pictures: Pictures, frame: number, spent: readonly Level[] = []): Level[] {
  const base = smooth(reduce(pictures, frame, spent[0]?.values));
  if (Math.min(base.width, base.height) < smallestSide) return [];
  const levels = [base];
  while (levels.length < levelCount) {
    const half = halve(levels.at(-1)!, spent[levels.length]?.values);
    if (Math.min(half.width, half.height) < smallestSide) break;
    levels.push(half);
  }
  return levels;
}

/** Luma (BT.709) averaged over squares of pixels. */
function reduce({ data, width, height }: Pictures, frame: number, spent?: Float32Array): Level {
  const scale = Math.ceil(Math.max(width, height) / largestSide);
  const [wide, high] = [Math.floor(width / scale), Math.floor(height / scale)];
  const values = spent?.fill(0) ?? new Float32Array(wide * high);
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

/** By 1 2 1 along both axes, the edge repeated; in place. */
function smooth(level: Level): Level {
  const { width, values } = level;
  for (let begin = 0; begin < values.length; begin += width) {
    let before = values[begin]!;
    for (let i = begin; i < begin + width; i++) {
      const value = values[i]!;
      values[i] = (before + 2 * value + values[i < begin + width - 1 ? i + 1 : i]!) / 4;
      before = value;
    }
  }
  const above = values.slice(0, width);
  const last = values.length - width;
  for (let begin = 0; begin <= last; begin += width)
    for (let i = begin; i < begin + width; i++) {
      const value = values[i]!;
      values[i] = (above[i - begin]! + 2 * value + values[i < last ? i + width : i]!) / 4;
      above[i - begin] = value;
    }
  return level;
}

function halve({ values, width, height, scale, middle }: Level, spent?: Float32Array): Level {
  const [wide, high] = [width >> 1, height >> 1];
  const half = spent ?? new Float32Array(wide * high);
  for (let row = 0; row < high; row++)
    for (let column = 0; column < wide; column++) {
      const i = 2 * row * width + 2 * column;
      half[row * wide + column] = (values[i]! + values[i + 1]! + values[i + width]! + values[i + width + 1]!) / 4;
    }
  return { values: half, width: wide, height: high, scale: 2 * scale, middle };
}
