import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorkplace, type Workplace } from './command.ts';

let place: Workplace;
let clip: string;
beforeAll(async () => {
  place = await createWorkplace();
  clip = (await place.answer('clip', ['import', await place.makeClip()])).clip.id;
}, 120_000);
afterAll(() => place.close());

test('one bad file of several is told and the others are imported, with exit code 1', async () => {
  const bad = join(place.folder, 'words.mp4');
  writeFileSync(bad, 'not a film, only words\n'.repeat(40));
  const good = await place.makeClip('good.mp4', 'testsrc');
  const { code, lines } = await place.motif(['import', bad, join(place.folder, 'missing.mp4'), good, '--json']);
  expect(code).toBe(1);
  const errors = lines.filter(({ type }) => type === 'error');
  expect(errors.map(({ error }) => error.message)).toEqual([
    expect.stringMatching(/words\.mp4: .*not a video/),
    expect.stringMatching(/missing\.mp4/),
  ]);
  expect(lines.findLast(({ type }) => type === 'clip')?.clip.name).toBe('good');
  const told = await place.motif(['import', bad, good]);
  expect(told.code).toBe(1);
  expect(told.err).toMatch(/1 of 2 files were imported\. Not imported: .*words\.mp4/);
});

test('an export into a folder gets its usual name there, whether the folder is there or not', async () => {
  const there = join(place.folder, 'deliveries');
  mkdirSync(there);
  for (const [given, folder] of [
    [there, there],
    [`${there}/`, there],
    [join(place.folder, 'new', '/'), join(place.folder, 'new')],
  ] as const) {
    const { file } = await place.answer('file', ['export', clip, '-o', given]);
    expect(file).toMatch(new RegExp(`^${folder}/${clip}( \\d)?\\.mp4$`));
  }
  expect(existsSync(`${there}.mp4`)).toBe(false);
  const pictures = await place.answer('file', ['export', clip, '--preset', 'png', '-o', join(place.folder, 'frames/')]);
  expect(pictures.file).toBe(join(place.folder, 'frames'));
});

test('a name as long as the disk takes is written, one that is longer refused, both leave nothing else', async () => {
  const folder = join(place.folder, 'long');
  mkdirSync(folder);
  const longest = `${'n'.repeat(251)}.mp4`;
  for (const overwrite of ['number', 'number', 'replace']) {
    await place.answer('file', ['export', clip, '-o', join(folder, longest), '--overwrite', overwrite]);
  }
  expect(readdirSync(folder).sort()).toEqual([`${'n'.repeat(249)} 2.mp4`, longest].sort());
  const { code, err } = await place.motif(['export', clip, '-o', join(folder, `${'ü'.repeat(130)}.mp4`)]);
  expect(code).toBe(1);
  expect(err).toMatch(/Error: The name ü+\.\.\. is too long: it has 264 bytes/);
});

test('an empty name is wrong use, a pipe and a device are no places for a file', async () => {
  const before = readdirSync(process.cwd());
  expect((await place.motif(['export', clip, '-o', ''])).code).toBe(2);
  expect(readdirSync(process.cwd())).toEqual(before);
  if (process.platform === 'win32') return;
  const pipe = join(place.folder, 'pipe.mp4');
  spawnSync('mkfifo', [pipe]);
  for (const [given, kind] of [
    [pipe, 'a pipe'],
    ['/dev/null', 'a device'],
  ] as const) {
    const { code, err } = await place.motif(['export', clip, '-o', given, '--overwrite', 'replace']);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringContaining(`${given} is ${kind}, not a file`),
    });
  }
  expect(statSync(pipe).isFIFO()).toBe(true);
  expect(existsSync('/dev/null.mp4')).toBe(false);
});
