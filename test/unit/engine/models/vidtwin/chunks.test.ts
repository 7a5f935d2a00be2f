import { expect, test } from 'vitest';
import type { Pictures } from '../../../../../main/engine/formats/raw-frames.ts';
import { ChunkJoiner, chunkStarts, cutChunk } from '../../../../../main/engine/models/vidtwin/twin-chunks.ts';
import { Random } from '../../../../../main/engine/nn/random.ts';

const lengths = [1, 5, 15, 16, 17, 27, 28, 29, 40, 41, 100, 333];

test.each(lengths)('chunks cover a clip of %i frames, and overlap by a quarter', (frames) => {
  const starts = chunkStarts(frames, 16);
  expect(starts[0]).toBe(0);
  if (frames > 16) expect(starts.at(-1)! + 16).toBe(frames);
  for (const [index, start] of starts.entries())
    if (index > 0) {
      expect(start).toBeGreaterThan(starts[index - 1]!);
      expect(starts[index - 1]! + 16 - start).toBeGreaterThanOrEqual(4);
    }
});

test('no chunk more than needed is coded', () => {
  expect(lengths.map((frames) => chunkStarts(frames, 16).length)).toEqual([1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 8, 28]);
});

const noise = (random: Random, count: number, width: number, height: number): Pictures => ({
  data: Uint8Array.from({ length: count * width * height * 3 }, () => random.integer(256)),
  count,
  width,
  height,
});

/** Pictures as a network would give them. */
function valuesOf({ data, count, width, height }: Pictures, error: () => number = () => 0): Float32Array {
  const values = new Float32Array(data.length);
  for (let frame = 0; frame < count; frame++)
    for (let pixel = 0; pixel < width * height; pixel++)
      for (let channel = 0; channel < 3; channel++)
        values[(channel * count + frame) * width * height + pixel] =
          data[(frame * width * height + pixel) * 3 + channel]! / 127.5 - 1 + error();
  return values;
}

test.each(lengths)('a clip of %i frames that is cut into chunks and joined is the same clip', (count) => {
  const clip = noise(new Random(count), count, 5, 3);
  const starts = chunkStarts(count, 16);
  const joiner = new ChunkJoiner({ frameCount: count, width: 5, height: 3 });
  for (const [index, start] of starts.entries()) {
    const chunk = cutChunk(clip, start, 16, 8, 4);
    joiner.add({ start, values: valuesOf(chunk), frames: 16, width: 8, height: 4 }, starts[index + 1]);
  }
  expect(joiner.result().data).toEqual(clip.data);
});

test('what a clip lacks to whole patches and to a whole chunk repeats its edge', () => {
  const chunk = cutChunk({ data: Uint8Array.from([1, 2, 3, 4, 5, 6]), count: 1, width: 2, height: 1 }, 0, 2, 3, 2);
  const line = [1, 2, 3, 4, 5, 6, 4, 5, 6];
  expect(Array.from(chunk.data)).toEqual([...line, ...line, ...line, ...line]);
});

test('two chunks that disagree by one value all over are faded into each other in equal steps', () => {
  const joiner = new ChunkJoiner({ frameCount: 28, width: 1, height: 1 });
  const flat = (value: number) => new Float32Array(16 * 3).fill(value / 127.5 - 1);
  joiner.add({ start: 0, values: flat(100), frames: 16, width: 1, height: 1 }, 12);
  joiner.add({ start: 12, values: flat(110), frames: 16, width: 1, height: 1 }, undefined);
  const reds = Array.from({ length: 28 }, (_, frame) => joiner.result().data[frame * 3]!);
  expect(reds.slice(10, 18)).toEqual([100, 100, 102, 104, 106, 108, 110, 110]);
});

test('chunks whose errors have nothing in common meet in steps of a fifth of what they disagree on', () => {
  const random = new Random(2);
  const count = 52;
  const clip: Pictures = { data: new Uint8Array(count * 24 * 24 * 3).fill(120), count, width: 24, height: 24 };
  const starts = chunkStarts(count, 16);
  const joiner = new ChunkJoiner({ frameCount: count, width: 24, height: 24 });
  for (const [index, start] of starts.entries()) {
    // Every pixel of a chunk has an error of its own, the same in all its frames: two chunks disagree by 6.7 of 255 on average.
    const errors = Float32Array.from({ length: 24 * 24 * 3 }, () => ((random.uniform() - 0.5) * 20) / 127.5);
    const values = valuesOf(cutChunk(clip, start, 16, 24, 24));
    for (let i = 0; i < values.length; i++) values[i]! += errors[Math.floor(i / (16 * 576)) * 576 + (i % 576)]!;
    joiner.add({ start, values, frames: 16, width: 24, height: 24 }, starts[index + 1]);
  }
  const { data } = joiner.result();
  const size = 24 * 24 * 3;
  for (let frame = 1; frame < count; frame++) {
    let jump = 0;
    for (let i = 0; i < size; i++) jump += Math.abs(data[frame * size + i]! - data[(frame - 1) * size + i]!);
    expect(jump / size).toBeLessThan(1.4);
  }
});
