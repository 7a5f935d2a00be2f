import type { Pictures } from '../../formats/raw-frames.ts';
import { type Affine, inverseOf } from './affine.ts';
import { type CameraPath, isStill } from './camera-path.ts';
import type { ChunkValues } from './twin-chunks.ts';

/**
 * A clip as the still window of its camera's path: picture t shows frame t at its place in the window, and around it what the frame nearest in time shows
 * that sees the place, or the nearest edge where none does. A path that is all identity gives the clip itself.
 */
export function steady(pictures: Pictures, path: CameraPath): Pictures {
  if (isStill(path)) return pictures;
  const { data: source, count, width, height } = pictures;
  const data = new Uint8Array(source.length);
  const inverses = path.map((map) => inPixels(inverseOf(map), width, height));
  for (let frame = 0; frame < count; frame++) {
    const others = path.map((_, index) => index).sort((a, b) => Math.abs(a - frame) - Math.abs(b - frame));
    const maps = Float64Array.from(others.flatMap((other) => inverses[other]!));
    const [a, b, c, d, e, f] = inverses[frame]!;
    let target = frame * height * width * 3;
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++, target += 3) {
        const u = a * column + b * row + c;
        const v = d * column + e * row + f;
        if (!(u >= 0 && v >= 0 && u < width - 1 && v < height - 1)) {
          readOther(pictures, maps, others, column, row, data, target);
          continue;
        }
        const left = u | 0;
        const top = v | 0;
        const share = u - left;
        const low = v - top;
        const i = ((frame * height + top) * width + left) * 3;
        const j = i + width * 3;
        for (let channel = 0; channel < 3; channel++) {
          const upper = source[i + channel]! + share * (source[i + 3 + channel]! - source[i + channel]!);
          const lower = source[j + channel]! + share * (source[j + 3 + channel]! - source[j + channel]!);
          data[target + channel] = upper + low * (lower - upper) + 0.5;
        }
      }
  }
  return { data, count, width, height };
}

/** What the frame shows that sees a place of the window, or lies nearest to it: the first such of `others`, whose maps follow each other in `maps`. */
function readOther(
  pictures: Pictures,
  maps: Float64Array,
  others: readonly number[],
  column: number,
  row: number,
  into: Uint8Array,
  target: number,
): void {
  const { width, height } = pictures;
  let least = Number.POSITIVE_INFINITY;
  let from = 0;
  let x = 0;
  let y = 0;
  for (let index = 0; index < others.length && least > 0; index++) {
    const i = 6 * index;
    const u = maps[i]! * column + maps[i + 1]! * row + maps[i + 2]!;
    const v = maps[i + 3]! * column + maps[i + 4]! * row + maps[i + 5]!;
    const isInside = u >= -0.5 && v >= -0.5 && u <= width - 0.5 && v <= height - 0.5;
    const outside = isInside
      ? 0
      : Math.max(-0.5 - u, u + 0.5 - width, 0) ** 2 + Math.max(-0.5 - v, v + 0.5 - height, 0) ** 2;
    if (outside >= least) continue;
    least = outside;
    from = others[index]!;
    x = u;
    y = v;
  }
  readBytes(pictures, from, x, y, into, target);
}

/** A map of fractions as one of pixels, counted from the middle of the first. */
function inPixels([a, b, c, d, e, f]: Affine, width: number, height: number): Affine {
  const [across, down] = [(b * width) / height, (d * height) / width];
  return [a, across, (a + across - 1) / 2 + c * width, down, e, (down + e - 1) / 2 + f * height];
}

/** A frame's colours between its pixels, x and y counted in those from the middle of the first. */
function readBytes(
  { data, width, height }: Pictures,
  frame: number,
  x: number,
  y: number,
  into: Uint8Array,
  target: number,
): void {
  const u = Math.max(0, Math.min(width - 1, x));
  const v = Math.max(0, Math.min(height - 1, y));
  const left = u | 0;
  const top = v | 0;
  const share = u - left;
  const low = v - top;
  const first = ((frame * height + top) * width + left) * 3;
  const right = left < width - 1 ? 3 : 0;
  const down = top < height - 1 ? width * 3 : 0;
  for (let i = first; i < first + 3; i++) {
    const upper = data[i]! + share * (data[i + right]! - data[i]!);
    const lower = data[i + down]! + share * (data[i + down + right]! - data[i + down]!);
    into[target + i - first] = upper + low * (lower - upper) + 0.5;
  }
}

/**
 * The inverse of `steady` for what it shows of the frames: frame t is picture t of the window where the path says, [3, height, width]. The window may have been
 * padded at its right and its bottom: it ends at `size`, which is also what comes out, in `into`. A map that is the identity gives the picture itself.
 */
export function unsteady(
  { values: source, frames, width: wide, height: high }: ChunkValues,
  frame: number,
  map: Affine,
  { width, height }: { width: number; height: number },
  into: Float32Array,
): void {
  const [a, b, c, d, e, f] = inPixels(map, width, height);
  const [plane, cut] = [frames * high * wide, height * width];
  for (let row = 0, target = 0; row < height; row++)
    for (let column = 0; column < width; column++, target++) {
      const u = Math.max(0, Math.min(width - 1, a * column + b * row + c));
      const v = Math.max(0, Math.min(height - 1, d * column + e * row + f));
      const left = u | 0;
      const top = v | 0;
      const share = u - left;
      const low = v - top;
      const right = left < width - 1 ? 1 : 0;
      const down = top < height - 1 ? wide : 0;
      let i = (frame * high + top) * wide + left;
      for (let to = target; to < 3 * cut; to += cut, i += plane) {
        const upper = source[i]! + share * (source[i + right]! - source[i]!);
        const lower = source[i + down]! + share * (source[i + down + right]! - source[i + down]!);
        into[to] = upper + low * (lower - upper);
      }
    }
}
