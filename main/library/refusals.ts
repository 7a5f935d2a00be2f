import type { LockHolder } from '../../shared/domain/library.ts';
import { AppError, type AppErrorShape, toErrorShape } from '../../shared/ipc/result.ts';
import { libraryVersion } from './migrate.ts';

/** Why a library cannot be opened or written, in sentences. */

/** What stands in the way of writing; null: something else went wrong. */
export function obstacleOf(folder: string, thrown: unknown): AppErrorShape | null {
  const { code, details } = toErrorShape(thrown);
  if (thrown instanceof AppError && code !== 'forbidden') return null;
  if (code === 'out-of-space' || isFull(thrown)) {
    return {
      code: 'out-of-space',
      message: `The disk with the library's folder ${folder} is full.`,
      hint: 'Until then the library is read-only. Free some space, for example by clearing the caches in Settings, then restart Motif.',
      details,
    };
  }
  if (code !== 'forbidden') return null;
  return {
    code,
    message: `Motif may not write into the library's folder ${folder}.`,
    hint: "Until then the library is read-only. Check the folder's permissions and whether its disk is read-only, or choose another folder with MOTIF_HOME.",
    details,
  };
}

/** SQLite says "I/O error" where the file that it shares among programs finds no room. */
export function isFull(thrown: unknown): boolean {
  const code = String((thrown as { code?: unknown }).code);
  return toErrorShape(thrown).code === 'out-of-space' || /^SQLITE_IOERR_(WRITE|FSYNC|TRUNCATE|SHM\w*)$/.test(code);
}

export function tooNew(folder: string, version: number): AppError {
  return new AppError(
    'library-too-new',
    `The library in ${folder} was made by a newer Motif (its version is ${version}, this program knows ${libraryVersion}).`,
    { hint: 'Update Motif, or choose another folder with MOTIF_HOME. Nothing was changed.' },
  );
}

export function lockedError(folder: string, holder: LockHolder | null): AppError {
  if (holder === null) {
    return new AppError('library-locked', `The library in ${folder} is open read-only.`);
  }
  const { program, pid, host, since } = holder;
  const message = `The library in ${folder} is being written by ${program} (process ${pid} on ${host}, since ${since}).`;
  return new AppError('library-locked', message, {
    hint: 'Reading works meanwhile. To change something, wait for that program or close it.',
    details: { holder },
  });
}
