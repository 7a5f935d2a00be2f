import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClipStore } from '../../../main/library/clips.ts';
import { ConceptStore } from '../../../main/library/concepts.ts';
import { EditStore } from '../../../main/library/edits.ts';
import { libraryVersion } from '../../../main/library/migrate.ts';
import { type Library, openLibrary } from '../../../main/library/open.ts';
import { searchItems } from '../../../main/library/search.ts';
import { readSettings } from '../../../main/library/settings.ts';
import { makeClip, makeTempFolder } from '../../fixtures/library.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');
let folder: string;
const open: Library[] = [];
const children: ChildProcess[] = [];

function openHere(options: Partial<Parameters<typeof openLibrary>[0]> = {}): Library {
  const library = openLibrary({ home: folder, program: 'test', ...options });
  open.push(library);
  return library;
}

/** Another process that holds the write lock and writes all the time. */
async function holdElsewhere(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(fixtures, 'hold-library.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

beforeEach(() => {
  folder = makeTempFolder('open');
});
afterEach(async () => {
  for (const library of open.splice(0)) library.close();
  await Promise.all(
    children.splice(0).map((child) => (child.exitCode === null && child.signalCode === null ? kill(child) : null)),
  );
  rmSync(folder, { recursive: true });
});

describe('opening', () => {
  it('creates the folder with all that belongs in it', () => {
    rmSync(folder, { recursive: true });
    openHere();
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(['library.db', 'clips', 'concepts', 'edits', 'jobs', 'exports', 'backups']),
    );
  });

  it('creates it for a reader too, and gives the lock back', () => {
    expect(openHere({ access: 'read' }).canWrite).toBe(false);
    expect(openHere({ access: 'write' }).canWrite).toBe(true);
  });

  it('finds everything after the folder was moved', () => {
    new ClipStore(openHere()).insert(makeClip('river'));
    open.pop()!.close();
    const copy = `${folder}-copy`;
    cpSync(folder, copy, { recursive: true });
    try {
      const library = openHere({ home: copy });
      expect(library.absolutePath(new ClipStore(library).get('river').frames.file)).toBe(
        join(copy, 'clips/river/frames.rgb'),
      );
    } finally {
      open.pop()!.close();
      rmSync(copy, { recursive: true });
    }
  });

  it('refuses a folder that cannot be one', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => openHere({ home: join(folder, 'file') })).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  });
});

describe('one writer', () => {
  it('is named to every other program: process, host, program', async () => {
    const child = await holdElsewhere();
    const library = openHere();
    expect(library.status()).toMatchObject({ access: 'read', holder: { pid: child.pid, program: 'motif learn' } });
    expect(() => library.write(() => {})).toThrow(
      expect.objectContaining({
        code: 'library-locked',
        message: expect.stringContaining(`motif learn (process ${child.pid} on `),
      }),
    );
    expect(() => openHere({ access: 'write' })).toThrow(expect.objectContaining({ code: 'library-locked' }));
  });

  it('is named to one that only wants to read, too', async () => {
    expect(openHere({ access: 'read' }).status()).toMatchObject({ access: 'read', holder: null });
    expect(() => open[0]!.write(() => {})).toThrow('is open read-only');
    const child = await holdElsewhere();
    expect(openHere({ access: 'read' }).status()).toMatchObject({ access: 'read', holder: { pid: child.pid } });
  });

  it('is followed by readers while it writes', async () => {
    await holdElsewhere();
    const count = openHere().db.prepare('SELECT count(*) FROM settings').pluck();
    const before = count.get() as number;
    await expect.poll(() => count.get() as number).toBeGreaterThan(before);
  });

  it('that is killed leaves an intact library that the next can write', async () => {
    const child = await holdElsewhere();
    const reader = openHere();
    await expect
      .poll(() => reader.db.prepare('SELECT count(*) FROM settings').pluck().get() as number)
      .toBeGreaterThan(5);
    await kill(child);
    const library = openHere({ access: 'write' });
    expect(library.db.pragma('integrity_check', { simple: true })).toBe('ok');
    const names = library.db.prepare('SELECT name FROM settings').pluck().all() as string[];
    expect(names).toEqual(expect.arrayContaining(names.map((_, index) => `setting ${index}`)));
  });

  it('does not count when only its note is left', () => {
    mkdirSync(folder, { recursive: true });
    const holder = { pid: process.pid, host: 'here', program: 'old', since: '2026-01-01T00:00:00Z' };
    writeFileSync(join(folder, 'lock.json'), JSON.stringify(holder));
    expect(openHere({ access: 'write' }).canWrite).toBe(true);
  });
});

