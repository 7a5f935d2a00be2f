import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkPlace, chooseFile, requireWritable } from '../../../main/files/file-names.ts';
import { freeBytes, requireFreeSpace } from '../../../main/files/free-space.ts';
import { placeWhole, writeWhole, writeWholeSync } from '../../../main/files/place.ts';
import { canMount, SmallDisk } from '../../fixtures/small-disk.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a file appears whole under its name, in a folder made for it', async () => {
  const target = join(folder, 'new', 'a.txt');
  await placeWhole(target, async (partial) => {
    expect(partial.endsWith('.txt')).toBe(true);
    await writeFile(partial, 'whole');
  });
  expect(await readFile(target, 'utf8')).toBe('whole');
  expect(await readdir(join(folder, 'new'))).toEqual(['a.txt']);
});

test('a failure leaves nothing behind and an older file as it was', async () => {
  const target = join(folder, 'a.txt');
  await writeFile(target, 'old');
  const failing = placeWhole(target, async (partial) => {
    await writeFile(partial, 'half');
    throw new Error('stopped');
  });
  await expect(failing).rejects.toThrow('stopped');
  expect(await readdir(folder)).toEqual(['a.txt']);
  expect(await readFile(target, 'utf8')).toBe('old');
});

test('a folder replaces an older folder', async () => {
  const target = join(folder, 'pictures');
  await mkdir(target);
  await writeFile(join(target, 'old.png'), '');
  await placeWhole(target, async (partial) => {
    await mkdir(partial);
    await writeFile(join(partial, 'new.png'), '');
  });
  expect(await readdir(folder)).toEqual(['pictures']);
  expect(await readdir(target)).toEqual(['new.png']);
});

test('what a process that has ended left is cleared away, what another may be making is not', async () => {
  const ended = spawnSync(process.execPath, ['-e', '']).pid;
  const left = [`.a.partial-${ended}-00000001.txt`, `.b.partial-${ended}-00000002.txt`];
  const inUse = `.a.partial-${process.ppid}-00000003.txt`;
  for (const name of [...left, inUse]) await writeFile(join(folder, name), '');
  await placeWhole(join(folder, 'a.txt'), (partial) => writeFile(partial, ''));
  expect((await readdir(folder)).sort()).toEqual([inUse, left[1], 'a.txt'].sort());
});

test('a taken name gets a number', async () => {
  const target = join(folder, 'a.mp4');
  expect(await chooseFile(target, 'number')).toBe(target);
  await writeFile(target, '');
  await writeFile(join(folder, 'a 2.mp4'), '');
  expect(await chooseFile(target, 'number')).toBe(join(folder, 'a 3.mp4'));
});

test('too little space is said with both amounts, before anything is written', async () => {
  await expect(requireFreeSpace(join(folder, 'not', 'there'), 1000)).resolves.toBeUndefined();
  await expect(requireFreeSpace(folder, 1e18)).rejects.toMatchObject({
    code: 'out-of-space',
    message: expect.stringMatching(/are needed, \d+ MB are free/),
  });
});

test('a disk that fills up while writing is said as such', async () => {
  const full = placeWhole(join(folder, 'a'), async () => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  });
  await expect(full).rejects.toMatchObject({ code: 'out-of-space' });
});

test('a name of the longest kind is written beside itself and numbered in the same room', async () => {
  const target = join(folder, `${'ä'.repeat(125)}.mp4`);
  await placeWhole(target, async (partial) => writeFile(partial, 'whole'));
  await placeWhole(target, async (partial) => writeFile(partial, 'whole again'));
  expect(await readFile(target, 'utf8')).toBe('whole again');
  const numbered = await chooseFile(target, 'number');
  expect(numbered).toBe(join(folder, `${'ä'.repeat(124)} 2.mp4`));
  await expect(checkPlace(`${target}.backup`)).rejects.toThrow(/too long: it has 261 bytes, and disks allow 255/);
});

test.each([
  ['at once', async (file: string, content: string) => writeWholeSync(file, content)],
  ['in its own time', (file: string, content: string) => writeWhole(file, content)],
])('a small file is written whole %s, in a folder made for it, and leaves nothing beside it', async (_, write) => {
  const file = join(folder, 'new', 'a.json');
  await write(file, 'old');
  await write(file, 'new');
  expect(await readFile(file, 'utf8')).toBe('new');
  expect(await readdir(join(folder, 'new'))).toEqual(['a.json']);
});

test('a file that is written piece by piece is not there when a piece fails', async () => {
  const writing = writeWhole(join(folder, 'a'), async (handle) => {
    await handle.writeFile('half');
    throw new Error('stopped');
  });
  await expect(writing).rejects.toThrow('stopped');
  expect(await readdir(folder)).toEqual([]);
});

test('what exists is replaced or refused as asked, and free space is that of the nearest folder', async () => {
  const target = join(folder, 'a.mp4');
  await writeFile(target, '');
  expect(await chooseFile(target, 'replace')).toBe(target);
  await expect(chooseFile(target, 'refuse')).rejects.toMatchObject({ code: 'conflict' });
  expect(await freeBytes(join(folder, 'not', 'there'))).toBeGreaterThan(0);
});

test.skipIf(!canMount())('a folder that cannot be written is told before anything is made for it', async () => {
  const disk = SmallDisk.mount(1)!;
  try {
    await requireWritable(join(disk.folder, 'not', 'made', 'yet'));
    disk.setReadOnly(true);
    for (const place of [disk.folder, join(disk.folder, 'not', 'made', 'yet')])
      await expect(requireWritable(place)).rejects.toMatchObject({
        code: 'forbidden',
        message: expect.stringContaining(disk.folder),
      });
  } finally {
    disk.unmount();
  }
});
