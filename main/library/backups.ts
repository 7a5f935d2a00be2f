import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { isAbandoned, placeWholeSync } from '../files/place.ts';
import { applicationId } from './location.ts';

const keptBackups = 10;
const dayMilliseconds = 24 * 3600 * 1000;

/** A copy of a sound library once a day at most, so that a damaged one can be put back. */
export function backUpDaily(db: Database.Database, folder: string): void {
  const isEmpty = db.prepare('SELECT 1 FROM jobs UNION ALL SELECT 1 FROM clips LIMIT 1').get() === undefined;
  if (isEmpty) return;
  const newest = newestSoundBackup(folder);
  // A date in the future was written by a clock that was wrong.
  const isFresh = newest !== null && Math.abs(Date.now() - changedAt(newest)) < dayMilliseconds;
  if (!isFresh) backUp(db, folder, db.pragma('user_version', { simple: true }) as number);
}

/**
 * A consistent copy of the database in one file, beside its place until it has been checked; the oldest beyond ten are deleted, and
 * so is what a killed program left half.
 */
export function backUp(db: Database.Database, folder: string, version: number): void {
  for (const name of readdirSync(folder))
    if (isAbandoned(name) || /\.db\.part(-journal)?$/.test(name)) rmSync(join(folder, name));
  const moment = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const file = join(folder, `library-v${version}-${moment}.db`);
  placeWholeSync(file, (partial) => {
    db.prepare('VACUUM INTO ?').run(partial);
    if (!isSound(partial)) throw new Error(`the copy ${partial} of the library does not pass its check`);
  });
  const byName = backupNames(folder).sort((a, b) => momentOf(a).localeCompare(momentOf(b)));
  for (const name of byName.slice(0, -keptBackups)) rmSync(join(folder, name));
}

/** The newest copy that could be put back; null when there is none. */
export function newestSoundBackup(folder: string): string | null {
  const files = backupNames(folder).map((name) => join(folder, name));
  return files.sort((a, b) => changedAt(b) - changedAt(a)).find(isSound) ?? null;
}

function isSound(file: string): boolean {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
    return (
      db.pragma('application_id', { simple: true }) === applicationId &&
      db.pragma('quick_check(1)', { simple: true }) === 'ok'
    );
  } catch {
    return false; // cut off, or no database at all
  } finally {
    db?.close();
  }
}

const backupNames = (folder: string) =>
  (existsSync(folder) ? readdirSync(folder) : []).filter((name) => /^library-v\d+-.*\.db$/.test(name));
const momentOf = (name: string) => name.replace(/^library-v\d+-/, '');
const changedAt = (file: string) => statSync(file).mtimeMs;
