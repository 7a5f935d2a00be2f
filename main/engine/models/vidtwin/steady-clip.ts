import type { Pictures } from '../../formats/raw-frames.ts';
import { type Affine, type CameraPath, isStill, mapX, mapY } from './camera-path.ts';
import type { ChunkValues } from './twin-chunks.ts';

/**
 * A clip as the still window of its camera's path: picture t shows frame t at its place in the window, and around it what the frame nearest in time shows
 * that sees the place, or the nearest edge where none does. A path that is all identity gives the clip itself.
 */
export function steady(pictures: Pictures, path: CameraPath): Pictures {
  if (isStill(path)) return pictures;
  const { count, width, height } = pictures;
  const data = new Uint8Array(pictures.data.length);
  const inverses = path.map(inverseOf);
  for (let frame = 0; frame < count; frame++) {
    const others = path.map((_, index) => index).sort((a, b) => Math.abs(a - frame) - Math.abs(b - frame));
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const px = (column + 0.5) / width;
        const py = (row + 0.5) / height;
        let least = Number.POSITIVE_INFINITY;
        let from = frame;
        let x = 0;
        let y = 0;
        for (let index = 0; index < count && least > 0; index++) {
          const other = others[index]!;
          const u = mapX(inverses[other]!, px, py) * width;
          const v = mapY(inverses[other]!, px, py) * height;
          const outside = Math.max(-u, u - width, 0) ** 2 + Math.max(-v, v - height, 0) ** 2;
          if (outside >= least) continue;
          least = outside;
          from = other;
          x = u;
          y = v;
        }
        readBytes(pictures, from, x - 0.5, y - 0.5, data, ((frame * height + row) * width + column) * 3);
      }
  }
  return { data, count, width, height };
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
 * The inverse of `steady` for what it shows of the frames: frame t is picture t of the window where the path says. The window may have been padded at its right
 * and its bottom: it ends at `size`, which is also what comes out. A path that is all identity gives the chunk itself.
 */
export function unsteady(
  chunk: ChunkValues,
  path: CameraPath,
  { width, height }: { width: number; height: number },
): ChunkValues {
  if (isStill(path)) return chunk;
  const { values: source, frames } = chunk;
  const values = new Float32Array(3 * frames * height * width);
  for (const [frame, map] of path.entries())
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const px = (column + 0.5) / width;
        const py = (row + 0.5) / height;
        const u = Math.max(0, Math.min(width - 1, mapX(map, px, py) * width - 0.5));
        const v = Math.max(0, Math.min(height - 1, mapY(map, px, py) * height - 0.5));
        const left = u | 0;
        const top = v | 0;
        const share = u - left;
        const low = v - top;
        const right = left < width - 1 ? 1 : 0;
        const down = top < height - 1 ? chunk.width : 0;
        for (let channel = 0; channel < 3; channel++) {
          const plane = channel * frames + frame;
          const i = (plane * chunk.height + top) * chunk.width + left;
          const upper = source[i]! + share * (source[i + right]! - source[i]!);
          const lower = source[i + down]! + share * (source[i + down + right]! - source[i + down]!);
          values[(plane * height + row) * width + column] = upper + low * (lower - upper);
        }
      }
  return { values, frames, width, height };
}

function inverseOf([a, b, c, d, e, f]: Affine): Affine {
  const size = a * e - b * d;
  return [e / size, -b / size, (b * f - c * e) / size, -d / size, a / size, (c * d - a * f) / size];
}

/** The path times a strength: 0 holds the camera still over the window, 1 is the path itself. */
export const scalePath = (path: CameraPath, strength: number): CameraPath =>
  path.map(
    ([a, b, c, d, e, f]): Affine => [
      1 + strength * (a - 1),
      strength * b,
      strength * c,
      strength * d,
      1 + strength * (e - 1),
      strength * f,
    ],
  );
