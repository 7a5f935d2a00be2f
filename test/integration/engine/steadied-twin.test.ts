import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../../../main/engine/backends/select.ts';
import * as tf from '../../../main/engine/backends/tf.ts';
import { readJson } from '../../../main/engine/formats/diffusers.ts';
import type { Pictures } from '../../../main/engine/formats/raw-frames.ts';
import { openTwinAutoencoder } from '../../../main/engine/models/autoencoders.ts';
import type { TwinAutoencoder, TwinLatents } from '../../../main/engine/models/twin-autoencoder.ts';
import { readTwinFile, writeTwinFile } from '../../../main/engine/models/twin-file.ts';
import { findCameraPath } from '../../../main/engine/models/vidtwin/camera-path.ts';
import { steady } from '../../../main/engine/models/vidtwin/steady-clip.ts';
import { cutChunk } from '../../../main/engine/models/vidtwin/twin-chunks.ts';
import { twinConfigSchema } from '../../../main/engine/models/vidtwin/twin-config.ts';
import { Random } from '../../../main/engine/nn/random.ts';
import { clipsBySize, drawTwinBatch } from '../../../main/engine/training/twin/twin-batches.ts';
import { twinTraining } from '../../../shared/domain/twin.ts';
import { drawClip } from '../../unit/engine/models/vidtwin/drawn-camera.ts';
import { temporaryFolder } from './tiny-model.ts';

/** Random networks of six frames a chunk, in patches of 4 x 4; one is the other with its clips steadied. */
const plainFolder = fileURLToPath(new URL('../../golden/vidtwin/full', import.meta.url));
const whole = { structure: 1, dynamics: 1 };
const frames = 6;
const size = { width: 62, height: 45 };

let folder: string;
let plain: TwinAutoencoder;
let steadied: TwinAutoencoder;

beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime' });
  folder = await temporaryFolder();
  const own = join(folder, 'steadied');
  await cp(plainFolder, own, { recursive: true });
  const config = JSON.parse(await readFile(join(own, 'config.json'), 'utf8'));
  await writeFile(join(own, 'config.json'), JSON.stringify({ ...config, steadied: true }));
  plain = await openTwinAutoencoder(plainFolder);
  steadied = await openTwinAutoencoder(own);
});
afterAll(async () => {
  await plain.dispose();
  await steadied.dispose();
  await rm(folder, { recursive: true });
});

const panned = (count = frames) =>
  drawClip(
    Array.from({ length: count }, (_, frame) => ({ x: 2 * frame, y: -frame })),
    size,
  );
const still = (count = frames) =>
  drawClip(
    Array.from({ length: count }, () => ({ x: 0, y: 0 })),
    { ...size, disc: 0.2 },
  );
const dispose = ({ structure, dynamics }: TwinLatents) => tf.dispose([structure, dynamics!]);

test('the path is six numbers of each frame in lines behind the columns, and counts in the rate', async () => {
  const { structure, dynamics } = steadied.shapesOf(size.width, size.height);
  const before = plain.shapesOf(size.width, size.height);
  expect(structure).toEqual(before.structure);
  // Five channels: two lines hold six numbers.
  expect(dynamics).toEqual([frames, 5, before.dynamics![2]! + 2]);
  const clip = { ...size, frameCount: frames };
  const pixels = 3 * frames * size.width * size.height;
  expect(steadied.rateOf(clip) - plain.rateOf(clip)).toBeCloseTo((frames * 5 * 2) / pixels, 12);
  const latents = await steadied.encodeTwin(panned());
  expect(latents.dynamics!.shape).toEqual([1, ...dynamics!]);
  const path = findCameraPath(cutChunk(panned(), 0, frames, size.width, size.height));
  const lines = await tf.slice(latents.dynamics!, [0, 0, 0, before.dynamics![2]!], [1, frames, 5, 2]).data();
  for (const [frame, [a, b, c, d, e, f]] of path.entries())
    for (const [index, value] of [a - 1, b, c, d, e - 1, f, 0, 0, 0, 0].entries())
      expect(lines[frame * 10 + index]).toBeCloseTo(16 * value, 5);
  dispose(latents);
});

test('a camera that stands still is coded as by the network alone, to the bit', async () => {
  const [made, expected] = await Promise.all([through(steadied, still()), through(plain, still())]);
  expect(made.data).toEqual(expected.data);
});

test('one that moves is coded as the window, which is what is left of it without dynamics', async () => {
  const path = findCameraPath(panned());
  const window = steady(panned(), path);
  const [latents, expected] = [await steadied.encodeTwin(panned()), await plain.encodeTwin(window)];
  expect(await latents.structure.data()).toEqual(await expected.structure.data());
  const views = { structure: 1, dynamics: 0 };
  const [held, seen] = [await steadied.decodeTwin(latents, views), await plain.decodeTwin(expected, views)];
  expect(held.data).toEqual(seen.data);
  dispose(latents);
  dispose(expected);
});

