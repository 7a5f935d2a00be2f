import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../shared/ipc/result.ts';
import { newestSoundBackup } from './backups.ts';
import { applicationId } from './location.ts';

/** The version of the library in `file`, 0 when there is none yet. Changes nothing. */
export function readVersion(file: string): number {
  if (!existsSync(file) || statSync(file).size === 0) return 0;
  const db = guard(file, () => new Database(file, { readonly: true, fileMustExist: true }));
  try {
    return versionOf(db, file);
  } finally {
    db.close();
  }
}

export function versionOf(db: Database.Database, file: string): number {
  const [version, id] = guard(file, () => [
    db.pragma('user_version', { simple: true }) as number,
    db.pragma('application_id', { simple: true }) as number,
  ]);
  if (version! > 0 && id !== applicationId) {
    throw new AppError('invalid-input', `${file} is another program's database.`, {
      hint: 'Choose another folder with MOTIF_HOME.',
    });
  }
  return version!;
}

/** Throws `damaged-file` for one that fails its check. */
export function openDatabase(file: string, options: { readonly: boolean }): Database.Database {
  const db = guard(file, () => new Database(file, { readonly: options.readonly, timeout: 5000 }));
  try {
    prepare(db, file, () => {
      if (!options.readonly) db.pragma('journal_mode = WAL');
    });
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * What the database holds, where it lies in a place that cannot be written: SQLite reads a write-ahead log
 * only beside files of its own making. The copy is in memory, or in the system's folder for temporary files
 * while there is a log to be read.
 */
export function openCopy(file: string): { db: Database.Database; discard(): void } {
  const log = `${file}-wal`;
  const hasLog = existsSync(log) && statSync(log).size > 0;
  const folder = hasLog ? mkdtempSync(join(tmpdir(), 'motif-')) : null;
  const discard = () => {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  };
  try {
    if (folder !== null) {
      copyFileSync(file, join(folder, 'library.db'));
      copyFileSync(log, join(folder, 'library.db-wal'));
    }
    const db = guard(file, () =>
      folder === null ? new Database(withoutLog(readFileSync(file))) : new Database(join(folder, 'library.db')),
    );
    prepare(db, file, () => {});
    return { db, discard };
  } catch (thrown) {
    discard();
    throw thrown;
  }
}

/**
 * Bytes 18 and 19 say that there is a write-ahead log,
 * https://www.sqlite.org/fileformat2.html#file_format_version_numbers
 */
function withoutLog(bytes: Buffer): Buffer {
  bytes.fill(1, 18, 20);
  return bytes;
}

function prepare(db: Database.Database, file: string, first: () => void): void {
  guard(file, () => {
    first();
    // With a write-ahead log, NORMAL loses at most the last transactions on a power cut and never damages the
    // file.
    db.pragma('synchronous = NORMAL');
    db.pragma('foreign_keys = ON');
    const report = db.pragma('quick_check(3)') as { quick_check: string }[];
    if (report[0]?.quick_check !== 'ok') throw damaged(file, report.map((row) => row.quick_check).join('; '));
  });
}

/** SQLite's own words for a broken file become one error that says what to do. */
function guard<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(thrown.code)) {
      throw damaged(file, thrown.message);
    }
    throw thrown;
  }
}

function damaged(file: string, reason: string): AppError {
  const newest = newestSoundBackup(join(dirname(file), 'backups'));
  return new AppError('damaged-file', `The library's database ${file} is damaged: ${reason}`, {
    hint: newest
      ? `Close Motif and put back the copy ${newest} under the name ${file}.`
      : `Move ${file} away to start with an empty library; clips, concepts and edits stay in their folders.`,
  });
}
