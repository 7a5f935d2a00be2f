import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawContactSheet, evenlySpread } from '../../../main/media/contact-sheet.ts';
import type { PictureStream } from '../../../main/media/finished-pictures.ts';
import type { RawFrames } from '../../../shared/domain/clip.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-sheet-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function clipOf(
  name: string,
  frameCount: number,
  width: number,
  height: number,
  grey: (frame: number) => number,
) {
  const file = join(folder, name);
  const bytes = new Uint8Array(frameCount * width * height * 3);
  for (let frame = 0; frame < frameCount; frame++) {
    bytes.fill(grey(frame), frame * width * height * 3, (frame + 1) * width * height * 3);
  }
  await writeFile(file, bytes);
  return { file, frameCount, width, height, rate: { numerator: 8, denominator: 1 } } satisfies RawFrames;
}

async function pixelsOf(png: Buffer) {
  const image = await loadImage(png);
  const canvas = createCanvas(image.width, image.height);
  canvas.getContext('2d').drawImage(image, 0, 0);
  const at = (x: number, y: number) => canvas.getContext('2d').getImageData(x, y, 1, 1).data[0]!;
  return { width: image.width, height: image.height, at };
}

test('a sheet shows every row, with time running to the right', async () => {
  const rows = [
    { label: 'source', frames: await clipOf('a.rgb', 17, 16, 16, (frame) => frame * 10) },
    { label: 'edit', note: 'a person in a red jacket', frames: await clipOf('b.rgb', 17, 16, 16, () => 255) },
  ];
  const sheet = await pixelsOf(await drawContactSheet(rows, { title: 'Test', columns: 5, pictureHeight: 40 }));
  const column = (index: number) => 210 + index * 46 + 20;
  const firstRow = 56 + 20;
  expect([0, 1, 2, 3, 4].map((index) => sheet.at(column(index), firstRow))).toEqual([0, 40, 80, 120, 160]);
  expect(sheet.at(column(4), firstRow + 46)).toBe(255);
});

test('finished pictures are made for the sheet at its size, and what they were made from stands beside them', async () => {
  const own = await clipOf('own.rgb', 3, 16, 16, (frame) => 50 + frame * 50);
  const asked: object[] = [];
  const finished: PictureStream = {
    width: 400,
    height: 400,
    frameCount: 3,
    rate: own.rate,
    fromSeconds: 0,
    timecode: null,
    notes: [],
    isDeep: false,
    sizeFor: ({ height }) => ({ width: height, height }),
    async write(wanted, put) {
      asked.push(wanted);
      for (const grey of [10, 20, 30]) await put(new Uint8Array(40 * 40 * 3).fill(grey));
    },
  };
  const row = { label: 'edit', frames: finished, beside: { label: 'small', frames: own } };
  const sheet = await pixelsOf(await drawContactSheet([row], { columns: 2, pictureHeight: 40 }));
  expect(asked).toEqual([{ width: 40, height: 40, rate: own.rate, frameCount: 3 }]);
  expect([0, 1].map((column) => sheet.at(210 + column * 46 + 20, 56 + 20))).toEqual([10, 30]);
  const besideLeft = 210 + 2 * 46;
  expect(sheet.at(besideLeft + 10, 56 + 10)).toBe(100);
  expect(sheet.at(besideLeft + 30, 56 + 10)).toBeLessThan(50);
});

test('labels are drawn, also on a machine without fonts', async () => {
  const frames = await clipOf('c.rgb', 1, 8, 8, () => 0);
  const [plain, labelled] = await Promise.all(
    ['', 'reconstruction'].map(async (label) => pixelsOf(await drawContactSheet([{ label, frames }]))),
  );
  const ink = (sheet: Awaited<ReturnType<typeof pixelsOf>>) => {
    let sum = 0;
    for (let x = 12; x < 130; x++) for (let y = 60; y < 80; y++) sum += sheet.at(x, y);
    return sum;
  };
  expect(ink(labelled!)).toBeGreaterThan(ink(plain!) + 5000);
});

test('a file that ends too early is reported as damaged', async () => {
  const frames = await clipOf('d.rgb', 2, 8, 8, () => 0);
  await expect(drawContactSheet([{ label: 'x', frames: { ...frames, frameCount: 5 } }])).rejects.toMatchObject({
    code: 'damaged-file',
  });
});

test('frames are spread evenly from the first to the last', () => {
  expect(evenlySpread(17, 5)).toEqual([0, 4, 8, 12, 16]);
  expect(evenlySpread(1, 8)).toEqual([0]);
  expect(evenlySpread(3, 8)).toEqual([0, 1, 2]);
});
