import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join } from 'node:path';
import { isAbandoned } from '../files/place.ts';
import { isPictureUsed, pictureFolder } from '../library/first-pictures.ts';
import { tableOf } from '../library/labels.ts';
import type { Library } from '../library/open.ts';

/** Folders in which this program makes things under partial names. */
const makingFolders = [
  pictureFolder,
  'previews',
  'uploads',
  'exports',
  'reports',
  'studies',
  'cache/thumbnails',
  'cache/filmstrips',
  'cache/proxies',
];

/** Removes what killed programs left half. Called by the program that has just become the library's writer. */
export function removeHalfFiles(library: Library): void {
  for (const { path, end } of library.unfinished.list()) if (settle(library, path)) end();
  for (const place of makingFolders) {
    const folder = library.absolutePath(place);
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (isAbandoned(name) || isOfOlderMotif(folder, name))
        rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}

/** Whether a noted path needs its note no longer. */
function settle(library: Library, path: string): boolean {
  if (!isAbsolute(path)) {
    const unknown = unknownPart(library, path);
    if (unknown !== null) rmSync(library.absolutePath(unknown), { recursive: true, force: true });
    return true;
  }
  if (!isAbandoned(basename(path))) return !existsSync(path);
  // A disk that is not connected now may be at another start.
  if (!existsSync(dirname(path))) return false;
  const stem = basename(path, extname(path));
  for (const name of readdirSync(dirname(path))) {
    // Also what was being made beside what is made.
    if (name.startsWith(stem) || name.startsWith(`.${stem}`))
      rmSync(join(dirname(path), name), { recursive: true, force: true });
  }
  return true;
}

/** `clips/ID`, `concepts/ID/vN`, `edits/ID`, `uploads/HASH`, `pictures/HASH.png` -> the part of it that no row of the library speaks of; null: all is known. */
function unknownPart(library: Library, path: string): string | null {
  const { db, folder } = library;
  const [area, id = '', version] = path.split('/');
  if (area === 'uploads') {
    const from = db.prepare("SELECT 1 FROM clips WHERE instr(json_extract(source, '$.path'), ?) = 1");
    return from.get(join(folder, path)) === undefined ? path : null;
  }
  if (area === pictureFolder) return isPictureUsed(library, path) ? null : path;
  const table = [...Object.values(tableOf), 'studies'].find((name) => name === area);
  if (table === undefined) return null;
  if (db.prepare(`SELECT 1 FROM ${table} WHERE id = ?`).get(id) === undefined) return `${area}/${id}`;
  if (version === undefined) return null;
  const known = db.prepare('SELECT 1 FROM concept_versions WHERE concept_id = ? AND version = ?');
  return known.get(id, Number(version.slice(1))) === undefined ? path : null;
}

/** How it named what it had not finished, while no other name had a dot there. */
function isOfOlderMotif(folder: string, name: string): boolean {
  return basename(folder) === 'uploads' ? /^[0-9a-f-]{36}\.part$/.test(name) : /^[0-9a-f]{32}\.\w{6}$/.test(name);
}
