import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { diskCalls } from '../../shared/ipc/app-contract.ts';
import { AppError } from '../../shared/ipc/result.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import { freeBytes } from '../files/free-space.ts';
import { isAbandoned, isPartial } from '../files/place.ts';
import type { ServiceParts } from './parts.ts';

const pictureFolders = ['cache/thumbnails', 'cache/filmstrips', 'cache/fine', 'cache/whole'];

export function diskHandlers({ library }: ServiceParts): Handlers<typeof diskCalls> {
  const bytes = (...places: string[]) =>
    places.reduce((sum, place) => sum + folderBytes(library.absolutePath(place)), 0);
  const cacheSizes = () => ({
    previews: bytes('previews'),
    proxies: bytes('cache/proxies'),
    pictures: bytes(...pictureFolders),
  });
  return {
    'exports.inspect': ({ folder, names }) => inspectTarget(folder, names),
    'caches.sizes': cacheSizes,
    'caches.clear': () => {
      if (!library.canFreeSpace) library.requireWriting();
      for (const place of ['previews', 'cache/proxies', ...pictureFolders]) clearFolder(library.absolutePath(place));
      return cacheSizes();
    },
  };
}

/**
 * What is to be known of a folder before files are written into it: the space on its disk, and which of the
 * names are taken.
 */
async function inspectTarget(folder: string, names: string[]): Promise<{ freeBytes: number; taken: string[] }> {
  if (!isAbsolute(folder)) {
    throw new AppError('invalid-input', `"${folder}" is not an absolute path.`, {
      hint: 'Start with a drive letter or with /.',
    });
  }
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  if (!statSync(existing).isDirectory()) throw new AppError('invalid-input', `${existing} is a file, not a folder.`);
  return { freeBytes: await freeBytes(existing), taken: names.filter((name) => existsSync(join(folder, name))) };
}

/** Of all files below a folder; 0 where there is none. */
export function folderBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((bytes, entry) => bytes + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Deletes what is in a folder, but what is being made there; the folder stays. */
function clearFolder(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (isPartial(name) && !isAbandoned(name)) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}
