import { open, readFile, stat } from 'node:fs/promises';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { Rational } from '../../../shared/domain/time.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { writeWhole } from '../../files/place.ts';

/** Pictures in memory as raw frame files hold them: uint8 RGB, [count, height, width, 3]. */
export type Pictures = { data: Uint8Array; count: number; width: number; height: number };

/** Reads a raw frame file, all of it or some frames. Throws `not-found`, or `damaged-file` when its size is not what its description says. */
export async function readRawFrames(
  { file, frameCount, width, height }: RawFrames,
  part?: { first: number; count: number },
): Promise<Pictures> {
  const expected = frameCount * height * width * 3;
  const size = await stat(file).then(
    (found) => found.size,
    (cause) => {
      throw new AppError('not-found', `the frames ${file} cannot be read: ${(cause as Error).message}`, { cause });
    },
  );
  if (size !== expected)
    throw new AppError(
      'damaged-file',
      `${file} has ${size} bytes; ${frameCount} frames of ${width} x ${height} have ${expected}`,
      { hint: 'Import the clip again.' },
    );
  if (!part) return { data: new Uint8Array(await readFile(file)), count: frameCount, width, height };
  const frameBytes = height * width * 3;
  const data = new Uint8Array(part.count * frameBytes);
  const handle = await open(file, 'r');
  try {
    await handle.read(data, 0, data.length, part.first * frameBytes);
  } finally {
    await handle.close();
  }
  return { data, count: part.count, width, height };
}

/** Writes a raw frame file: beside, then renamed. */
export async function writeRawFrames(file: string, pictures: Pictures, rate: Rational): Promise<RawFrames> {
  await writeWhole(file, pictures.data);
  return { file, frameCount: pictures.count, width: pictures.width, height: pictures.height, rate };
}

/** Puts further frames behind those that are written. */
export type RawFramesWriter = (frames: Uint8Array) => Promise<void>;

/** Writes a raw frame file bit by bit: beside, then renamed once `make` is done. */
export async function writeFramesBy(file: string, make: (write: RawFramesWriter) => Promise<void>): Promise<void> {
  await writeWhole(file, (handle) => make((frames) => handle.writeFile(frames)));
}

/** One frame of a clip, without copying. */
export function pictureAt({ data, width, height }: Pictures, index: number): Pictures {
  const size = width * height * 3;
  return { data: data.subarray(index * size, (index + 1) * size), count: 1, width, height };
}

/** Two clips of equal size and length as one of the same size: the middle half of each, left and right. */
export function sideBySide(left: Pictures, right: Pictures): Pictures {
  const { width, height, count } = left;
  if (right.width !== width || right.height !== height || right.count !== count)
    throw new Error(
      `cannot stitch ${count} frames of ${width} x ${height} to ${right.count} of ${right.width} x ${right.height}`,
    );
  const leftWidth = Math.ceil(width / 2);
  const data = new Uint8Array(left.data.length);
  const copy = (from: Pictures, row: number, start: number, length: number, to: number) => {
    const begin = (row * width + start) * 3;
    data.set(from.data.subarray(begin, begin + length * 3), (row * width + to) * 3);
  };
  const margin = Math.floor((width - leftWidth) / 2);
  for (let row = 0; row < count * height; row++) {
    copy(left, row, margin, leftWidth, 0);
    copy(right, row, margin, width - leftWidth, leftWidth);
  }
  return { data, count, width, height };
}
