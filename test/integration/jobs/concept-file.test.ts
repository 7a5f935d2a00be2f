import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Services } from '../../../main/jobs/services.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { addClips, learnRequest, openTestServices } from '../../fixtures/services.ts';

let folder: string;
let giver: Services;
let taker: Services;
let file: string;

beforeEach(async () => {
  folder = makeTempFolder('package');
  addClips(join(folder, 'giver'), 'river');
  giver = await openTestServices(join(folder, 'giver'));
  taker = await openTestServices(join(folder, 'taker'));
  await giver.jobs.runNew(learnRequest('river', 4));
  giver.concepts.label('Dancer', { tags: ['dance'], notes: 'my first', directionNames: { 0: 'Jacket' } });
  file = giver.concepts.exportFile('Dancer', join(folder, 'dancer')).file;
});
afterEach(async () => {
  await giver.close();
  await taker.close();
  rmSync(folder, { recursive: true });
});

it('a concept goes to another library with its file, curves and clips, and without the place of its sources', () => {
  expect(file).toBe(join(folder, 'dancer.motif'));
  const original = giver.concepts.get('Dancer');
  const concept = taker.concepts.importFile(file);
  expect(concept).toMatchObject({
    name: 'Dancer',
    version: 1,
    tags: ['dance'],
    notes: 'my first',
    directionNames: { 0: 'Jacket' },
  });
  expect(concept.captions).toEqual(original.captions);
  const bytes = (services: Services, path: string) => readFileSync(services.library.absolutePath(path));
  expect(bytes(taker, concept.file).equals(bytes(giver, original.file))).toBe(true);
  expect(taker.concepts.losses('Dancer')).toEqual(giver.concepts.losses('Dancer'));
  const [clip] = taker.clips.list();
  expect(concept.clipIds).toEqual([clip!.id]);
  expect(bytes(taker, clip!.frames.file).equals(bytes(giver, 'clips/river/frames.rgb'))).toBe(true);
  expect(clip!.source.path).toBe('river.mp4');
  expect(readdirSync(join(folder, 'taker/home/jobs'))).toEqual([]);
});

it('taken twice is two concepts of the same clip', () => {
  taker.concepts.importFile(file);
  taker.concepts.importFile(file, 'Second');
  expect(taker.concepts.list().map(({ name }) => name)).toEqual(['Second', 'Dancer']);
  expect(taker.clips.list().length).toBe(1);
});

it('numbers, refuses or replaces a file that exists, and leaves no rest', () => {
  expect(giver.concepts.exportFile('Dancer', file).file).toBe(join(folder, 'dancer-2.motif'));
  expect(giver.concepts.exportFile('Dancer', file, { overwrite: 'replace' }).file).toBe(file);
  expect(() => giver.concepts.exportFile('Dancer', file, { overwrite: 'refuse' })).toThrow('exists already');
  expect(readdirSync(folder).filter((name) => name.includes('part'))).toEqual([]);
});

it('what is damaged or no concept is refused, and nothing is added', () => {
  const text = join(folder, 'text.motif');
  writeFileSync(text, 'This is no concept, but long enough to be taken for a database. '.repeat(50));
  const library = join(folder, 'library.motif');
  copyFileSync(join(folder, 'giver/home/library.db'), library);
  const cut = join(folder, 'cut.motif');
  copyFileSync(file, cut);
  truncateSync(cut, 8192);
  const emptied = join(folder, 'emptied.motif');
  copyFileSync(file, emptied);
  const db = new Database(emptied);
  db.exec("DELETE FROM sqlar WHERE name = 'clips/0.rgb'");
  db.close();

  expect(() => taker.concepts.importFile(text)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  expect(() => taker.concepts.importFile(library)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  expect(() => taker.concepts.importFile(cut)).toThrow(expect.objectContaining({ code: 'damaged-file' }));
  expect(() => taker.concepts.importFile(emptied)).toThrow('clips/0.rgb is missing');
  expect(() => taker.concepts.importFile(join(folder, 'nothing.motif'))).toThrow(
    expect.objectContaining({ code: 'not-found' }),
  );
  expect([taker.concepts.list(), taker.clips.list()]).toEqual([[], []]);
  expect(existsSync(join(folder, 'taker/home/clips/river'))).toBe(false);
  expect(readdirSync(join(folder, 'taker/home/jobs'))).toEqual([]);
});
