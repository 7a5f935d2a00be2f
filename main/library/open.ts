import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type Database from 'better-sqlite3';
import type { LibraryStatus, LockHolder } from '../../shared/domain/library.ts';
import { AppError, type AppErrorShape, fromErrorShape, toErrorShape } from '../../shared/ipc/result.ts';
import { backUpDaily } from './backups.ts';
import { openCopy, openDatabase, readVersion, versionOf } from './database.ts';
import { libraryFolder, libraryFolders } from './location.ts';
import { libraryVersion, migrate } from './migrate.ts';
import { isFull, lockedError, obstacleOf, tooNew } from './refusals.ts';
import { SpaceReserve } from './reserve.ts';
import { UnfinishedNotes } from './unfinished.ts';
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

/** What this program may do with the library, and why not more. */
interface Standing {
  lock: WriteLock | null;
  /** Another program writes. */
  holder?: LockHolder | null;
  /** The disk is full, or nothing may be written there. */
  obstacle?: AppErrorShape;
  /** Called when the library is closed. */
  discard?(): void;
}

/** One open library folder. Any number of programs read it; at most one writes it at a time, but for what is only added (`append`). */
export class Library {
  readonly folder: string;
  readonly db: Database.Database;
  readonly unfinished: UnfinishedNotes;
  readonly #standing: Standing;
  readonly #reserve: SpaceReserve;
  #appending: Database.Database | undefined;

  constructor(folder: string, db: Database.Database, standing: Standing) {
    this.folder = folder;
    this.db = db;
    this.#standing = standing;
    this.#reserve = new SpaceReserve(folder);
    this.unfinished = new UnfinishedNotes(folder);
  }

  get canWrite(): boolean {
    return this.#standing.lock !== null;
  }

  /** Whether files that can be made again may be deleted: for that a full disk is no obstacle. */
  get canFreeSpace(): boolean {
    return this.canWrite || this.#standing.obstacle?.code === 'out-of-space';
  }

  status(): LibraryStatus {
    const { holder = null, obstacle = null } = this.#standing;
    return { folder: this.folder, access: this.canWrite ? 'write' : 'read', holder, obstacle };
  }

  /**
   * Throws `library-locked`, naming the program that writes, or what the disk refuses, unless this program
   * may write.
   */
  requireWriting(): void {
    if (this.canWrite) return;
    const { holder = null, obstacle } = this.#standing;
    throw obstacle ? fromErrorShape(obstacle) : lockedError(this.folder, holder);
  }

