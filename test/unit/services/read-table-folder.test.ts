import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readTableFolder } from '../../../main/services/study/read-table-folder.ts';
import type { TableClip, TablePart, Way } from '../../../shared/domain/evaluation-table.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { sheet } from '../../fixtures/studies.ts';

let folder: string;
beforeEach(() => {
  folder = makeTempFolder('tables');
  for (const name of ['parts', 'scenes']) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true }));

const clip = (file: string | null, way: Way = 'editor', changes: Partial<TableClip> = {}): TableClip => ({
  ...{ kind: 'light', to: 'night', success: true, mse: 0.02, mseInside: 0.02, mseOutside: null, identity: 0.9 },
  ...{ textAgreement: 0.5, temporalCoherence: 0.99, preservation: 0.5, seconds: 2, way, noiseSeed: 1 },
  ...{ mseToSource: 0.03, subjectIdentity: 0.8, frameTextAgreement: 0.4, motionAmount: 1, motionAgreement: 0.7 },
  ...{ likeOther: null, strip: null, frames: file === null ? null : sheet(file) },
  ...changes,
});

let moment = 1_000_000;
function write(scene: string, row: string, clips: TableClip[], changes: Partial<TablePart> = {}): void {
  const part: TablePart = {
    scene,
    row,
    learningSeed: 1,
    learned: null,
    refused: null,
    clips,
    finished: true,
    ...changes,
  };
  const file = join(folder, 'parts', `${scene}-${row}-${moment}.json`);
  writeFileSync(file, JSON.stringify(part));
  moment += 1000;
  utimesSync(file, moment, moment);
  const words = `a lady in ${scene}`;
  const edits = [{ kind: 'light', to: 'night', words: `${words} by night` }];
  writeFileSync(
    join(folder, 'scenes', `${scene}.json`),
    JSON.stringify({ name: scene, words, source: sheet(scene), edits }),
  );
}

it('takes the rows of the paper from a table, in its order, with measures in place of people', () => {
  for (const row of ['truth', 'lora-8', 'set-and-sequence', 'newmove'])
    write('a', row, [clip(row), clip(`n-${row}`, 'noise')]);
  const { first, methods, scenes, notes } = readTableFolder(folder, 'editor', null);
  expect([first, ...methods.map(({ name }) => name)]).toEqual(['set-and-sequence', 'set-and-sequence', 'lora-8']);
  expect(scenes).toHaveLength(1);
  expect(scenes[0]).toMatchObject({ name: 'a', words: 'a lady in a', source: { file: join(folder, 'a.webp') } });
  const [edit] = scenes[0]!.edits;
  expect(edit).toMatchObject({ name: 'light: night', words: 'a lady in a by night' });
  expect([...edit!.clips.keys()].toSorted()).toEqual(['lora-8', 'set-and-sequence']);
  expect(edit!.clips.get('lora-8')).toEqual({
    file: join(folder, 'lora-8.webp'),
    sheet: { ...sheet('lora-8'), file: join(folder, 'lora-8.webp') },
    measures: { identity: 0.8, motion: 0.7, words: 0.5, overall: -0.02 },
  });
  expect(notes).toHaveLength(1);
});

it('takes other rows and another way where they are named, and never the truth by itself', () => {
  for (const row of ['truth', 'base', 'newmove']) write('a', row, [clip(row), clip(`n-${row}`, 'noise')]);
  expect(readTableFolder(folder, 'editor', null).methods.map(({ name }) => name)).toEqual(['base', 'newmove']);
  const { first, scenes } = readTableFolder(folder, 'noise', ['newmove', 'base']);
  expect(first).toBe('newmove');
  expect(scenes[0]!.edits[0]!.clips.get('base')!.file).toBe(join(folder, 'n-base.webp'));
});

it('goes by the newest part of a row, by its first learning seed, finished or not', () => {
  write('a', 'base', [clip('old')]);
  write('a', 'base', [clip('new')], { finished: false });
  write('a', 'base', [clip('second seed')], { learningSeed: 2 });
  write('a', 'newmove', [clip('b')]);
  writeFileSync(join(folder, 'parts', 'half.json'), '{"scene":');
  const [edit] = readTableFolder(folder, 'editor', null).scenes[0]!.edits;
  expect(edit!.clips.get('base')!.file).toBe(join(folder, 'new.webp'));
});

it('says which parts have no whole clips, and refuses a table that has none', () => {
  write('a', 'base', [clip(null)]);
  expect(() => readTableFolder(folder, 'editor', null)).toThrow(/holds no whole clips of base/);
  write('b', 'newmove', [clip('b')]);
  expect(readTableFolder(folder, 'editor', null).notes[1]).toMatch(/1 parts were measured before/);
});
