import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClipStore } from '../../../main/library/clips.ts';
import { ConceptStore } from '../../../main/library/concepts.ts';
import { EditStore, recipeKey } from '../../../main/library/edits.ts';
import { makeId, resolveItem, slug } from '../../../main/library/ids.ts';
import { allTags } from '../../../main/library/labels.ts';
import { type Library, openLibrary } from '../../../main/library/open.ts';
import { searchItems } from '../../../main/library/search.ts';
import { readSettings, writeSettings } from '../../../main/library/settings.ts';
import { deleteItems, emptyTrash, listTrash, restoreItems } from '../../../main/library/trash.ts';
import { editSettings } from '../../../shared/domain/edit.ts';
import { makeClip, makeConcept, makeEdit, makeTempFolder } from '../../fixtures/library.ts';
import { processorSeconds } from '../../fixtures/processor-time.ts';

let folder: string;
let library: Library;
let clips: ClipStore;
let concepts: ConceptStore;
let edits: EditStore;

beforeEach(() => {
  folder = makeTempFolder('library');
  library = openLibrary({ home: folder, program: 'test' });
  clips = new ClipStore(library);
  concepts = new ConceptStore(library);
  edits = new EditStore(library);
});
afterEach(() => {
  library.close();
  rmSync(folder, { recursive: true });
});

describe('items', () => {
  it('come back as they were written', () => {
    const clip = makeClip('river-1a2b', {
      crop: { left: 1, top: 2, width: 3, height: 4 },
      warnings: ['It was interlaced.'],
      tags: ['water'],
    });
    const concept = makeConcept('dancer-3c4d', [clip.id]);
    const edit = makeEdit('dancer-edit-5e6f', concept.id, { sourceClipId: clip.id, starred: true });
    expect(clips.insert(clip)).toEqual(clip);
    expect(concepts.insert(concept)).toEqual(concept);
    expect(edits.insert(edit)).toEqual(edit);
  });

  it('are read whatever their words’ length, although no such words are taken any more', () => {
    clips.insert(makeClip('river'));
    concepts.insert(makeConcept('dancer', ['river']));
    edits.insert(makeEdit('beach', 'dancer'));
    const long = 'word '.repeat(1000);
    library.write(() => {
      library.db.prepare("UPDATE edits SET settings = json_set(settings, '$.prompt', ?)").run(long);
      library.db.prepare("UPDATE concept_versions SET captions = json_set(captions, '$[0].static', ?)").run(long);
    });
    expect(edits.get('beach').settings.prompt).toBe(long);
    expect(concepts.get('dancer').captions[0]!.static).toBe(long);
    expect(editSettings.safeParse({ prompt: long }).success).toBe(false);
  });

  it('keep the order of the clips of a joint concept', () => {
    for (const id of ['b', 'a', 'c']) clips.insert(makeClip(id));
    expect(concepts.insert(makeConcept('both', ['c', 'a', 'b'])).clipIds).toEqual(['c', 'a', 'b']);
  });

  it('refuse a concept of a clip that does not exist, and leave nothing of it behind', () => {
    expect(() => concepts.insert(makeConcept('ghost', ['nowhere']))).toThrow(/FOREIGN KEY/);
    expect(concepts.list()).toEqual([]);
    expect(searchItems(library, 'ghost')).toEqual([]);
  });

  it('of a concept are the newest version unless another is asked for', () => {
    clips.insert(makeClip('river'));
    concepts.insert(makeConcept('dancer', ['river']));
    concepts.insert(makeConcept('dancer', ['river'], { version: concepts.nextVersion('dancer'), rank: 8 }));
    expect(concepts.get('dancer')).toMatchObject({ version: 2, rank: 8 });
    expect(concepts.get('dancer', 1)).toMatchObject({ version: 1, rank: 4 });
    expect(concepts.versions('dancer').map(({ version }) => version)).toEqual([1, 2]);
    expect(() => concepts.get('dancer', 3)).toThrow('There is no version 3');
  });

  it('are listed by age or name, by tag and by words', () => {
    clips.insert(makeClip('b-river', { tags: ['water', 'day'] }));
    clips.insert(makeClip('a-street', { tags: ['day'] }));
    clips.insert(makeClip('c-lake', { tags: ['water'] }));
    const ids = (query: Parameters<ClipStore['list']>[0]) => clips.list(query).map(({ id }) => id);
    expect(ids({})).toEqual(['c-lake', 'a-street', 'b-river']);
    expect(ids({ order: 'oldest' })).toEqual(['b-river', 'a-street', 'c-lake']);
    expect(ids({ order: 'name', tag: 'WATER' })).toEqual(['b-river', 'c-lake']);
    expect(ids({ text: 'wat riv' })).toEqual(['b-river']);
    expect(allTags(library)).toEqual([
      { tag: 'day', count: 2 },
      { tag: 'water', count: 2 },
    ]);
  });

  it('take new names, tags and notes, each without touching the others', () => {
    clips.insert(makeClip('river', { tags: ['old'] }));
    expect(clips.label('river', { name: 'The rapids' })).toMatchObject({
      name: 'The rapids',
      tags: ['old'],
      notes: '',
    });
    expect(clips.label('The rapids', { tags: ['new', 'wet'] })).toMatchObject({
      name: 'The rapids',
      tags: ['new', 'wet'],
    });
    expect(() => clips.label('river', { name: '   ' })).toThrow();
  });

  it('of a concept take names for directions that exist', () => {
    clips.insert(makeClip('river'));
    concepts.insert(makeConcept('dancer', ['river']));
    expect(concepts.label('dancer', { directionNames: { 0: 'Jacket' } }).directionNames).toEqual({ 0: 'Jacket' });
    expect(() => concepts.label('dancer', { directionNames: { 3: 'Hat' } })).toThrow('no direction 3');
  });

  it('refuse a path that leaves the folder', () => {
    expect(() => library.absolutePath('../secret')).toThrow('not a path inside the library');
    expect(() => library.absolutePath('/etc/passwd')).toThrow('not a path inside the library');
    expect(library.absolutePath('clips/..hidden')).toBe(join(folder, 'clips/..hidden'));
  });
});