  /**
   * All of `work`'s changes or none. Throws `library-locked` for a reader. On a full disk the reserve is
   * given up and `work` done again, from the state before it.
   */
  write<T>(work: () => T): T {
    this.requireWriting();
    if (this.db.inTransaction) return work();
    const transaction = this.db.transaction(work);
    try {
      return transaction.immediate();
    } catch (thrown) {
      if (!isFull(thrown) || !this.#reserve.giveUp()) throw thrown;
      return transaction.immediate();
    }
  }

  /**
   * Adds rows that nothing changes, as answers to a study are, also while another program writes: the database takes turns for a moment.
   * Throws what the disk refuses.
   */
  append<T>(work: (db: Database.Database) => T): T {
    if (this.canWrite) return this.write(() => work(this.db));
    const { obstacle } = this.#standing;
    if (obstacle) throw fromErrorShape(obstacle);
    this.#appending ??= openDatabase(join(this.folder, 'library.db'), { readonly: false });
    const db = this.#appending;
    return db.transaction(() => work(db)).immediate();
  }

  /**
   * Moves finished folders (or files) into the library and writes their rows: all or nothing. What already
   * lies at a target without a row is the rest of a program that was killed between the two, and is replaced.
   */
  adopt<T>(moves: Move[], writeRows: () => T): T {
    const done = new Map<string, string>();
    const notes = moves.map(({ to }) => this.unfinished.begin(to));
    try {
      return this.write(() => {
        const result = writeRows();
        for (const { from, to } of moves) {
          const target = this.absolutePath(to);
          if (done.has(target)) continue;
          rmSync(target, { recursive: true, force: true });
          mkdirSync(resolve(target, '..'), { recursive: true });
          renameSync(from, target);
          done.set(target, from);
        }
        return result;
      });
    } catch (thrown) {
      for (const [target, from] of done) renameSync(target, from);
      throw thrown;
    } finally {
      for (const end of notes) end();
    }
  }

  /** 'clips/x/frames.rgb' -> absolute. Throws `invalid-input` for a path that leaves the library's folder. */
  absolutePath(relativePath: string): string {
    const absolute = resolve(this.folder, relativePath);
    if (isAbsolute(relativePath) || relative(this.folder, absolute).split(sep)[0] === '..') {
      throw new AppError('invalid-input', `"${relativePath}" is not a path inside the library.`);
    }
    return absolute;
  }

  /** The inverse of absolutePath, with forward slashes, as stored. */
  relativePath(absolutePath: string): string {
    return relative(this.folder, absolutePath).split(sep).join('/');
  }

  close(): void {
    this.#appending?.close();
    if (this.db.open) this.db.close();
    this.#standing.lock?.release();
    this.#standing.discard?.();
  }
}

/**
 * Opens or creates the library. Throws `library-locked` (access 'write' while another program writes),
 * `library-too-new`, `damaged-file` (the database fails its check) and `invalid-input` (the folder cannot be
 * one). On a full disk, or where nothing may be written, it is opened for reading; then it throws
 * `out-of-space` or `forbidden` only where there is no library yet, or for 'write'.
 */
export function openLibrary(options: OpenLibraryOptions): Library {
  const folder = libraryFolder(options.home);
  const file = join(folder, 'library.db');
  const reserve = new SpaceReserve(folder);
  let thrown = attempt(() => openHere(folder, file, options));
  if ('error' in thrown && isFull(thrown.error) && reserve.giveUp()) {
    thrown = attempt(() => openHere(folder, file, options));
  }
  if ('value' in thrown) {
    // Its want is no reason not to open.
    if (thrown.value.canWrite) attempt(() => reserve.take());
    return thrown.value;
  }
  const obstacle = obstacleOf(folder, thrown.error);
  if (obstacle === null) throw thrown.error;
  const access = options.access ?? 'any';
  const read = attempt(() => openAsItIs(folder, file, obstacle));
  if (access === 'write' || 'error' in read) throw fromErrorShape(obstacle);
  return read.value;
}

type Attempt<T> = { value: T } | { error: unknown };

function attempt<T>(work: () => T): Attempt<T> {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

function openHere(folder: string, file: string, { program, access = 'any' }: OpenLibraryOptions): Library {
  const found = readVersion(file);
  if (found > libraryVersion) throw tooNew(folder, found);
  createFolders(folder);

  // Even a reader needs the lock for the moment in which it creates the library or brings it up to date.
  const wantsLock = access !== 'read' || found < libraryVersion;
  const lock = wantsLock ? acquireWriteLock(folder, program) : null;
  if (lock !== null && 'holder' in lock) {
    if (access === 'write' || found < libraryVersion) throw lockedError(folder, lock.holder);
    return new Library(folder, openDatabase(file, { readonly: true }), { lock: null, holder: lock.holder });
  }
  if (lock === null) {
    const holder = findWriteLockHolder(folder);
    return new Library(folder, openDatabase(file, { readonly: true }), { lock: null, holder });
  }
  let db: Database.Database | undefined;
  try {
    db = openDatabase(file, { readonly: false });
    migrate(db, join(folder, 'backups'));
    if (access !== 'read') {
      // A disk that takes not even this is found out now, and not by the first job.
      db.exec('BEGIN IMMEDIATE; UPDATE age SET days = days; COMMIT');
      backUpWhereThereIsRoom(db, join(folder, 'backups'));
      return new Library(folder, db, { lock });
    }
    db.close();
    lock.release();
    return new Library(folder, openDatabase(file, { readonly: true }), { lock: null });
  } catch (thrown) {
    db?.close();
    lock.release();
    throw thrown;
  }
}

/** For reading, from a copy where SQLite cannot work in the folder itself. */
function openAsItIs(folder: string, file: string, obstacle: AppErrorShape): Library {
  const there = attempt(() => openDatabase(file, { readonly: true }));
  if ('value' in there && versionOf(there.value, file) === libraryVersion) {
    return new Library(folder, there.value, { lock: null, holder: findWriteLockHolder(folder), obstacle });
  }
  if ('value' in there) there.value.close();
  const { db, discard } = openCopy(file);
  migrate(db, null);
  return new Library(folder, db, { lock: null, obstacle, discard });
}

/** A disk that takes no copy is no reason not to open. */
function backUpWhereThereIsRoom(db: Database.Database, folder: string): void {
  const { error } = { error: undefined, ...attempt(() => backUpDaily(db, folder)) };
  if (error !== undefined && !['out-of-space', 'forbidden', 'disk-failed'].includes(toErrorShape(error).code))
    throw error;
}

function createFolders(folder: string): void {
  try {
    const missing = libraryFolders.map((name) => join(folder, name)).filter((path) => !existsSync(path));
    if (missing.length === 0) return;
    // Asked first: a recursive mkdir says ENOENT of a read-only disk.
    let existing = folder;
    while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
    accessSync(existing, constants.W_OK);
    for (const path of missing) mkdirSync(path, { recursive: true });
  } catch (thrown) {
    const { code, message } = toErrorShape(thrown);
    if (code === 'out-of-space' || code === 'forbidden') throw thrown;
    throw new AppError('invalid-input', `The library's folder ${folder} cannot be used: ${message}`, {
      hint: 'Choose another folder with MOTIF_HOME.',
      cause: thrown,
    });
  }
}
