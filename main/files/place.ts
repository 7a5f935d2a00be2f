import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { byteLength, checkPlace, longestName, shorten } from './file-names.ts';
import { noSpace } from './free-space.ts';

/** Where what is to become `target` is made: beside it, under a name that says which process makes it. */
export function partialBeside(target: string): string {
  const extension = extname(target);
  const mark = `partial-${process.pid}-${randomBytes(4).toString('hex')}`;
  return join(dirname(target), `.${stemOf(target)}.${mark}${extension}`);
}

/** Whether a file's name is that of something half made. */
export const isPartial = (name: string) => /\.partial-\d+-[0-9a-f]{8}/.test(name);

/** Whether it is half made by a process that has ended: nobody will finish it. */
export function isAbandoned(name: string): boolean {
  const pid = /\.partial-(\d+)-[0-9a-f]{8}/.exec(name)?.[1];
  return pid !== undefined && !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'; // it is another user's
  }
}

/**
 * Calls `make` with a path beside `target` and moves what was made there onto `target` when it succeeds; an
 * existing target is replaced. When it fails nothing is left behind. Works for files and folders; a file is
 * on the disk before it has its name, so that a crash of the whole system leaves the old or the new one.
 */
export async function placeWhole<T>(target: string, make: (partial: string) => Promise<T>): Promise<T> {
  await checkPlace(target);
  const folder = dirname(target);
  await mkdir(folder, { recursive: true });
  const partial = partialBeside(target);
  await removeAbandoned(folder, stemOf(target));
  try {
    const made = await make(partial);
    await sync(partial);
    await moveOver(partial, target);
    await sync(folder);
    return made;
  } catch (error) {
    await rm(partial, { recursive: true, force: true, maxRetries: 3 });
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw noSpace(folder, undefined, undefined, error);
    throw error;
  }
}

/** What a killed process left of the same target. */
async function removeAbandoned(folder: string, name: string): Promise<void> {
  for (const entry of abandoned(await readdir(folder), name))
    await rm(join(folder, entry), { recursive: true, force: true });
}

function abandoned(entries: readonly string[], name: string): string[] {
  return entries.filter((entry) => entry.startsWith(`.${name}.partial-`) && isAbandoned(entry));
}

/** A file that is there whole or as it was before. `content` may be written piece by piece. */
export function writeWhole(
  file: string,
  content: string | Uint8Array | ((handle: FileHandle) => Promise<void>),
): Promise<void> {
  return placeWhole(file, async (partial) => {
    const handle = await open(partial, 'wx');
    try {
      await (typeof content === 'function' ? content(handle) : handle.writeFile(content));
    } finally {
      await handle.close();
    }
  });
}

/** As `placeWhole`, for a file in a folder that is there, where nothing may come in between. */
export function placeWholeSync<T>(file: string, make: (partial: string) => T): T {
  const folder = dirname(file);
  const partial = partialBeside(file);
  for (const entry of abandoned(readdirSync(folder), stemOf(file))) rmSync(join(folder, entry), { force: true });
  try {
    const made = make(partial);
    syncNow(partial, 'r+');
    renameSync(partial, file);
    syncNow(folder, 'r');
    return made;
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

export function writeWholeSync(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  placeWholeSync(file, (partial) => writeFileSync(partial, content));
}

/** Gives what was made beside it its name. */
export async function moveWhole(partial: string, target: string): Promise<void> {
  await sync(partial);
  await rename(partial, target);
  await sync(dirname(target));
}

/**
 * Windows opens no folders, and some disks over a network know no such thing: there it is left to the
 * system.
 */
const unsynced = ['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'];

/** A file or a folder; a file is opened for writing, without which Windows brings nothing to the disk. */
async function sync(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r+').catch(() => open(path, 'r'));
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!unsynced.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function syncNow(path: string, flags: 'r+' | 'r'): void {
  try {
    const descriptor = openSync(path, flags);
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (!unsynced.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

async function moveOver(partial: string, target: string): Promise<void> {
  try {
    await rename(partial, target);
  } catch (error) {
    // A folder that holds something cannot be renamed over: set it aside, and back if the second move fails.
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
    const aside = `${partial}.old`;
    await rename(target, aside);
    await rename(partial, target).catch(async (second) => {
      await rename(aside, target);
      throw second;
    });
    await rm(aside, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What `partialBeside` adds to a name, and `moveOver` to that. */
const partialBytes = byteLength('..partial-4194304-01234567.old');

/** As much of a file's name as leaves room for the mark of what is half made. */
function stemOf(target: string): string {
  const extension = extname(target);
  return shorten(basename(target, extension), longestName - byteLength(extension) - partialBytes);
}
