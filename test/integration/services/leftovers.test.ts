import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClipStore } from '../../../main/library/clips.ts';
import { openLibrary } from '../../../main/library/open.ts';
import { UnfinishedNotes } from '../../../main/library/unfinished.ts';
import type { Services } from '../../../main/services/services.ts';
import { makeClip, makeTempFolder } from '../../fixtures/library.ts';
import { addClips, learnRequest, openTestServices, runNew } from '../../fixtures/services.ts';

let folder: string;
let home: string;
let services: Services;
/** A process that has ended, as one that was killed. */
const killed = spawnSync(process.execPath, ['-e', '']).pid;

beforeEach(async () => {
  folder = makeTempFolder('leftovers');
  home = join(folder, 'home');
  addClips(folder, 'river-1a2b');
  services = await openTestServices(folder);
});
afterEach(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

async function restart(between: () => void): Promise<void> {
  await services.close();
  between();
  services = await openTestServices(folder);
}

function put(place: string, content = 'half'): string {
  const file = join(folder, place);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
  return file;
}

describe('what a killed program left half is gone after the next start', () => {
  it.each([
    ['an upload', `home/uploads/.upload.partial-${killed}-00000001`],
    ['an upload of an older Motif', 'home/uploads/0b5e9c2e-9b0c-4e43-9a41-1c51b7b4b2b7.part'],
    ['a preview', `home/previews/.0123.partial-${killed}-00000001/frames.rgb`],
    ['a preview of an older Motif', `home/previews/${'0'.repeat(32)}.aB3dEf/frames.rgb`],
    ['a thumbnail', `home/cache/thumbnails/.clip-x.partial-${killed}-00000001.png`],
    ['a proxy', `home/cache/proxies/.abc.partial-${killed}-00000001.webm`],
    ['a filmstrip', `home/cache/filmstrips/.abc.partial-${killed}-00000001.jpg`],
    ['an export into the library', `home/exports/.x.partial-${killed}-00000001.mp4`],
    ['a report', `home/reports/.motif-report.partial-${killed}-00000001.zip`],
    ['clips of a study', `home/studies/.new.partial-${killed}-00000001/0123.webp`],
    ['the folder of a job', 'home/jobs/import-0000/clip/frames.rgb'],
  ])('%s', async (_what, place) => {
    const file = join(folder, place);
    await restart(() => put(place));
    expect(existsSync(file)).toBe(false);
  });

  it('an export elsewhere, and nothing else that lies there', async () => {
    const notes = new UnfinishedNotes(home);
    const mine = put('films/mine.mp4');
    const half = join(folder, `films/.x.partial-${killed}-00000001.mp4`);
    const alive = put(`films/.x.partial-${process.ppid}-00000002.mp4`);
    await restart(() => {
      for (const path of [half, `${half}.77.part`, `${half.slice(0, -4)}.old`]) writeFileSync(path, 'half');
      notes.begin(half);
      notes.begin(alive);
    });
    expect(
      readdirSync(join(folder, 'films'))
        .map((name) => join(folder, 'films', name))
        .sort(),
    ).toEqual([mine, alive].sort());
    expect(notes.list().map(({ path }) => path)).toEqual([alive]);
  });

  it('folders of items that were not adopted yet, or deleted already, but none that a row speaks of', async () => {
    const notes = new UnfinishedNotes(home);
    await runNew(services, learnRequest('river', 2));
    const { file } = await services.call['concepts.get']({ reference: 'Dancer' });
    await restart(() => {
      put('home/clips/lake-0000/frames.rgb');
      put('home/concepts/lake-0000/v1/concept.safetensors');
      put('home/studies/lake-0000/0123.webp');
      put('home/pictures/0123.png');
      const places = [
        'clips/lake-0000',
        'concepts/lake-0000/v1',
        'studies/lake-0000',
        'pictures/0123.png',
        'clips/river-1a2b',
        file.replace(/\/[^/]+$/, ''),
      ];
      for (const place of places) notes.begin(place);
    });
    expect(readdirSync(join(home, 'clips'))).toEqual(['river-1a2b']);
    expect(readdirSync(join(home, 'concepts'))).toHaveLength(1);
    expect(readdirSync(join(home, 'studies'))).toEqual([]);
    expect(readdirSync(join(home, 'pictures'))).toEqual([]);
    expect(existsSync(join(home, file))).toBe(true);
    expect(notes.list()).toEqual([]);
  });
});

it('nothing is left written down after work that ended', async () => {
  await runNew(services, learnRequest('river', 2));
  const output = join(folder, 'out', 'dancer.safetensors');
  await runNew(services, { kind: 'export', what: 'lora', conceptId: 'Dancer', output });
  await services.call['concepts.exportFile']({ reference: 'Dancer', target: join(folder, 'out', 'dancer.motif') });
  await services.call['library.delete']({
    items: [{ kind: 'concept', id: (await services.call['concepts.get']({ reference: 'Dancer' })).id }],
  });
  await services.call['library.emptyTrash']();
  expect(readdirSync(join(home, 'unfinished'))).toEqual([]);
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(['dancer.motif', 'dancer.safetensors']);
});

it('a preview that is being made survives the clearing of the caches', async () => {
  await runNew(services, learnRequest('river', 2));
  const request = { conceptId: 'Dancer', settings: { prompt: 'beach', steps: 200 }, full: true };
  const making = services.call['edits.preview'](request);
  await expect.poll(() => readdirSync(join(home, 'previews')).length).toBe(1);
  await services.call['caches.clear']();
  expect(existsSync(services.library.absolutePath((await making).frames.file))).toBe(true);
});

it('the upload that a clip came from goes when its last clip goes for good', async () => {
  const upload = put('home/uploads/0123abcd/dance.mp4', 'a film');
  await restart(() => {
    const library = openLibrary({ home, program: 'test' });
    const clips = new ClipStore(library);
    for (const id of ['one', 'two']) {
      const clip = makeClip(id);
      clips.insert({ ...clip, source: { ...clip.source, path: upload } });
    }
    library.close();
  });
  await services.call['library.delete']({ items: [{ kind: 'clip', id: 'one' }] });
  await services.call['library.emptyTrash']();
  expect(existsSync(upload)).toBe(true);
  await services.call['library.delete']({ items: [{ kind: 'clip', id: 'two' }] });
  expect(existsSync(upload)).toBe(true);
  await services.call['library.emptyTrash']();
  expect(existsSync(upload)).toBe(false);
});
