import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { declaresEncryptedVideo } from '../../../main/media/container-boxes.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function box(type: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(body.length + 8);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, body]);
}
const movie = (...entries: string[]) =>
  box(
    'moov',
    ...entries.map((entry) =>
      box('trak', box('mdia', box('minf', box('stbl', box('stsd', Buffer.alloc(8), box(entry, Buffer.alloc(78))))))),
    ),
  );
async function file(name: string, ...content: Buffer[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, Buffer.concat(content));
  return path;
}

test('an encrypted video track is found, also after media data and other tracks', async () => {
  const path = await file(
    'a.mp4',
    box('ftyp', Buffer.alloc(12)),
    box('mdat', Buffer.alloc(500)),
    movie('mp4a', 'encv'),
  );
  expect(await declaresEncryptedVideo(path)).toBe(true);
});

test('a clear track is not, even where its media data spell the name', async () => {
  const path = await file('b.mp4', box('ftyp', Buffer.alloc(12)), box('mdat', Buffer.from('encv')), movie('avc1'));
  expect(await declaresEncryptedVideo(path)).toBe(false);
});

test('a box with a 64-bit size is stepped over', async () => {
  const large = Buffer.alloc(16 + 40);
  large.writeUInt32BE(1);
  large.write('mdat', 4, 'latin1');
  large.writeBigUInt64BE(56n, 8);
  expect(await declaresEncryptedVideo(await file('c.mp4', large, movie('encv')))).toBe(true);
});

test('rubbish, a cut file and an empty one end quietly', async () => {
  expect(await declaresEncryptedVideo(await file('d.mp4', Buffer.from('just some text, no boxes at all')))).toBe(false);
  expect(await declaresEncryptedVideo(await file('e.mp4', movie('encv').subarray(0, 40)))).toBe(false);
  expect(await declaresEncryptedVideo(await file('f.mp4'))).toBe(false);
  expect(await declaresEncryptedVideo(await file('g.mp4', Buffer.alloc(4096)))).toBe(false);
});
