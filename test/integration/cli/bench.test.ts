import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstPicture, makeBenchClip, timeFfmpeg } from '../../../main/cli/bench/ffmpeg-work.ts';
import { locateMediaTools } from '../../../main/media/locate.ts';
import { probe } from '../../../main/media/probe.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-bench-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const { signal } = new AbortController();

test('ffmpeg does alone what an export does: the same pictures, size and form, and a clip of another hue is another', async () => {
  const tools = await locateMediaTools();
  const [file, other, output] = ['clip', 'other', 'output'].map((name) => join(folder, `${name}.mp4`));
  const size = { width: 320, height: 180 };
  await makeBenchClip(tools, file!, size, 0, signal);
  await makeBenchClip(tools, other!, size, 40, signal);
  const picture = await firstPicture(tools, file!, signal);
  expect(picture).toHaveLength(320 * 180 * 3);
  expect(await firstPicture(tools, other!, signal)).not.toEqual(picture);
  const half = { width: 160, height: 90 };
  const job = { file: file!, output: output!, size: half, frameCount: 20 };
  expect(await timeFfmpeg(tools, job, signal)).toBeGreaterThan(0);
  expect(await probe(tools, output!)).toMatchObject({ ...half, codec: 'h264', frameCount: 20 });
});

test('what ffmpeg cannot do is told', async () => {
  const tools = await locateMediaTools();
  await expect(firstPicture(tools, join(folder, 'absent.mp4'), signal)).rejects.toMatchObject({
    code: 'unsupported-media',
    hint: expect.stringContaining('motif doctor'),
  });
});
