import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Services } from '../../../main/services/services.ts';
import type { ImportOutput } from '../../../shared/domain/job-input.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { addClips, openTestServices, runNew } from '../../fixtures/services.ts';

let folder: string;
let services: Services;
let film: string;

beforeAll(async () => {
  folder = makeTempFolder('media');
  addClips(folder, 'grey');
  services = await openTestServices(folder);
  const job = await runNew(services, {
    kind: 'export',
    what: 'clip',
    clipId: 'grey',
    output: join(folder, 'film.mp4'),
  });
  expect(job).toMatchObject({ state: 'done', error: null });
  film = (job.output as { file: string }).file;
});
afterAll(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

it('exports a clip as a video file and imports it again, at the size and rate of the model', async () => {
  const job = await runNew(services, { kind: 'import', path: film, name: 'Grey wall' });
  expect(job).toMatchObject({ state: 'done', error: null });
  const { clipId, duplicate } = job.output as ImportOutput;
  expect(duplicate).toBe(false);
  expect(clipId).toMatch(/^grey-wall-[0-9a-f]{4}$/);
  const clip = await services.call['clips.get']({ reference: 'Grey wall' });
  expect(clip).toMatchObject({
    id: clipId,
    frames: { width: 16, height: 16, frameCount: 5, file: `clips/${clipId}/frames.rgb` },
  });
  const frames = readFileSync(services.library.absolutePath(clip.frames.file));
  expect(frames.length).toBe(5 * 16 * 16 * 3);
  expect(Math.abs(frames[0]! - 100)).toBeLessThanOrEqual(3);
});

it('recognises the same content, and keeps both when asked', async () => {
  const first = (await runNew(services, { kind: 'import', path: film })).output as ImportOutput;
  const second = (await runNew(services, { kind: 'import', path: film })).output as ImportOutput;
  expect(second).toEqual({ clipId: first.clipId, duplicate: true, relinked: false });
  const both = (await runNew(services, { kind: 'import', path: film, duplicates: 'keep-both' })).output as ImportOutput;
  expect(both.clipId).not.toBe(first.clipId);
});

it('finds a file that was moved again when it is imported from its new place, and names none longer than names may be', async () => {
  const old = join(folder, 'old.mp4');
  writeFileSync(old, Buffer.concat([readFileSync(film), Buffer.from([0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65])])); // a film of its own
  const first = (await runNew(services, { kind: 'import', path: old })).output as ImportOutput;
  const moved = join(folder, `${'m'.repeat(230)}.mp4`);
  renameSync(old, moved);
  const again = await runNew(services, { kind: 'import', path: moved });
  expect(again.output).toEqual({ clipId: first.clipId, duplicate: true, relinked: true });
  expect((await services.call['clips.get']({ reference: first.clipId })).source.path).toBe(moved);
  const other = (await runNew(services, { kind: 'import', path: moved, duplicates: 'keep-both' }))
    .output as ImportOutput;
  expect((await services.call['clips.get']({ reference: other.clipId })).name).toBe('m'.repeat(200));
});

it('refuses what is no video with the reason, and leaves library and folders unchanged', async () => {
  const before = [
    (await services.call['clips.list']()).length,
    readdirSync(join(folder, 'home/clips')),
    readdirSync(join(folder, 'home/jobs')),
  ];
  const text = join(folder, 'text.mp4');
  writeFileSync(text, 'This is no video.');
  const job = await runNew(services, { kind: 'import', path: text });
  expect(job).toMatchObject({ state: 'failed', error: { code: 'unsupported-media' } });
  expect((await runNew(services, { kind: 'import', path: join(folder, 'nothing.mp4') })).error?.code).toBe('not-found');
  expect([
    (await services.call['clips.list']()).length,
    readdirSync(join(folder, 'home/clips')),
    readdirSync(join(folder, 'home/jobs')),
  ]).toEqual(before);
});

it('exports into the exports folder of the library when no place is named', async () => {
  const { output, title } = await runNew(services, {
    kind: 'export',
    what: 'clip',
    clipId: 'grey',
    settings: { preset: 'gif' },
  });
  expect(title).toBe('Export grey, gif');
  expect(output).toMatchObject({ file: join(folder, 'home/exports/grey.gif') });
  expect(statSync((output as { file: string }).file).size).toBeGreaterThan(0);
});
