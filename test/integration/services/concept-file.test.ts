import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Services } from '../../../main/services/services.ts';
import { hasOwnClip } from '../../../shared/domain/concept.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { addClips, learnRequest, openTestServices, runNew } from '../../fixtures/services.ts';

let folder: string;
let giver: Services;
let taker: Services;
let file: string;

beforeEach(async () => {
  folder = makeTempFolder('package');
  addClips(join(folder, 'giver'), 'river', 'lake');
  giver = await openTestServices(join(folder, 'giver'));
  taker = await openTestServices(join(folder, 'taker'));
  await runNew(giver, learnRequest('river', 4));
  await giver.call['concepts.label']({
    reference: 'Dancer',
    labels: { tags: ['dance'], notes: 'my first', directionNames: { 0: 'Jacket' } },
  });
  file = (await giver.call['concepts.exportFile']({ reference: 'Dancer', target: join(folder, 'dancer') })).file;
});
afterEach(async () => {
  await giver.close();
  await taker.close();
  rmSync(folder, { recursive: true });
});

it('a concept goes to another library with its file, curves and clips, and without the place of its sources', async () => {
  expect(file).toBe(join(folder, 'dancer.motif'));
  const original = await giver.call['concepts.get']({ reference: 'Dancer' });
  const { concept, duplicate } = await taker.call['concepts.importFile']({ file });
  expect(duplicate).toBe(false);
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
  expect(await taker.call['concepts.losses']({ reference: 'Dancer' })).toEqual(
    await giver.call['concepts.losses']({ reference: 'Dancer' }),
  );
  const [clip] = await taker.call['clips.list']();
  expect(concept.clipIds).toEqual([clip!.id]);
  expect(bytes(taker, clip!.frames.file).equals(bytes(giver, 'clips/river/frames.rgb'))).toBe(true);
  expect(clip!.source).toMatchObject({ path: null, name: 'river.mp4' });
  expect(readdirSync(join(folder, 'taker/home/jobs'))).toEqual([]);
});

it('taken twice, under another name or from a copy of the file, is one concept, which is the answer', async () => {
  const { concept } = await taker.call['concepts.importFile']({ file });
  await taker.call['concepts.label']({ reference: concept.id, labels: { name: 'Mine' } });
  const copy = join(folder, 'copy.motif');
  copyFileSync(file, copy);
  const again = await Promise.all([
    taker.call['concepts.importFile']({ file }),
    taker.call['concepts.importFile']({ file: copy }),
  ]);
  for (const { concept: known, duplicate } of again)
    expect({ id: known.id, duplicate }).toEqual({ id: concept.id, duplicate: true });
  expect((await taker.call['concepts.list']()).map(({ name }) => name)).toEqual(['Mine']);
  expect((await taker.call['clips.list']()).length).toBe(1);
});

it('taken twice at once is one concept', async () => {
  const both = await Promise.all([
    taker.call['concepts.importFile']({ file }),
    taker.call['concepts.importFile']({ file }),
  ]);
  expect(both.map(({ duplicate }) => duplicate).sort()).toEqual([false, true]);
  expect((await taker.call['concepts.list']()).length).toBe(1);
});

it('opened from outside of the windows it is told to them, whether it was there or not', async () => {
  const told: object[] = [];
  taker.on('concept.opened', ({ concept, duplicate }) => told.push({ id: concept.id, duplicate }));
  const { concept } = await taker.call['concepts.importFile']({ file, show: true });
  await taker.call['concepts.importFile']({ file, show: true });
  await taker.call['concepts.importFile']({ file });
  expect(told).toEqual([
    { id: concept.id, duplicate: false },
    { id: concept.id, duplicate: true },
  ]);
});

it('what was thrown away is added again', async () => {
  const { concept } = await taker.call['concepts.importFile']({ file });
  await taker.call['library.delete']({ items: [{ kind: 'concept', id: concept.id }] });
  expect(await taker.call['concepts.importFile']({ file })).toMatchObject({ duplicate: false });
});

it('given back to its own library it is the concept that is there', async () => {
  expect(await giver.call['concepts.importFile']({ file })).toMatchObject({
    concept: { name: 'Dancer' },
    duplicate: true,
  });
});

it('curves that cannot be read are called damaged, with what to do', async () => {
  const concept = await giver.call['concepts.get']({ reference: 'Dancer' });
  writeFileSync(join(giver.library.absolutePath(concept.file), '../losses.json'), '{"x":[');
  await expect(giver.call['concepts.losses']({ reference: 'Dancer' })).rejects.toThrow(
    expect.objectContaining({ code: 'damaged-file' }),
  );
});

it('numbers, refuses or replaces a file that exists, and leaves no rest', async () => {
  expect((await giver.call['concepts.exportFile']({ reference: 'Dancer', target: file })).file).toBe(
    join(folder, 'dancer 2.motif'),
  );
  expect(
    (await giver.call['concepts.exportFile']({ reference: 'Dancer', target: file, overwrite: 'replace' })).file,
  ).toBe(file);
  await expect(
    giver.call['concepts.exportFile']({ reference: 'Dancer', target: file, overwrite: 'refuse' }),
  ).rejects.toThrow('already exists');
  expect(readdirSync(folder).filter((name) => name.includes('part'))).toEqual([]);
});

it('what is damaged or no concept is refused, and nothing is added', async () => {
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

  for (const [wrong, code] of [
    [text, 'invalid-input'],
    [library, 'invalid-input'],
    [folder, 'invalid-input'],
    [cut, 'damaged-file'],
    [join(folder, 'nothing.motif'), 'not-found'],
  ] as const)
    await expect(taker.call['concepts.importFile']({ file: wrong })).rejects.toMatchObject({ code });
  await expect(taker.call['concepts.importFile']({ file: emptied })).rejects.toThrow('clips/0.rgb is missing');
  expect([await taker.call['concepts.list'](), await taker.call['clips.list']()]).toEqual([[], []]);
  expect(existsSync(join(folder, 'taker/home/clips/river'))).toBe(false);
  expect(readdirSync(join(folder, 'taker/home/jobs'))).toEqual([]);
});

it('the identity of one concept with the motion of another is a concept of its own, on the clip of the motion', async () => {
  await runNew(giver, { ...learnRequest('lake', 2), name: 'Swimmer' });
  const mixed = await giver.call['concepts.mix']({ identity: 'Dancer', motion: 'Swimmer', name: 'Both' });
  expect(hasOwnClip(mixed)).toBe(false);
  expect(mixed).toMatchObject({
    name: 'Both',
    version: 1,
    clipIds: ['lake'],
    captions: [{ static: 'a [v] dog', dynamic: 'is dancing' }],
    notes: 'Identity of Dancer, motion of Swimmer.',
    model: (await giver.call['concepts.get']({ reference: 'Dancer' })).model,
  });
  expect(readFileSync(giver.library.absolutePath(mixed.file), 'utf8')).toBe('Dancer as Swimmer');
  expect(await giver.call['concepts.losses']({ reference: 'Both' })).toEqual([]);
  expect(readdirSync(join(folder, 'giver/home/jobs'))).not.toContainEqual(expect.stringContaining('incoming'));
  await expect(giver.call['concepts.mix']({ identity: 'Dancer', motion: 'nobody' })).rejects.toMatchObject({
    code: 'not-found',
  });
});
