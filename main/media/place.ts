import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { AppError } from '../../shared/ipc/result.ts';

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
 * Calls `make` with a path beside `target` and moves what was made there onto `target` when it succeeds; an existing
 * target is replaced. When it fails nothing is left behind. Works for files and folders.
 */
export async function placeWhole<T>(target: string, make: (partial: string) => Promise<T>): Promise<T> {
  await checkPlace(target);
  const folder = dirname(target);
  await mkdir(folder, { recursive: true });
  const partial = partialBeside(target);
  await removeAbandoned(folder, stemOf(target));
  try {
    const made = await make(partial);
    await moveOver(partial, target);
    return made;
  } catch (error) {
    await rm(partial, { recursive: true, force: true, maxRetries: 3 });
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw noSpace(folder, undefined, undefined, error);
    throw error;
  }
}

/** Of a name in its folder, in bytes, on nearly every disk. */
const longestName = 255;
/** What `partialBeside` adds to a name, and `moveOver` to that. */
const partialBytes = byteLength('..partial-4194304-01234567.old');

function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Its first characters, in at most so many bytes. */
function shorten(name: string, bytes: number): string {
  let kept = name;
  while (byteLength(kept) > bytes) kept = [...kept].slice(0, -1).join('');
  return kept;
}

/** As much of a file's name as leaves room for the mark of what is half made. */
function stemOf(target: string): string {
  const extension = extname(target);
  return shorten(basename(target, extension), longestName - byteLength(extension) - partialBytes);
}

/** Throws `invalid-input` for what nothing can be moved to: a device, a pipe, a name that no disk takes. */
export async function checkPlace(target: string): Promise<void> {
  const name = basename(target);
  if (byteLength(name) > longestName) {
    throw new AppError(
      'invalid-input',
      `The name ${shorten(name, 40)}... is too long: it has ${byteLength(name)} bytes, and a disk takes ${longestName}.`,
      { hint: 'Choose a shorter name.' },
    );
  }
  const there = await stat(target).catch(() => undefined); // nothing is there
  if (!there || there.isFile() || there.isDirectory()) return;
  throw new AppError(
    'invalid-input',
    `${target} is ${there.isFIFO() ? 'a pipe' : 'a device'}, not a place for a file.`,
    {
      hint: 'Choose a name in a folder.',
    },
  );
}

/** What a killed process left of the same target. */
async function removeAbandoned(folder: string, name: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(`.${name}.partial-`) || !isAbandoned(entry)) continue;
    await rm(join(folder, entry), { recursive: true, force: true });
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

/** `clip.mp4` -> itself when free, else `clip 2.mp4`, `clip 3.mp4` ... */
export async function freeName(target: string): Promise<string> {
  const extension = extname(target);
  const stem = basename(target, extension);
  for (let number = 1; ; number++) {
    const ending = ` ${number}${extension}`;
    const name = join(dirname(target), `${shorten(stem, longestName - byteLength(ending))}${ending}`);
    const free = number === 1 ? target : name;
    if (!(await exists(free))) return free;
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Space that must stay free on the disk, so that the system and the library go on working. */
const reserveBytes = 64 * 2 ** 20;

/** Throws `out-of-space` when the disk of `folder` (or its nearest existing parent) cannot take `bytes`. */
export async function requireFreeSpace(folder: string, bytes: number): Promise<void> {
  let existing = folder;
  while (!(await exists(existing)) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  const freeBytes = bavail * bsize;
  if (freeBytes < bytes + reserveBytes) throw noSpace(folder, bytes, freeBytes);
}

function noSpace(folder: string, bytes?: number, freeBytes?: number, cause?: unknown): AppError {
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