describe('ids', () => {
  it('are readable, and never the same twice', () => {
    const taken = new Set<string>();
    for (let count = 0; count < 500; count++) taken.add(makeId('Dancer in a Park', (id) => taken.has(id)));
    expect(taken.size).toBe(500);
    for (const id of taken) expect(id).toMatch(/^dancer-in-a-park-[0-9a-f]{4,}$/);
  });

  it.each([
    ['Zoë & Łukasz', 'zoe-ukasz'],
    ['日本', 'item'],
    ['--- a very, very long name of a clip.mp4', 'a-very-very-long-name-of'],
  ])('of "%s" begin with "%s"', (name, expected) => {
    expect(slug(name)).toBe(expected);
  });

  it('are found by themselves, by a unique beginning or by name', () => {
    clips.insert(makeClip('river-1a2b', { name: 'Rapids' }));
    clips.insert(makeClip('river-3c4d', { name: 'Brook' }));
    concepts.insert(makeConcept('rapids-5e6f', ['river-1a2b'], { name: 'Dancer' }));
    expect(resolveItem(library, 'river-1a2b')).toMatchObject({ kind: 'clip', id: 'river-1a2b' });
    expect(resolveItem(library, 'river-3')).toMatchObject({ id: 'river-3c4d' });
    expect(resolveItem(library, 'brook')).toMatchObject({ id: 'river-3c4d' });
    // A name wins over the beginning of another's id.
    expect(resolveItem(library, 'rapids')).toMatchObject({ kind: 'clip', id: 'river-1a2b' });
  });

  it('with a name that differs from another in capitals alone are found by exactly that', () => {
    clips.insert(makeClip('river-1a2b', { name: 'dancer' }));
    concepts.insert(makeConcept('rapids-5e6f', ['river-1a2b'], { name: 'Dancer' }));
    expect(resolveItem(library, 'Dancer')).toMatchObject({ kind: 'concept' });
    expect(resolveItem(library, 'dancer')).toMatchObject({ kind: 'clip' });
    expect(() => resolveItem(library, 'DANCER')).toThrow(expect.objectContaining({ code: 'conflict' }));
  });

  it('that fit several things, or none, are refused with what there is', () => {
    clips.insert(makeClip('river-1a2b'));
    clips.insert(makeClip('river-3c4d'));
    expect(() => resolveItem(library, 'river')).toThrow(
      expect.objectContaining({
        code: 'conflict',
        message: expect.stringContaining('river-1a2b ("river-1a2b"), river-3c4d'),
      }),
    );
    expect(() => resolveItem(library, 'lake')).toThrow(
      expect.objectContaining({ code: 'not-found', hint: expect.stringContaining('river-3c4d') }),
    );
    expect(() => resolveItem(library, '')).toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});

describe('search', () => {
  beforeEach(() => {
    clips.insert(makeClip('river', { name: 'Été à la rivière' }));
    concepts.insert(makeConcept('dancer', ['river']));
    edits.insert(makeEdit('beach', 'dancer', { notes: 'the client likes this' }));
  });
  const found = (text: string) => searchItems(library, text).map(({ id }) => id);

  it('finds names, captions, prompts, tags and notes by the beginnings of words, accents aside', () => {
    expect(found('ete riv')).toEqual(['river']);
    expect(found('jacket')).toEqual(['dancer']);
    expect(found('BEA')).toEqual(['beach']);
    expect(found('client')).toEqual(['beach']);
    clips.label('river', { tags: ['holiday'] });
    expect(found('holi')).toEqual(['river']);
  });

  it('follows a change of name', () => {
    concepts.label('dancer', { name: 'Tango' });
    expect(found('tango')).toEqual(['dancer']);
  });

  it('shows where the words were found', () => {
    expect(searchItems(library, 'jacket')[0]!.snippet).toContain('\u0002jacket\u0003');
  });

  it('takes whatever is typed as words', () => {
    for (const text of ['"', 'NOT', 'a AND', '*', 'name:x', "'; DROP TABLE clips", '('])
      expect(() => found(text)).not.toThrow();
    expect(found('  ')).toEqual([]);
  });

  it('of the longest text that is taken does not hold anybody up', async () => {
    const text = Array.from({ length: 150 }, (_, index) => String.fromCharCode(97 + (index % 26))).join(' ');
    const seconds = await processorSeconds(() => {
      expect(searchItems(library, text)).toEqual([]);
      expect(clips.list({ text })).toEqual([]);
    });
    expect(seconds).toBeLessThan(0.5);
    expect(() => clips.list({ text: `${text} and more` })).toThrow('A search has at most 300 characters.');
  });

  it('can be limited to kinds', () => {
    expect(searchItems(library, 'person', { kinds: ['edit'] }).map(({ id }) => id)).toEqual(['beach']);
  });
});

describe('the trash', () => {
  beforeEach(() => {
    clips.insert(makeClip('river'));
    concepts.insert(makeConcept('dancer', ['river']));
    edits.insert(makeEdit('beach', 'dancer', { sourceClipId: 'river' }));
    for (const path of ['clips/river', 'concepts/dancer/v1', 'edits/beach']) {
      mkdirSync(join(folder, path), { recursive: true });
      writeFileSync(join(folder, path, 'file'), 'content');
    }
  });

  it('takes a concept with its edits and gives both back together', () => {
    const deletion = deleteItems(library, [{ kind: 'concept', id: 'dancer' }]);
    expect(deletion.items).toEqual([
      { kind: 'concept', id: 'dancer' },
      { kind: 'edit', id: 'beach' },
    ]);
    expect([concepts.list(), edits.list(), searchItems(library, 'person')]).toEqual([[], [], []]);
    restoreItems(library, deletion.id);
    expect([concepts.list().length, edits.list().length, searchItems(library, 'person').length]).toEqual([1, 1, 2]);
    expect(listTrash(library)).toEqual([]);
    expect(() => restoreItems(library, deletion.id)).toThrow('no longer in the trash');
  });

  it('leaves out what was deleted before when it gives back', () => {
    const first = deleteItems(library, [{ kind: 'edit', id: 'beach' }]);
    const second = deleteItems(library, [{ kind: 'concept', id: 'dancer' }]);
    restoreItems(library, second.id);
    expect(edits.list()).toEqual([]);
    restoreItems(library, first.id);
    expect(edits.list().length).toBe(1);
  });

  it('hides a clip but keeps it readable for the concept that came of it', () => {
    deleteItems(library, [{ kind: 'clip', id: 'river' }]);
    expect(clips.list()).toEqual([]);
    expect(() => clips.get('river')).toThrow('There is no clip "river"');
    expect(clips.byId('river').id).toBe('river');
    expect(concepts.get('dancer').clipIds).toEqual(['river']);
  });

  it('when emptied deletes rows and files, but not a clip that something needs', () => {
    deleteItems(library, [{ kind: 'clip', id: 'river' }]);
    expect(emptyTrash(library)).toBe(0);
    deleteItems(library, [{ kind: 'concept', id: 'dancer' }]);
    expect(emptyTrash(library)).toBe(3);
    expect(readdirSync(join(folder, 'clips'))).toEqual([]);
    expect(existsSync(join(folder, 'concepts/dancer'))).toBe(false);
    expect(listTrash(library)).toEqual([]);
  });

  it('when emptied of old things keeps the new', () => {
    const deletion = deleteItems(library, [{ kind: 'edit', id: 'beach' }]);
    expect(emptyTrash(library, 1)).toBe(0);
    expect(listTrash(library)).toEqual([deletion]);
  });

  it('takes all or nothing', () => {
    expect(() =>
      deleteItems(library, [
        { kind: 'clip', id: 'river' },
        { kind: 'clip', id: 'nowhere' },
      ]),
    ).toThrow('There is no clip "nowhere"');
    expect(clips.list().length).toBe(1);
  });
});

describe('edits made in the same way', () => {
  it('have the same key, whatever was left at its default', () => {
    const key = (sliders: object, seed = 1) =>
      recipeKey({
        conceptId: 'dancer',
        conceptVersion: 1,
        model: null,
        sourceClipId: null,
        settings: editSettings.parse({ seed, prompt: 'p', sliders }),
      });
    expect(key({})).toBe(key({ identity: 1, directions: { 2: 1 } }));
    expect(key({ directions: { 10: 2, 2: 3 } })).toBe(key({ directions: { 2: 3, 10: 2 } }));
    expect(key({ motion: 0.5 })).not.toBe(key({}));
    expect(key({}, 2)).not.toBe(key({}));
  });

  it('are found until they are thrown away', () => {
    clips.insert(makeClip('river'));
    concepts.insert(makeConcept('dancer', ['river']));
    const edit = edits.insert(makeEdit('beach', 'dancer'));
    expect(edits.withRecipe(recipeKey(edit))?.id).toBe('beach');
    deleteItems(library, [{ kind: 'edit', id: 'beach' }]);
    expect(edits.withRecipe(recipeKey(edit))).toBeNull();
  });
});

describe('settings', () => {
  it('have defaults, keep what was set, and write only that', () => {
    expect(readSettings(library).theme).toBe('system');
    expect(writeSettings(library, { theme: 'dark' })).toMatchObject({ theme: 'dark', device: 'auto' });
    expect(library.db.prepare('SELECT name FROM settings').pluck().all()).toEqual(['theme']);
  });

  it('refuse a value out of range and store nothing of that change', () => {
    expect(() => writeSettings(library, { theme: 'dark', previewSteps: 0 })).toThrow();
    expect(readSettings(library).theme).toBe('system');
  });

  it('of an older program that no longer fit fall back one by one', () => {
    const insert = library.db.prepare('INSERT INTO settings (name, value) VALUES (?, ?)');
    insert.run('theme', '"sepia"');
    insert.run('previewSteps', '12');
    insert.run('removed', '1');
    expect(readSettings(library)).toMatchObject({ theme: 'system', previewSteps: 12 });
  });
});

describe('edits of a concept', () => {
  it('are numbered on, whatever was deleted or renamed', () => {
    clips.insert(makeClip('river'));
    concepts.insert(makeConcept('dancer', ['river']));
    expect(edits.nextName('dancer')).toBe('Edit 1');
    for (const id of ['one', 'two', 'three']) edits.insert(makeEdit(id, 'dancer', { name: edits.nextName('dancer') }));
    expect(edits.list({ order: 'oldest' }).map(({ name }) => name)).toEqual(['Edit 1', 'Edit 2', 'Edit 3']);
    edits.label('three', { name: 'On the beach' });
    deleteItems(library, [{ kind: 'edit', id: 'one' }]);
    expect(edits.nextName('dancer')).toBe('Edit 4');
    edits.label('two', { name: 'Edit 12' });
    expect(edits.nextName('dancer')).toBe('Edit 13');
    concepts.insert(makeConcept('singer', ['river']));
    expect(edits.nextName('singer')).toBe('Edit 1');
  });
});
