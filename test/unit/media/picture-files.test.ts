import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pictureRefusal } from '../../../main/media/picture-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'motif-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function reason(head: Buffer): Promise<string | undefined> {
  const file = join(folder, 'file.mp4');
  writeFileSync(file, Buffer.concat([head, Buffer.alloc(200)]));
  return (await pictureRefusal(file))?.message;
}
const brand = (name: string) => Buffer.from(`\0\0\0\x20ftyp${name}\0\0\0\0`, 'latin1');
const webp = (flags: number) =>
  Buffer.from(`RIFF\x70\x0f\0\0WEBPVP8X\x0a\0\0\0${String.fromCharCode(flags)}`, 'latin1');

test('one picture in an ISO file is a picture, a sequence and a film are not', async () => {
  expect(await reason(brand('avif'))).toMatch(/picture \(AVIF\)/);
  expect(await reason(brand('heic'))).toMatch(/picture \(HEIC\)/);
  for (const moving of ['avis', 'hevc', 'msf1', 'isom', 'qt  ']) expect(await reason(brand(moving))).toBeUndefined();
});

test('an animated WebP is called so; a still one is left to ffprobe', async () => {
  expect(await reason(webp(0x02))).toMatch(/animated WebP, which ffmpeg cannot read/);
  expect(await reason(webp(0x10))).toBeUndefined();
});
