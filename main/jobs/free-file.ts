import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import type { ExportSettings } from '../../shared/domain/export.ts';
import { AppError } from '../../shared/ipc/result.ts';
import type { Library } from '../library/open.ts';
import { placeWhole } from '../media/place.ts';

/** 'a.safetensors' -> itself, or 'a-2.safetensors' when it exists and files are numbered. Throws `conflict` when that is refused. */
export function freeFile(file: string, overwrite: ExportSettings['overwrite']): string {
  if (overwrite === 'replace' || !existsSync(file)) return file;
  if (overwrite === 'refuse') {
    throw new AppError('conflict', `${file} exists already.`, { hint: 'Choose another name, or allow replacing it.' });
  }
  const ending = extname(file);
  const stem = file.slice(0, file.length - ending.length);
  for (let number = 2; ; number++) {
    const numbered = `${stem}-${number}${ending}`;
    if (!existsSync(numbered)) return numbered;
  }
}

/** Makes a file whole beside its place, with a note in the library by which a killed attempt is cleared away. */
export async function placeNoted<T>(library: Library, file: string, make: (partial: string) => Promise<T>): Promise<T> {
  let end: (() => void) | undefined;
  return placeWhole(file, (partial) => {
    end = library.unfinished.begin(partial);
    return make(partial);
  }).finally(() => end?.());
}
