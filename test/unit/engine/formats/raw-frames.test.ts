import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pictureAt, readRawFrames, sideBySide, writeRawFrames } from '../../../../main/engine/formats/raw-frames.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-frames-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Two frames of 4 x 1, each pixel its number. */
const clip = (first: number) => ({
  data: Uint8Array.from({ length: 24 }, (_, i) => first + Math.floor(i / 3)),
  count: 2,
  width: 4,
  height: 1,
});

describe('raw frame files', () => {
  it('come back as they were written', async () => {
    const written = await writeRawFrames(join(folder, 'a.rgb'), clip(0), { numerator: 8, denominator: 1 });
    expect(await readRawFrames(written)).toEqual(clip(0));
  });

  it('of another size than they claim, or missing, are refused', async () => {
    const written = await writeRawFrames(join(folder, 'b.rgb'), clip(0), { numerator: 8, denominator: 1 });
    await expect(readRawFrames({ ...written, height: 2 })).rejects.toMatchObject({ code: 'damaged-file' });
    await expect(readRawFrames({ ...written, file: join(folder, 'c.rgb') })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('give single frames', () => {
    expect([...pictureAt(clip(0), 1).data.subarray(0, 4)]).toEqual([4, 4, 4, 5]);
  });

  it('stitch the middle halves of two clips', () => {
    const { data } = sideBySide(clip(0), clip(100));
    expect([0, 3, 6, 9, 12].map((i) => data[i])).toEqual([1, 2, 101, 102, 5]);
    expect(() => sideBySide(clip(0), { ...clip(0), count: 1 })).toThrow('stitch');
  });
});