describe('a library of the first version', () => {
  beforeEach(() => {
    const db = new Database(join(folder, 'library.db'));
    db.exec(readFileSync(join(fixtures, 'library-v1.sql'), 'utf8'));
    db.close();
  });

  it('is brought up to date with everything in it, and found by search', () => {
    const library = openHere();
    expect(library.db.pragma('user_version', { simple: true })).toBe(libraryVersion);
    expect(new ClipStore(library).get('Wild river')).toMatchObject({
      tags: ['water'],
      warnings: ['It was interlaced.'],
    });
    expect(new ConceptStore(library).get('Dancer')).toMatchObject({
      directionNames: { 0: 'Jacket' },
      clipIds: ['river-1a2b'],
    });
    expect(new EditStore(library).list()).toMatchObject([{ name: 'On the beach', starred: true }]);
    expect(readSettings(library).theme).toBe('dark');
    expect(searchItems(library, 'wat').map(({ id }) => id)).toEqual(['river-1a2b']);
    expect(searchItems(library, 'jacket').map(({ id }) => id)).toEqual(['dancer-3c4d']);
  });

  it('names edits that were called by their words after their places, what is deleted after the others', () => {
    const db = new Database(join(folder, 'library.db'));
    const copy = db.prepare(
      `INSERT INTO edits (id, name, concept_id, concept_version, settings, recipe_key, frames, created_at)
       SELECT ?, json_extract(settings, '$.prompt'), concept_id, concept_version, settings, ?, frames, ? FROM edits
       WHERE id = 'dancer-edit-5e6f'`,
    );
    for (const day of [3, 1, 2]) copy.run(`edit-${day}`, `key-${day}`, `2026-02-0${day}T00:00:00.000Z`);
    db.close();
    const library = openHere();
    const named = new EditStore(library).list({ order: 'oldest' }).map(({ id, name }) => `${id}: ${name}`);
    expect(named).toEqual(['dancer-edit-5e6f: On the beach', 'edit-1: Edit 2', 'edit-2: Edit 3', 'edit-3: Edit 4']);
    expect(searchItems(library, 'Edit 3').map(({ id }) => id)).toEqual(['edit-2']);
  });

  it('keeps the paths of clips that have a file of their own, and none that is a bare name', () => {
    const paths = [
      '/films/a.mp4',
      'C:\\films\\b.mp4',
      'D:/c.mp4',
      '\\\\server\\d.mp4',
      'river.mp4',
      '../e.mp4',
      'C:f.mp4',
    ];
    const db = new Database(join(folder, 'library.db'));
    const copy = db.prepare(
      `INSERT INTO clips (id, name, sha256, source, from_seconds, to_seconds, fit, frames, warnings, created_at)
       SELECT ?, name, sha256, json_set(source, '$.path', ?), from_seconds, to_seconds, fit, frames, warnings, created_at
       FROM clips WHERE id = 'river-1a2b'`,
    );
    for (const [index, path] of paths.entries()) copy.run(`clip-${index}`, path);
    db.close();
    const clips = new ClipStore(openHere());
    expect(paths.map((_, index) => clips.byId(`clip-${index}`).source.path)).toEqual([
      ...paths.slice(0, 4),
      null,
      null,
      null,
    ]);
  });

  it('is copied first, as it was', () => {
    openHere();
    const [backup] = readdirSync(join(folder, 'backups'));
    expect(backup).toMatch(/^library-v1-/);
    const copy = new Database(join(folder, 'backups', backup!), { readonly: true });
    expect(copy.pragma('user_version', { simple: true })).toBe(1);
    expect(copy.prepare('SELECT name FROM clips').pluck().all()).toEqual(['Wild river']);
    copy.close();
  });

  it('stays as it was when bringing it up to date fails', () => {
    const db = new Database(join(folder, 'library.db'));
    db.exec('CREATE TABLE trash (something_else TEXT)');
    db.close();
    expect(() => openHere()).toThrow('table trash already exists');
    const after = new Database(join(folder, 'library.db'), { readonly: true });
    expect(after.pragma('user_version', { simple: true })).toBe(1);
    expect((after.pragma('table_info(clips)') as { name: string }[]).map(({ name }) => name)).not.toContain('trash_id');
    after.close();
  });
});

it('a library with something in it is copied once a day', () => {
  const backups = () => readdirSync(join(folder, 'backups'));
  new ClipStore(openHere()).insert(makeClip('river'));
  open.pop()!.close();
  expect(backups()).toEqual([]);
  openHere();
  open.pop()!.close();
  openHere();
  expect(backups()).toEqual([expect.stringMatching(`^library-v${libraryVersion}-`)]);
});

