import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import Database from 'better-sqlite3';
import type { LibraryStatus, LockHolder } from '../../shared/domain/library.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { libraryFolder, libraryFolders } from './location.ts';
import { applicationId, backUpDaily, libraryVersion, migrate } from './migrate.ts';
import { acquireWriteLock, findWriteLockHolder, type WriteLock } from './write-lock.ts';

export interface OpenLibraryOptions {
  home?: string;
  /** Shown to others while the write lock is held. */
  program: string;
  /** 'write' fails when another program writes; 'read' never holds the lock; 'any' writes if it can. */
  access?: 'write' | 'read' | 'any';
}

/** `from` is absolute, `to` a path of the library. */
export interface Move {
  from: string;
  to: string;
}

/** One open library folder. Any number of programs read it; at most one writes it at a time. */
export class Library {
  readonly folder: string;
  readonly db: Database.Database;
  readonly #lock: WriteLock | null;
  readonly #holder: LockHolder | null;

  constructor(folder: string, db: Database.Database, lock: WriteLock | null, holder: LockHolder | null) {
    this.folder = folder;
    this.db = db;
    this.#lock = lock;
    this.#holder = holder;
  }

  get canWrite(): boolean {
    return this.#lock !== null;
  }

  status(): LibraryStatus {
    return { folder: this.folder, access: this.canWrite ? 'write' : 'read', holder: this.#holder };
  }

  /** Throws `library-locked`, naming the program that writes, unless this one may. */
  requireWriting(): void {
    if (!this.canWrite) throw lockedError(this.folder, this.#holder);
  }

  /** All of `work`'s changes or none. Throws `library-locked` for a reader. */
  write<T>(work: () => T): T {
    this.requireWriting();
    return this.db.inTransaction ? work() : this.db.transaction(work).immediate();
  }

  /**
   * Moves finished folders (or files) into the library and writes their rows: all or nothing. What already lies at a target without
   * a row is the rest of a program that was killed between the two, and is replaced.
   */
  adopt<T>(moves: Move[], writeRows: () => T): T {
    const done: { from: string; target: string }[] = [];
    try {
      return this.write(() => {
        const result = writeRows();
        for (const { from, to } of moves) {
          const target = this.absolutePath(to);
          rmSync(target, { recursive: true, force: true });
          mkdirSync(resolve(target, '..'), { recursive: true });
          renameSync(from, target);
          done.push({ from, target });
        }
        return result;
      });
    } catch (thrown) {
      for (const { from, target } of done) renameSync(target, from);
      throw thrown;
    }
  }

  /** 'clips/x/frames.rgb' -> absolute. Throws `invalid-input` for a path that leaves the library's folder. */
  absolutePath(relativePath: string): string {
    const absolute = resolve(this.folder, relativePath);
    if (isAbsolute(relativePath) || relative(this.folder, absolute).split(sep)[0] === '..') {
      throw new AppError('invalid-input', `"${relativePath}" is no path inside the library.`);
    }
    return absolute;
  }

  /** The inverse of absolutePath, with forward slashes, as stored. */
  relativePath(absolutePath: string): string {
    return relative(this.folder, absolutePath).split(sep).join('/');
  }

  close(): void {
    if (this.db.open) this.db.close();
    this.#lock?.release();
  }
}

/**
 * Opens or creates the library. Throws `library-locked` (access 'write' while another program writes), `library-too-new`,
 * `damaged-file` (the database fails its check) and `invalid-input` (the folder cannot be one).
 */
export function openLibrary({ home, program, access = 'any' }: OpenLibraryOptions): Library {
  const folder = libraryFolder(home);
  const file = join(folder, 'library.db');
  const found = inspect(file);
  if (found > libraryVersion) throw tooNew(folder, found);
  createFolders(folder);

  // Even a reader needs the lock for the moment in which it creates the library or brings it up to date.
  const wantsLock = access !== 'read' || found < libraryVersion;
  const lock = wantsLock ? acquireWriteLock(folder, program) : null;
  if (lock !== null && 'holder' in lock) {
    if (access === 'write' || found < libraryVersion) throw lockedError(folder, lock.holder);
    return openForReading(file, folder, lock.holder);
  }
  if (lock === null) return openForReading(file, folder, findWriteLockHolder(folder));
  try {
    const db = openDatabase(file, folder, { readonly: false });
    migrate(db, join(folder, 'backups'));
    backUpDaily(db, join(folder, 'backups'));
    if (access !== 'read') return new Library(folder, db, lock, null);
    db.close();
    lock.release();
    return openForReading(file, folder, null);
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
}

function openForReading(file: string, folder: string, holder: LockHolder | null): Library {
  return new Library(folder, openDatabase(file, folder, { readonly: true }), null, holder);
}

function createFolders(folder: string): void {
  try {
    for (const name of libraryFolders) mkdirSync(join(folder, name), { recursive: true });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new AppError('invalid-input', `The library's folder ${folder} cannot be used: ${reason}`, {
      hint: 'Choose another folder with MOTIF_HOME.',
      cause: thrown,
    });
  }
}

/** The version of the library in `file`, 0 when there is none yet. Changes nothing. */
function inspect(file: string): number {
  if (!existsSync(file) || statSync(file).size === 0) return 0;
  const db = guard(file, () => new Database(file, { readonly: true, fileMustExist: true }));
  try {
    const [version, id] = guard(file, () => [
      db.pragma('user_version', { simple: true }) as number,
      db.pragma('application_id', { simple: true }) as number,
    ]);
    if (version! > 0 && id !== applicationId) {
      throw new AppError('invalid-input', `${file} is a database of another program.`, {
        hint: 'Choose another folder with MOTIF_HOME.',
      });
    }
    return version!;
  } finally {
    db.close();
  }
}

function openDatabase(file: string, folder: string, options: { readonly: boolean }): Database.Database {
  const db = guard(file, () => new Database(file, { readonly: options.readonly, timeout: 5000 }));
  try {
    guard(file, () => {
      if (!options.readonly) db.pragma('journal_mode = WAL');
      // With a write-ahead log, NORMAL loses at most the last transactions on a power cut and never damages the file.
      db.pragma('synchronous = NORMAL');
      db.pragma('foreign_keys = ON');
      const report = db.pragma('quick_check(3)') as { quick_check: string }[];
      if (report[0]?.quick_check !== 'ok') throw damaged(file, report.map((row) => row.quick_check).join('; '), folder);
    });
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** SQLite's own words for a broken file become one error that says what to do. */
function guard<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(thrown.code)) {
      throw damaged(file, thrown.message, resolve(file, '..'));
    }
    throw thrown;
  }
}

function damaged(file: string, reason: string, folder: string): AppError {
  const backups = join(folder, 'backups');
  const newest = (existsSync(backups) ? readdirSync(backups) : [])
    .filter((name) => name.endsWith('.db'))
    .sort((a, b) => age(b, backups) - age(a, backups))[0];
  return new AppError('damaged-file', `The library's database ${file} is damaged: ${reason}`, {
    hint: newest
      ? `Close Motif and put back the copy ${join(backups, newest)} under the name ${file}.`
      : `Move ${file} away to start with an empty library; clips, concepts and edits stay in their folders.`,
  });
}

const age = (name: string, folder: string) => statSync(join(folder, name)).mtimeMs;

function tooNew(folder: string, version: number): AppError {
  return new AppError(
    'library-too-new',
    `The library in ${folder} was made by a newer Motif (its version is ${version}, this program knows ${libraryVersion}).`,
    { hint: 'Update Motif, or choose another folder with MOTIF_HOME. Nothing was changed.' },
  );
}

function lockedError(folder: string, holder: LockHolder | null): AppError {
  if (holder === null) {
    return new AppError('library-locked', `The library in ${folder} was opened for reading only.`);
  }
  const { program, pid, host, since } = holder;
  const message = `The library in ${folder} is being written by ${program} (process ${pid} on ${host}, since ${since}).`;
  return new AppError('library-locked', message, {
    hint: 'Reading works meanwhile. To change something, wait for that program or close it.',
    details: { holder },
  });
}
