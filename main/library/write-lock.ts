import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type LockHolder, lockHolder } from '../../shared/domain/library.ts';

export interface WriteLock {
  release(): void;
}

/**
 * The right to write a library, for one program at a time. The lock itself is an exclusive SQLite transaction that is never
 * committed: the operating system gives it back whenever its process ends, even by SIGKILL, so a lock can never be stale and no
 * process number can be mistaken for another's. `lock.json` beside it says who holds it; it means nothing without the lock.
 */
export function acquireWriteLock(folder: string, program: string): WriteLock | { holder: LockHolder | null } {
  const holderFile = join(folder, 'lock.json');
  const lock = new Database(join(folder, 'lock.db'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    lock.close();
    if (thrown instanceof Database.SqliteError && thrown.code.startsWith('SQLITE_BUSY')) {
      return { holder: readHolder(holderFile) };
    }
    throw thrown;
  }
  const holder: LockHolder = { pid: process.pid, host: hostname(), program, since: new Date().toISOString() };
  writeFileSync(`${holderFile}.part`, JSON.stringify(holder));
  renameSync(`${holderFile}.part`, holderFile);
  return {
    release() {
      if (!lock.open) return;
      rmSync(holderFile, { force: true });
      lock.exec('ROLLBACK');
      lock.close();
    },
  };
}

/** null: the holder has the lock but has not written its name yet. */
function readHolder(file: string): LockHolder | null {
  try {
    return lockHolder.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
