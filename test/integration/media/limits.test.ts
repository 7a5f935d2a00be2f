import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { probe } from '../../../main/media/probe.ts';
import { ffmpeg, mediaTools, testFolder } from './synthesise.ts';

const folder = testFolder();

/** A GIF of so many frames of 8 x 8 pixels, a hundred a second. */
function writeGif(file: string, frames: number): void {
  const head = Buffer.from('474946383961080008008000000000 00ffffff'.replace(' ', ''), 'hex');
  const frame = Buffer.from('21f90400010000002c000000000800080000 0206848fa9cbed0f00'.replace(' ', ''), 'hex');
  writeFileSync(file, Buffer.concat([head, ...Array<Buffer>(frames).fill(frame), Buffer.from(';')]));
}

test('a GIF of a million frames is refused with the reason, at once', async () => {
  const file = join(folder, 'many.gif');
  writeGif(file, 1_000_000);
  const begun = performance.now();
  await expect(probe(await mediaTools(), file)).rejects.toMatchObject({
    code: 'unsupported-media',
    message: 'The animation has more than 36,000 frames.',
  });
  expect(performance.now() - begun).toBeLessThan(20_000);
});

test('a GIF of an hour is counted to the frame', async () => {
  const file = join(folder, 'few.gif');
  writeGif(file, 36_000);
  expect(await probe(await mediaTools(), file)).toMatchObject({ frameCount: 36_000, frameCountExact: true });
});

test.each([
  ['32000x2', 'too large'],
  ['2x18000', 'too large'],
  ['4000x100', 'too narrow'],
])('a picture of %s is refused as %s', async (size, reason) => {
  const file = join(folder, `${size}.mkv`);
  await ffmpeg('-f', 'lavfi', '-i', `color=red:size=${size}:rate=8`, '-frames:v', '3', '-c:v', 'ffv1', file);
  await expect(probe(await mediaTools(), file)).rejects.toMatchObject({
    code: 'unsupported-media',
    message: expect.stringContaining(reason),
  });
});

test('a picture that its pixels’ shape makes narrow is refused, too', async () => {
  const file = join(folder, 'stretched.mkv');
  await ffmpeg('-f', 'lavfi', '-i', 'color=red:size=64x64:rate=8,setsar=100/1', '-frames:v', '3', '-c:v', 'ffv1', file);
  await expect(probe(await mediaTools(), file)).rejects.toMatchObject({ code: 'unsupported-media' });
});
