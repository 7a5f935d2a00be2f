import { access, constants, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { ExportSettings } from '../../shared/domain/export.ts';
import { AppError } from '../../shared/ipc/result.ts';

/** Of a name in its folder, in bytes, on nearly every disk. */
export const longestName = 255;
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Its first characters, in at most so many bytes. */
export function shorten(name: string, bytes: number): string {
  let kept = name;
  while (byteLength(kept) > bytes) kept = [...kept].slice(0, -1).join('');
  return kept;
}

/** Throws `invalid-input` for what nothing can be moved to: a device, a pipe, a name that no disk takes. */
export async function checkPlace(target: string): Promise<void> {
  const name = basename(target);
  if (byteLength(name) > longestName) {
    throw new AppError(
      'invalid-input',
      `The name ${shorten(name, 40)}... is too long: it has ${byteLength(name)} bytes, and disks allow ${longestName}.`,
      { hint: 'Choose a shorter name.' },
    );
  }
  const there = await stat(target).catch(() => undefined); // nothing is there
  if (!there || there.isFile() || there.isDirectory()) return;
  throw new AppError('invalid-input', `${target} is ${there.isFIFO() ? 'a pipe' : 'a device'}, not a file.`, {
    hint: 'Choose a name in a folder.',
  });
}

export function notWritable(folder: string): AppError {
  return new AppError('forbidden', `Motif may not write into the folder ${folder}.`, {
    hint: "Choose another folder, or check this one's permissions and whether its disk is read-only.",
  });
}

/** Throws `forbidden` where the folder, or the one in which it would be made, cannot be written. */
export async function requireWritable(folder: string): Promise<void> {
  const there = (await exists(folder)) || dirname(folder) === folder;
  if (!there) return requireWritable(dirname(folder));
  await access(folder, constants.W_OK).catch(() => {
    throw notWritable(folder);
  });
}

/** `clip.mp4` -> itself when free, else `clip 2.mp4`, `clip 3.mp4` ... */
async function freeName(target: string): Promise<string> {
  const extension = extname(target);
  const stem = basename(target, extension);
  for (let number = 1; ; number++) {
    const ending = ` ${number}${extension}`;
    const name = join(dirname(target), `${shorten(stem, longestName - byteLength(ending))}${ending}`);
    const free = number === 1 ? target : name;
    if (!(await exists(free))) return free;
  }
}

/** The file to write where one of that name may be there already. Throws `conflict` where that is refused. */
export async function chooseFile(file: string, overwrite: ExportSettings['overwrite']): Promise<string> {
  if (overwrite === 'replace') return file;
  if (overwrite === 'number') return freeName(file);
  if (!(await exists(file))) return file;
  throw new AppError('conflict', `${file} already exists.`, { hint: 'Choose another name, or allow replacing it.' });
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
