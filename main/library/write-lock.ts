import { existsSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type LockHolder, lockHolder } from '../../shared/domain/library.ts';
import { writeWholeSync } from '../files/place.ts';

const lockName = 'lock.db';
const holderName = 'lock.json';

export interface WriteLock {
  release(): void;
}

/**
 * The right to write a library, for one program at a time. The lock itself is an exclusive SQLite transaction that is never
 * committed: the operating system gives it back whenever its process ends, even by SIGKILL, so a lock can never be stale and no
 * process number can be mistaken for another's. `lock.json` beside it says who holds it; it means nothing without the lock.
 */
export function acquireWriteLock(folder: string, program: string): WriteLock | { holder: LockHolder } {
  const holderFile = join(folder, holderName);
  // Long enough to sit out a look of findWriteLockHolder, short enough not to be felt.
  const lock = new Database(join(folder, lockName), { timeout: 200 });
  if (!begins(lock, 'BEGIN EXCLUSIVE')) {
    lock.close();
    return { holder: readHolder(holderFile) };
  }
  const holder: LockHolder = { pid: process.pid, host: hostname(), program, since: new Date().toISOString() };
  try {
    writeWholeSync(holderFile, JSON.stringify(holder));
  } catch {
    // A full disk: the lock holds without its note.
  }
  return {
    release() {
      if (!lock.open) return;
      rmSync(holderFile, { force: true });
      lock.exec('ROLLBACK');
      lock.close();
    },
  };
}

/** Who holds the lock, without taking it; null: nobody. */
export function findWriteLockHolder(folder: string): LockHolder | null {
  if (!existsSync(join(folder, lockName))) return null;
  const lock = new Database(join(folder, lockName), { readonly: true, timeout: 0 });
  try {
    return begins(lock, 'SELECT * FROM sqlite_schema') ? null : readHolder(join(folder, holderName));
  } finally {
    lock.close();
  }
}

/** false: another process has the file locked. */
function begins(lock: Database.Database, statement: string): boolean {
  try {
    lock.exec(statement);
    return true;
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError && thrown.code.startsWith('SQLITE_BUSY')) return false;
    throw thrown;
  }
}

function readHolder(file: string): LockHolder {
  try {
    return lockHolder.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // It has the lock but has not written its name yet.
    return { pid: 0, host: hostname(), program: 'another program', since: new Date().toISOString() };
  }
}
