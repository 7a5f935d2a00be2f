import type { Placement } from './placement.ts';

/** Lays a map [height, width, channels] over a picture, between its places; its edges go on outwards. */
export interface LayOver {
  /** For each column of the picture the column of the map to its left, the next one, and how far to the right of the first it lies. */
  left: Int32Array;
  right: Int32Array;
  share: Float32Array;
  /** The map's values along a row of the picture [width, channels], of the map's width, to `to`. */
  rowOf(map: Float32Array, channels: number, row: number, to: Float32Array): void;
}

export function layOver(
  pictureWidth: number,
  placement: Placement,
  { width, height }: { width: number; height: number },
): LayOver {
  const left = new Int32Array(pictureWidth);
  const right = new Int32Array(pictureWidth);
  const share = new Float32Array(pictureWidth);
  for (let column = 0; column < pictureWidth; column++) {
    const x = within(((column + 0.5 - placement.left) * width) / placement.width - 0.5, width);
    left[column] = Math.floor(x);
    right[column] = Math.min(width - 1, left[column]! + 1);
    share[column] = x - left[column]!;
  }
  return {
    left,
    right,
    share,
    rowOf(map, channels, row, to) {
      const y = within(((row + 0.5 - placement.top) * height) / placement.height - 0.5, height);
      const above = Math.floor(y);
      const low = y - above;
      const length = width * channels;
      const [first, second] = [above * length, Math.min(height - 1, above + 1) * length];
      for (let at = 0; at < length; at++) to[at] = map[first + at]! + low * (map[second + at]! - map[first + at]!);
    },
  };
}

const within = (place: number, count: number) => Math.min(count - 1, Math.max(0, place));
