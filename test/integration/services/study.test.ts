import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Services } from '../../../main/services/services.ts';
import type { Study } from '../../../shared/domain/study.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { openTestServices } from '../../fixtures/services.ts';
import { methodOfColour, studyMethods, writeStudyFolder } from '../../fixtures/study-folder.ts';

let folder: string;
let edits: string;
/** Holds a library with one study: each has some eighty clips, which ffmpeg writes one by one. */
let template: string;
let number = 0;
beforeAll(async () => {
  folder = makeTempFolder('study');
  edits = join(folder, 'edits');
  const measures = (value: number) => ({ identity: value, words: -value });
  await writeStudyFolder(edits, {
    measures: { 'gold-standard': measures(2), 'silver-medal': measures(1), 'bronze-age': measures(0) },
  });
  template = join(folder, 'template');
  mkdirSync(template);
  services = await openTestServices(template);
  await create();
  await close();
});
afterAll(() => rmSync(folder, { recursive: true }));

let home: string;
let services: Services;
beforeEach(async () => {
  home = join(folder, `library-${number++}`);
  mkdirSync(home);
  services = await openTestServices(home);
});
const close = () => services.close();

const create = (changes: object = {}): Promise<Study> =>
  services.call['studies.create']({ folder: edits, name: 'Colours', items: 9, ...changes });
/** That study, in the library of the test. */
async function made(): Promise<Study> {
  await services.close();
  rmSync(join(home, 'home'), { recursive: true });
  cpSync(join(template, 'home'), join(home, 'home'), { recursive: true });
  services = await openTestServices(home);
  const [study] = await services.call['studies.list']();
  return study!;
}
const clipsOf = (study: Study) => readdirSync(join(home, 'home/studies', study.id));

describe('a study of a folder of edits', () => {
  it('has clips under names that say nothing, all of one shape, whose colours are those of their methods', async () => {
    onTestFinished(close);
    const study = await made();
    expect(study).toMatchObject({ name: 'Colours', items: 9 + 2 + 3, raters: 0 });
    expect(clipsOf(study).join(' ')).not.toMatch(/gold|silver|bronze|source|broken/);
    const shapes = new Set<string>();
    for (const { kind, source, a, b } of services.studies.items(study.id)) {
      for (const { file, ...shape } of [source, a.clip, b.clip]) shapes.add(JSON.stringify(shape));
      if (kind === 'attention') continue;
      for (const { method, clip } of [a, b]) expect(await colourOf(study, clip.file)).toBe(method);
      expect(await colourOf(study, source.file)).toBe('source');
    }
    expect([...shapes].map((shape) => JSON.parse(shape))).toEqual([
      { width: 64, height: 48, frameCount: 12, columns: 4, rate: { numerator: 8, denominator: 1 } },
    ]);
  });

  it('breaks clips for attention that keep the size and lose what they show', async () => {
    onTestFinished(close);
    const study = await made();
    const items = services.studies.items(study.id).filter(({ kind }) => kind === 'attention');
    for (const { a, b, words } of items) {
      expect([a.method, b.method, words]).toEqual(['source', 'broken', 'a square moves in the fog']);
      // Where no clip has its square, the blocks of a broken one have some of it.
      const upper = await pixels(study, b.clip.file, { width: 256, height: 26 });
      const whole = await pixels(study, a.clip.file, { width: 256, height: 26 });
      expect(whole.some((value) => value > 240)).toBe(false);
      const anyFrame = await pixels(study, b.clip.file, { width: 256, height: 144 });
      expect(anyFrame.some((value) => value > 240)).toBe(true);
      expect(upper).not.toEqual(whole);
    }
  });

  it('is the same of the same seed, but for names', async () => {
    onTestFinished(close);
    const told = (study: Study) =>
      services.studies.items(study.id).map(({ kind, scene, edit, a, b }) => [kind, scene, edit, a.method, b.method]);
    const [one, other, third] = [await made(), await create({ name: 'B' }), await create({ name: 'C', seed: 2 })];
    expect(told(other)).toEqual(told(one));
    expect(told(third)).not.toEqual(told(one));
  });

  it('compares only the methods that are named, and says when there are no more pairs', async () => {
    onTestFinished(close);
    const study = await create({ methods: ['silver-medal', 'bronze-age'], items: 40 });
    expect(study.settings).toMatchObject({ first: 'silver-medal', notes: [expect.stringContaining('4 pairs')] });
  });
});

