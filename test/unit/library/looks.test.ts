import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LookStore } from '../../../main/library/looks.ts';
import { type Library, openLibrary } from '../../../main/library/open.ts';
import { asChanged, lookSettings, readLookFile, writeLookFile } from '../../../shared/domain/look.ts';

let folder: string;
let library: Library;
let looks: LookStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-looks-'));
  library = openLibrary({ home: folder, program: 'test' });
  looks = new LookStore(library);
});

afterEach(() => {
  library.close();
  rmSync(folder, { recursive: true, force: true });
});

const look = (name: string) => ({ name, from: 'by day', to: 'at dusk', strength: 0.4, ...asChanged });
const ownNames = () => looks.own().map(({ name }) => name);

it('a look of its own is found by id and by name, whatever its case, before those of the program', () => {
  const saved = looks.save(look('Blue Dusk'));
  expect(saved).toEqual({ id: 'blue-dusk', ...look('Blue Dusk') });
  expect(looks.get('BLUE dusk')).toEqual(saved);
  expect(looks.get('night').name).toBe('Night');
  expect(looks.list()[0]).toEqual({ look: saved, isOwn: true });
  expect(() => looks.get('noir')).toThrow(expect.objectContaining({ code: 'not-found' }));
});

it('a look keeps how much of its change is made and how much colour it has, also in a file', () => {
  const graded = { ...look('Faint grey'), amount: 0.5, colour: 0 };
  looks.save(graded);
  expect(looks.get('faint grey')).toMatchObject(graded);
  looks.save({ ...graded, colour: 1.5 }, 'faint-grey');
  expect(looks.get('faint grey').colour).toBe(1.5);
  expect(readLookFile(writeLookFile(graded), 'grey.json')).toEqual(graded);
  const asBefore = writeLookFile(look('plain'));
  expect(Object.keys(JSON.parse(asBefore))).not.toContain('colour');
  expect(readLookFile(asBefore, 'plain.json')).toEqual(look('plain'));
  expect(lookSettings(graded)).toMatchObject({ amount: 0.5, colour: 0 });
});

it('looks keep an order, and are renamed in their place', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => looks.save(look(name)));
  looks.move(c!.id, a!.id);
  expect(ownNames()).toEqual(['c', 'a', 'b']);
  looks.save({ ...look('bb') }, b!.id);
  looks.move(c!.id, null);
  expect(ownNames()).toEqual(['a', 'bb', 'c']);
  looks.remove(a!.id);
  expect(ownNames()).toEqual(['bb', 'c']);
  expect(() => looks.remove(a!.id)).toThrow(expect.objectContaining({ code: 'not-found' }));
});

it('a name that is taken, by the program or by oneself, and words without effect are refused', () => {
  looks.save(look('dusk'));
  for (const name of ['Dusk', 'Sunset']) {
    expect(() => looks.save(look(name))).toThrow(expect.objectContaining({ code: 'conflict' }));
  }
  expect(() => looks.save({ ...look('none'), to: ' By  DAY' })).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
  expect(() => looks.save({ ...look('none'), strength: 2 })).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
  expect(ownNames()).toEqual(['dusk']);
});
