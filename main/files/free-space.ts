import { existsSync, type StatsFs, statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../shared/ipc/result.ts';

/** What anybody may still write to the disk of a folder, or of its nearest existing parent. */
export async function freeBytes(folder: string): Promise<number> {
  return available(await statfs(existingParent(folder)));
}

export function freeBytesSync(folder: string): number {
  return available(statfsSync(existingParent(folder)));
}

const available = ({ bavail, bsize }: StatsFs) => bavail * bsize;

function existingParent(folder: string): string {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  return existing;
}

/** Space that must stay free on the disk, so that the system and the library go on working. */
const reserveBytes = 64 * 2 ** 20;

/** Throws `out-of-space` when the disk of `folder` (or its nearest existing parent) cannot take `bytes`. */
export async function requireFreeSpace(folder: string, bytes: number): Promise<void> {
  const free = await freeBytes(folder);
  if (free < bytes + reserveBytes) throw noSpace(folder, bytes, free);
}

/** The error for a disk that is full, with both amounts where they are known. */
export function noSpace(folder: string, bytes?: number, freeBytes?: number, cause?: unknown): AppError {
  const megabytes = (value: number) => `${Math.ceil(value / 1e6)} MB`;
  const amounts =
    bytes === undefined || freeBytes === undefined
      ? ''
      : ` About ${megabytes(bytes + reserveBytes)} are needed, ${megabytes(freeBytes)} are free.`;
  return new AppError('out-of-space', `There is not enough space left in ${folder}.${amounts}`, {
    hint: 'Free some space, or choose a folder on another disk.',
    details: { folder, bytes, freeBytes },
    cause,
  });
}