test('the camera of one clip moves over what another shows', async () => {
  const [a, b] = [await steadied.encodeTwin(still()), await steadied.encodeTwin(panned())];
  // The same dynamics but for the path: what differs is the camera's doing.
  const columns = plain.shapesOf(size.width, size.height).dynamics![2]!;
  const own = tf.slice(a.dynamics!, [0, 0, 0, 0], [1, frames, 5, columns]);
  const camera = tf.slice(b.dynamics!, [0, 0, 0, columns], [1, frames, 5, 2]);
  const dynamics = tf.concat([own, camera], 3);
  const [stood, moved] = [await steadied.decodeTwin(a, whole), await steadied.decodeTwin({ ...a, dynamics }, whole)];
  const path = findCameraPath(panned());
  const at = ({ data }: Pictures, frame: number, x: number, y: number) => {
    const [column, row] = [Math.max(0, Math.min(size.width - 1, x)), Math.max(0, Math.min(size.height - 1, y))];
    const value = (u: number, v: number) => data[((frame * size.height + v) * size.width + u) * 3 + 1]!;
    const [left, top] = [Math.min(Math.floor(column), size.width - 2), Math.min(Math.floor(row), size.height - 2)];
    const [share, low] = [column - left, row - top];
    return (
      (1 - low) * ((1 - share) * value(left, top) + share * value(left + 1, top)) +
      low * ((1 - share) * value(left, top + 1) + share * value(left + 1, top + 1))
    );
  };
  let changed = 0;
  for (const [frame, [ax, bx, cx, dy, ey, fy]] of path.entries())
    for (let row = 2; row < size.height; row += 5)
      for (let column = 2; column < size.width; column += 5) {
        const [px, py] = [(column + 0.5) / size.width, (row + 0.5) / size.height];
        const [x, y] = [(ax * px + bx * py + cx) * size.width - 0.5, (dy * px + ey * py + fy) * size.height - 0.5];
        const found = at(moved, frame, column, row);
        // What goes beyond black and white is cut off before this is mixed, and there behind it.
        if (found === 0 || found === 255) continue;
        const corners = [Math.floor, Math.ceil].flatMap((v) =>
          [Math.floor, Math.ceil].map((u) => at(stood, frame, u(x), v(y))),
        );
        if (corners.some((value) => value === 0 || value === 255)) continue;
        expect(Math.abs(found - at(stood, frame, x, y))).toBeLessThanOrEqual(1.5);
        if (Math.abs(found - at(stood, frame, column, row)) > 8) changed++;
      }
  expect(changed).toBeGreaterThan(50);
  tf.dispose([own, camera, dynamics]);
  dispose(a);
  dispose(b);
});

test('a file keeps the path to a tenth of a pixel of a picture 1080 wide', async () => {
  const latents = await steadied.encodeTwin(panned());
  const file = join(folder, 'panned.twin');
  const network = { name: steadied.name, fingerprint: await steadied.fingerprint() };
  await writeTwinFile(file, { latents, network, rate: { numerator: 8, denominator: 1 } });
  const stored = await readTwinFile(file);
  const columns = plain.shapesOf(size.width, size.height).dynamics![2]!;
  const pathOf = async ({ dynamics }: TwinLatents) =>
    Array.from(await tf.slice(dynamics!, [0, 0, 0, columns], [1, frames, 5, 2]).data());
  const [kept, own] = [await pathOf(stored.latents), await pathOf(latents)];
  const largest = Math.max(...own.map(Math.abs)) / 16;
  expect(largest).toBeGreaterThan(0.1); // of the picture
  for (const [index, value] of kept.entries()) expect((1080 * Math.abs(value - own[index]!)) / 16).toBeLessThan(0.1);
  const [made, direct] = [await steadied.decodeTwin(stored.latents, whole), await steadied.decodeTwin(latents, whole)];
  expect(meanDifference(made, direct)).toBeLessThan(1);
  dispose(latents);
  dispose(stored.latents);
});

test('a clip of several chunks has the length and size of the clip, each chunk with a path of its own', async () => {
  const clip = panned(15);
  const latents = await steadied.encodeTwin(clip);
  expect(latents.structure.shape[0]).toBe(3);
  const made = await steadied.decodeTwin(latents, whole);
  expect(made).toMatchObject({ count: 15, ...size });
  expect(made.data).toHaveLength(clip.data.length);
  dispose(latents);
});

test('training sees the window, and makes noise for what the network itself gives', async () => {
  const even = { width: 64, height: 48 };
  const clip = drawClip(
    Array.from({ length: frames }, (_, frame) => ({ x: 2 * frame, y: -frame })),
    even,
  );
  const file = join(folder, 'panned.rgb');
  await writeFile(file, clip.data);
  const raw = { file, frameCount: frames, ...even, rate: { numerator: 8, denominator: 1 } };
  const config = await readJson(join(steadied.folder, 'config.json'), twinConfigSchema);
  const steps: number[] = [];
  for (const isSteadied of [true, false]) {
    const own = { ...config, steadied: isSteadied };
    const training = twinTraining.parse({ batchSize: 2 });
    const batch = await drawTwinBatch(own, clipsBySize(own, [raw]), training, 0, new Random(4));
    expect(batch.noise.dynamics!.shape).toEqual([2, ...plain.shapesOf(even.width, even.height).dynamics!]);
    const [before, after] = [0, 1].map((from) =>
      tf.slice(batch.clips, [0, 0, from, 0, 0], [2, 3, frames - 1, even.height, even.width]),
    ) as [tf.Tensor, tf.Tensor];
    steps.push((await tf.mean(tf.abs(tf.sub(after, before))).data())[0]!);
    tf.dispose([batch.clips, batch.noise.structure, batch.noise.dynamics!, batch.looked, ...Object.values(batch.keep)]);
  }
  expect(steps[0]).toBeLessThan(steps[1]! / 3);
});

async function through(twin: TwinAutoencoder, pictures: Pictures): Promise<Pictures> {
  const latents = await twin.encodeTwin(pictures);
  const made = await twin.decodeTwin(latents, whole);
  dispose(latents);
  return made;
}

function meanDifference(a: Pictures, b: Pictures): number {
  return a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]!), 0) / a.data.length;
}