it('half a copy, left by a killed program, counts as none and is not offered', () => {
  const backups = () => readdirSync(join(folder, 'backups')).sort();
  new ClipStore(openHere()).insert(makeClip('river'));
  open.pop()!.close();
  openHere();
  open.pop()!.close();
  const [whole] = backups();
  const half = `library-v${libraryVersion}-2999-01-01T00-00-00-000Z.db`;
  writeFileSync(join(folder, 'backups', half), readFileSync(join(folder, 'backups', whole!)).subarray(0, 5000));
  writeFileSync(join(folder, 'backups', `library-v${libraryVersion}-x.db.part`), 'half');
  rmSync(join(folder, 'backups', whole!));
  openHere();
  open.pop()!.close();
  const made = backups().filter((name) => name !== half);
  expect(made).toEqual([expect.stringMatching(new RegExp(`^library-v${libraryVersion}-.*\\.db$`))]);

  const db = openSync(join(folder, 'library.db'), 'r+');
  writeSync(db, Buffer.alloc(4096, 0xa5), 0, 4096, 4096);
  closeSync(db);
  expect(() => openHere()).toThrow(expect.objectContaining({ hint: expect.stringContaining(made[0]!) }));
});

describe('a library that cannot be used', () => {
  it('because it is newer is refused and stays the same to the byte', () => {
    openHere().db.pragma(`user_version = ${libraryVersion + 1}`);
    open.pop()!.close();
    const before = readFileSync(join(folder, 'library.db'));
    expect(() => openHere()).toThrow(expect.objectContaining({ code: 'library-too-new' }));
    expect(() => openHere({ access: 'read' })).toThrow(expect.objectContaining({ code: 'library-too-new' }));
    expect(readFileSync(join(folder, 'library.db')).equals(before)).toBe(true);
  });

  it('because it is damaged is refused with what to do, and the lock is free again', () => {
    const db = openHere().db;
    db.exec("INSERT INTO settings (name, value) VALUES ('filler', hex(randomblob(200000)))");
    open.pop()!.close();
    const file = join(folder, 'library.db');
    copyFileSync(file, `${file}.good`);
    truncateSync(file, 20_000);
    expect(() => openHere()).toThrow(
      expect.objectContaining({
        code: 'damaged-file',
        hint: expect.stringContaining('clips, concepts and edits stay'),
      }),
    );
    writeFileSync(file, 'not a database at all, but long enough to be taken for one'.repeat(100));
    expect(() => openHere()).toThrow(expect.objectContaining({ code: 'damaged-file' }));
    copyFileSync(`${file}.good`, file);
    expect(openHere({ access: 'write' }).canWrite).toBe(true);
  });

  it("because it is another program's is refused", () => {
    const db = new Database(join(folder, 'library.db'));
    db.exec('CREATE TABLE books (title TEXT); PRAGMA user_version = 1;');
    db.close();
    expect(() => openHere()).toThrow("is another program's database");
  });
});

describe('adopting a folder', () => {
  const make = (name: string) => {
    const made = join(folder, 'jobs', name);
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, 'file'), 'new');
    return made;
  };

  it('moves it and writes its rows', () => {
    const library = openHere();
    library.adopt([{ from: make('a'), to: 'clips/river' }], () => new ClipStore(library).insert(makeClip('river')));
    expect(readFileSync(join(folder, 'clips/river/file'), 'utf8')).toBe('new');
    expect(readdirSync(join(folder, 'jobs'))).toEqual([]);
  });

  it('does neither when the rows are refused', () => {
    const library = openHere();
    const clips = new ClipStore(library);
    library.adopt([{ from: make('a'), to: 'clips/river' }], () => clips.insert(makeClip('river')));
    writeFileSync(join(folder, 'clips/river/file'), 'old');
    expect(() =>
      library.adopt([{ from: make('b'), to: 'clips/river' }], () => clips.insert(makeClip('river'))),
    ).toThrow(/UNIQUE/);
    expect(readFileSync(join(folder, 'clips/river/file'), 'utf8')).toBe('old');
    expect(readdirSync(join(folder, 'jobs'))).toEqual(['b']);
  });

  it('moves what it moved back when another cannot be moved', () => {
    const library = openHere();
    const moves = [
      { from: make('a'), to: 'clips/river' },
      { from: join(folder, 'jobs/nothing'), to: 'concepts/dancer/v1' },
    ];
    expect(() => library.adopt(moves, () => {})).toThrow(/ENOENT/);
    expect([readdirSync(join(folder, 'jobs')), readdirSync(join(folder, 'clips'))]).toEqual([['a'], []]);
  });

  it('does neither when the folder cannot be moved', () => {
    const library = openHere();
    const clips = new ClipStore(library);
    expect(() =>
      library.adopt([{ from: join(folder, 'jobs/nothing'), to: 'clips/river' }], () => clips.insert(makeClip('river'))),
    ).toThrow(/ENOENT/);
    expect(clips.list()).toEqual([]);
  });

  it('replaces what a killed program left without a row', () => {
    const library = openHere();
    mkdirSync(join(folder, 'clips/river'));
    writeFileSync(join(folder, 'clips/river/rest'), 'old');
    library.adopt([{ from: make('a'), to: 'clips/river' }], () => new ClipStore(library).insert(makeClip('river')));
    expect(readdirSync(join(folder, 'clips/river'))).toEqual(['file']);
  });
});
