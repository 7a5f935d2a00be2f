import type { Pictures } from '../../formats/raw-frames.ts';
import { isIdentity } from './affine.ts';
import type { CameraPath } from './camera-path.ts';
import { unsteady } from './steady-clip.ts';

/** A clip of any length as chunks of as many frames as the network takes, and one clip again. */

/** At least this share of a chunk is coded with the one before too. */
const overlapShare = 1 / 4;

/**
 * Where chunks of `length` frames begin: as few as overlap by a quarter, spread evenly over the clip, the first at its beginning and the
 * last at its end. A clip no longer than a chunk is one.
 */
export function chunkStarts(frameCount: number, length: number): number[] {
  if (frameCount <= length) return [0];
  const overlap = Math.floor(length * overlapShare);
  const count = Math.ceil((frameCount - overlap) / (length - overlap));
  return Array.from({ length: count }, (_, index) => Math.round((index * (frameCount - length)) / (count - 1)));
}

/** Frames `start` to `start + length` of a clip, its last one held behind its end, with sides repeated up to `width` and `height`. */
export function cutChunk(pictures: Pictures, start: number, length: number, width: number, height: number): Pictures {
  const isWhole = start === 0 && length === pictures.count;
  if (isWhole && width === pictures.width && height === pictures.height) return pictures;
  const data = new Uint8Array(length * height * width * 3);
  const line = pictures.width * 3;
  for (let frame = 0; frame < length; frame++) {
    const from = Math.min(pictures.count - 1, start + frame);
    for (let row = 0; row < height; row++) {
      const begin = (from * pictures.height + Math.min(row, pictures.height - 1)) * line;
      const target = (frame * height + row) * width * 3;
      data.set(pictures.data.subarray(begin, begin + line), target);
      const last = pictures.data.subarray(begin + line - 3, begin + line);
      for (let column = pictures.width; column < width; column++) data.set(last, target + column * 3);
    }
  }
  return { data, count: length, width, height };
}

/** Pixels of one chunk, [3, frames, height, width] in -1..1, as the network gives them. */
export interface ChunkValues {
  values: Float32Array;
  frames: number;
  width: number;
  height: number;
}

export type DecodedChunk = ChunkValues & {
  start: number;
  /** Along which the camera went over these pictures, which are its still window. */
  path?: CameraPath;
};

/**
 * Joins chunks that come in their order. Frame j of the n that a chunk shares with what came before it takes (j + 1) / (n + 1) of the new
 * chunk: no frame jumps by more of what the two disagree on than 1 / (n + 1), and where they agree nothing changes.
 */
export class ChunkJoiner {
  readonly #result: Pictures;
  /** Frames that the next chunk may still change, by index, as values [3, height, width] cut to the clip's size. */
  readonly #open = new Map<number, Float32Array>();
  /** What a frame was in that has been written. */
  readonly #spent: Float32Array[] = [];

  constructor({ frameCount, width, height }: { frameCount: number; width: number; height: number }) {
    this.#result = { data: new Uint8Array(frameCount * height * width * 3), count: frameCount, width, height };
  }

  add(chunk: DecodedChunk, nextStart: number | undefined): void {
    const end = Math.min(chunk.start + chunk.frames, this.#result.count);
    const shared = [...this.#open.keys()].filter((frame) => frame >= chunk.start).length;
    for (let frame = chunk.start; frame < end; frame++) {
      const values = this.#frameOf(chunk, frame - chunk.start);
      const before = this.#open.get(frame);
      if (before) {
        const share = (frame - chunk.start + 1) / (shared + 1);
        for (let i = 0; i < values.length; i++) values[i] = before[i]! + share * (values[i]! - before[i]!);
        this.#spent.push(before);
      }
      this.#open.set(frame, values);
      if (nextStart !== undefined && frame >= nextStart) continue;
      this.#write(frame, values);
      this.#open.delete(frame);
      this.#spent.push(values);
    }
  }

  /** The whole clip, once the last chunk was added. */
  result(): Pictures {
    if (this.#open.size > 0) throw new Error(`${this.#open.size} frames still wait for another chunk`);
    return this.#result;
  }

  #frameOf(chunk: DecodedChunk, frame: number): Float32Array {
    const { values, frames, width, height, path } = chunk;
    const { width: cutWidth, height: cutHeight } = this.#result;
    const cut = this.#spent.pop() ?? new Float32Array(3 * cutHeight * cutWidth);
    if (path && !isIdentity(path[frame]!)) {
      unsteady(chunk, frame, path[frame]!, this.#result, cut);
      return cut;
    }
    for (let channel = 0; channel < 3; channel++)
      for (let row = 0; row < cutHeight; row++) {
        const begin = ((channel * frames + frame) * height + row) * width;
        cut.set(values.subarray(begin, begin + cutWidth), (channel * cutHeight + row) * cutWidth);
      }
    return cut;
  }

  #write(frame: number, values: Float32Array): void {
    const pixels = this.#result.width * this.#result.height;
    const { buffer, byteOffset } = this.#result.data;
    const written = new Uint8ClampedArray(buffer, byteOffset + frame * pixels * 3, pixels * 3); // which rounds and clips
    for (let channel = 0, from = 0; channel < 3; channel++)
      for (let target = channel; target < 3 * pixels; target += 3) written[target] = (values[from++]! + 1) * 127.5;
  }
}