describe('a study that is deleted', () => {
  it('goes with its clips, its name is free, and its link opens nothing', async () => {
    onTestFinished(close);
    const [study, other] = [await made(), await create({ name: 'Other', items: 1 })];
    let changes = 0;
    services.on('studies.changed', () => changes++);
    expect(await services.call['studies.remove']({ reference: 'colours' })).toMatchObject({ id: study.id });
    expect(changes).toBe(1);
    expect((await services.call['studies.list']()).map(({ id }) => id)).toEqual([other.id]);
    expect(readdirSync(join(home, 'home/studies'))).toEqual([other.id]);
    await expect(services.call['study.about']({ code: study.code })).rejects.toMatchObject({ code: 'not-found' });
    expect(await create({ items: 1 })).toMatchObject({ name: 'Colours' });
  });

  it('keeps what people answered until that is to go as well, and touches the answers of no other', async () => {
    onTestFinished(close);
    const [study, other] = [await made(), await create({ name: 'Other', items: 1 })];
    for (const { code } of [study, other]) {
      const { current } = await services.call['study.join']({ code, rater: 'ann' });
      const given = { code, rater: 'ann', item: current!.item.id, question: current!.question };
      await services.call['study.answer']({ ...given, answer: 1, milliseconds: 10 });
    }
    await expect(services.call['studies.remove']({ reference: study.id })).rejects.toMatchObject({
      code: 'conflict',
      message: '"Colours" has 1 answer.',
    });
    expect(services.studies.answers(study.id)).toHaveLength(1);
    await services.call['studies.remove']({ reference: study.id, withAnswers: true });
    expect(services.studies.answers(other.id)).toHaveLength(1);
    const { openDatabase } = await import('../../../main/library/database.ts');
    const db = openDatabase(join(home, 'home/library.db'), { readonly: false });
    onTestFinished(() => void db.close());
    const rows = (table: string) => db.prepare(`SELECT count(*) AS count FROM ${table}`).get();
    expect([rows('study_answers'), rows('study_raters')]).toEqual([{ count: 1 }, { count: 1 }]);
    // Alone they still only come.
    expect(() => db.exec('DELETE FROM study_answers')).toThrow('answers are only added');
  });
});

describe('what is refused, with a reason', () => {
  it.each([
    ['a folder that is not there', { folder: '/nowhere' }, /There is no folder/],
    ['a folder of something else', { folder: import.meta.dirname }, /neither a table .* nor a study\.json/],
    ['a method that is not there', { methods: ['gold-standard', 'platinum'] }, /no clips of "platinum"/],
    ['no pairs', { items: 0 }, /items/],
  ])('%s', async (_what, changes, message) => {
    onTestFinished(close);
    await expect(create(changes)).rejects.toMatchObject({ message: expect.stringMatching(message) });
    expect(await services.call['studies.list']()).toEqual([]);
    expect(readdirSync(join(home, 'home/studies'))).toEqual([]);
  });

  it('a name that is taken, and a link that opens nothing', async () => {
    onTestFinished(close);
    await made();
    await expect(create({ name: 'colours' })).rejects.toMatchObject({ code: 'conflict' });
    const open = services.call['study.join']({ code: 'abc', rater: 'ann' });
    await expect(open).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['no JSON', '{', /is no JSON/],
    ['no scenes', { scenes: [] }, /scenes/],
    ['a label of a method without clips', { methods: { nobody: 'Nobody' } }, /no edit has a clip of "nobody"/],
    [
      'two scenes of one name',
      (read: { scenes: object[] }) => ({ scenes: [read.scenes[0], read.scenes[0]] }),
      /two scenes/,
    ],
  ])('a study.json with %s', async (_what, change, message) => {
    onTestFinished(close);
    const read = JSON.parse(readFileSync(join(edits, 'study.json'), 'utf8'));
    const changed = typeof change === 'function' ? change(read) : change;
    const content = typeof changed === 'string' ? changed : JSON.stringify({ ...read, ...changed });
    const broken = join(home, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'study.json'), content);
    await expect(create({ folder: broken })).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(message),
    });
  });

  it('files that are missing, by their names', async () => {
    onTestFinished(close);
    const moved = join(home, 'moved');
    mkdirSync(moved);
    writeFileSync(join(moved, 'study.json'), readFileSync(join(edits, 'study.json')));
    await expect(create({ folder: moved })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('scene-0-'),
    });
  });
});

describe('a rater', () => {
  const join = (study: Study, rater = 'Ann') => services.call['study.join']({ code: study.code, rater });
  async function answer(study: Study, answer: -1 | 0 | 1, rater = 'Ann') {
    const { current } = await join(study, rater);
    const { item, question } = current!;
    const given = { code: study.code, rater, item: item.id, question, answer, milliseconds: 5 };
    return services.call['study.answer'](given);
  }

  it('goes on where it stopped, whatever the case of its name, and takes answers back one by one', async () => {
    onTestFinished(close);
    const study = await made();
    for (const side of [1, -1, 0, 1, 1] as const) await answer(study, side);
    expect((await join(study, 'ann')).done).toBe(5);
    expect((await join(study, 'Bob')).done).toBe(0);
    const before = await join(study);
    for (const done of [4, 3]) {
      const state = await services.call['study.undo']({ code: study.code, rater: 'Ann' });
      expect(state.done).toBe(done);
    }
    await answer(study, -1);
    expect(await answer(study, -1)).toEqual(before);
    // Nothing that was written goes away: what was taken back stands before what took it back.
    const rows = services.studies.answers(study.id);
    expect(rows.map((row) => row.answer)).toEqual([1, -1, 0, -1, -1]);
  });

  it('who answers in two windows is told where the other one is, and counts once', async () => {
    onTestFinished(close);
    const study = await made();
    const { current } = await join(study);
    const given = {
      code: study.code,
      rater: 'Ann',
      item: current!.item.id,
      question: current!.question,
      milliseconds: 1,
    };
    await services.call['study.answer']({ ...given, answer: 1 });
    const again = services.call['study.answer']({ ...given, answer: -1 });
    await expect(again).rejects.toMatchObject({ code: 'conflict' });
    expect(services.studies.answers(study.id)).toHaveLength(1);
  });

  it('who is killed in the middle has lost no answer that it was told of', async () => {
    const study = await made();
    await close();
    const program = spawn(
      process.execPath,
      [`${import.meta.dirname}/../../fixtures/run-study.ts`, home, study.code, 'Ann'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = new Promise((resolve) => program.once('exit', resolve));
    const told: { item: string; question: string; done: number }[] = [];
    for await (const line of createInterface({ input: program.stdout })) {
      told.push(JSON.parse(line));
      if (told.length === 20) program.kill('SIGKILL');
    }
    await ended;
    services = await openTestServices(home);
    onTestFinished(close);
    const kept = services.studies.answers(study.id).map(({ item, question }) => ({ item, question }));
    expect(kept.slice(0, told.length)).toEqual(told.map(({ item, question }) => ({ item, question })));
    expect(kept.length - told.length).toBeLessThanOrEqual(1);
    expect((await join(study)).done).toBe(kept.length);
  });
});

it('answers are never changed or deleted, not even by who writes the database', async () => {
  onTestFinished(close);
  const study = await made();
  const { current } = await services.call['study.join']({ code: study.code, rater: 'Ann' });
  await services.call['study.answer']({
    ...{ code: study.code, rater: 'Ann', item: current!.item.id, question: current!.question },
    ...{ answer: 1, milliseconds: 5 },
  });
  const { openDatabase } = await import('../../../main/library/database.ts');
  const db = openDatabase(join(home, 'home/library.db'), { readonly: false });
  onTestFinished(() => void db.close());
  expect(() => db.exec('UPDATE study_answers SET answer = -1')).toThrow('answers are only added');
  expect(() => db.exec('DELETE FROM study_answers')).toThrow('answers are only added');
});

it('people answer while another program writes the library, and it sees what they said', async () => {
  onTestFinished(close);
  const study = await made();
  const serving = await openTestServices(home, { access: 'read' });
  onTestFinished(() => serving.close());
  expect(serving.library.status()).toMatchObject({ access: 'read', holder: { program: 'test' } });
  const { code } = study;
  for (const rater of ['ann', 'bob']) {
    const { current } = await serving.call['study.join']({ code, rater });
    const given = { code, rater, item: current!.item.id, question: current!.question };
    const next = await serving.call['study.answer']({ ...given, answer: 1, milliseconds: 10 });
    expect(next.done).toBe(1);
    // The writer writes in between.
    await create({ name: `beside ${rater}`, items: 1 });
  }
  expect((await serving.call['study.undo']({ code, rater: 'bob' })).done).toBe(0);
  const { raters } = await services.call['studies.results']({ reference: study.id });
  expect(raters.map(({ name, answers }) => [name, answers])).toEqual([
    ['ann', 1],
    ['bob', 0],
  ]);
  await expect(serving.call['studies.remove']({ reference: study.id })).rejects.toMatchObject({
    code: 'conflict',
  });
  const all = { reference: study.id, withAnswers: true };
  await expect(serving.call['studies.remove'](all)).rejects.toMatchObject({ code: 'library-locked' });
  await services.call['studies.remove'](all);
  await expect(serving.call['study.join']({ code, rater: 'ann' })).rejects.toMatchObject({ code: 'not-found' });
});

it('measures stand in for people where clips have some, and are said to', async () => {
  onTestFinished(close);
  const study = await made();
  const results = await services.call['studies.results']({ reference: study.id, standIn: true });
  expect(results.standIn).toBe(true);
  const shares = results.questions.map(({ question, preferences }) => [
    question,
    ...preferences.map(({ share }) => share),
  ]);
  expect(shares).toEqual([
    ['identity', 1, 1],
    ['motion', null, null],
    ['words', 0, 0],
    ['overall', null, null],
  ]);
});

async function pixels(study: Study, file: string, { width, height }: { width: number; height: number }) {
  const picture = await loadImage(join(home, 'home/studies', study.id, file));
  const context = createCanvas(width, height).getContext('2d');
  context.drawImage(picture, 0, 0);
  return [...context.getImageData(0, 0, width, height).data].filter((_, index) => index % 4 !== 3);
}

async function colourOf(study: Study, file: string): Promise<string> {
  return methodOfColour(await pixels(study, file, { width: 1, height: 1 }));
}

it('there are clips of every method in it', async () => {
  onTestFinished(close);
  const { id } = await made();
  const items = services.studies.items(id).filter(({ kind }) => kind === 'pair');
  expect(new Set(items.flatMap(({ a, b }) => [a.method, b.method]))).toEqual(new Set(studyMethods));
});
