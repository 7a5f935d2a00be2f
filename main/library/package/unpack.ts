import { closeSync, mkdirSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inflateSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import {
  clipName,
  conceptName,
  lossCurves,
  lossesName,
  manifest,
  manifestName,
  type PackageContent,
  packageId,
  packageLimits,
  packageVersion,
} from './format.ts';

/** A row of the archive: the size of its content, and of what is stored of it. */
interface Part {
  size: number;
  stored: number;
}

/**
 * Lays the parts of a package into an empty folder, as `concept/` and `clips/N/`, and answers what its
 * `motif.json` says. Whatever else is in the file is refused before it is read. Throws `not-found`,
 * `invalid-input` for what is no package, `damaged-file`.
 */
export function unpackPackage(file: string, folder: string): PackageContent {
  checkFile(file);
  const archive = guard(file, () => new Database(file, { readonly: true, fileMustExist: true }));
  try {
    return guard(file, () => {
      for (const setting of ['trusted_schema = OFF', 'cell_size_check = ON']) archive.pragma(setting);
      checkTable(file, archive);
      return layOut(file, archive, folder);
    });
  } finally {
    archive.close();
  }
}

function checkFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) throw new AppError('not-found', `There is no file ${file}.`);
  if (!found.isFile()) throw notAPackage(file);
  if (found.size > packageLimits.fileBytes) throw tooLarge(file, 'the file itself');
  const header = readHeader(file);
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0' || header.readUInt32BE(68) !== packageId)
    throw notAPackage(file);
  if (header.readUInt32BE(60) > packageVersion)
    throw new AppError('invalid-input', `${basename(file)} was made by a newer Motif.`, {
      hint: 'Update Motif to open it.',
    });
  // A database with a write-ahead log makes files beside itself when it is only looked at; packages are
  // written without one.
  if (header[18] !== 1 || header[19] !== 1) throw damaged(file, 'it was changed by another program');
}

/**
 * An SQLite file's header (https://sqlite.org/fileformat2.html): its mark, and at 60 and 68 the numbers that
 * its program gave it.
 */
function readHeader(file: string): Buffer {
  const header = Buffer.alloc(100);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, header, 0, header.length, 0);
  } finally {
    closeSync(handle);
  }
  return header;
}

/**
 * The one table and its index, and nothing that could compute: a view, a virtual table or a column that is an
 * expression may never end.
 */
function checkTable(file: string, archive: Database.Database): void {
  const objects = archive
    .prepare<[], { type: unknown; name: unknown; sql: unknown }>('SELECT type, name, sql FROM sqlite_schema LIMIT 10')
    .all();
  for (const { type, name, sql } of objects) {
    const isTable = type === 'table' && name === 'sqlar' && typeof sql === 'string' && /^CREATE TABLE\b/i.test(sql);
    const isIndex = type === 'index' && name === 'sqlite_autoindex_sqlar_1' && sql === null;
    if (!isTable && !isIndex) throw damaged(file, 'it holds more than a package does');
  }
  const columns = archive.prepare<[], { name: string; hidden: number }>('PRAGMA table_xinfo(sqlar)').all();
  if (columns.map(({ name, hidden }) => name + hidden).join() !== 'name0,mode0,mtime0,sz0,data0')
    throw damaged(file, 'its table is not that of a package');
}

function layOut(file: string, archive: Database.Database, folder: string): PackageContent {
  const parts = listParts(file, archive);
  const select = archive.prepare<[string], unknown>('SELECT data FROM sqlar WHERE name = ?').pluck();
  const take = (name: string, limit: number): Buffer => {
    const part = parts.get(name);
    if (!part) throw damaged(file, `${name} is missing`);
    if (part.size > limit) throw tooLarge(file, name);
    const data = select.get(name);
    if (!Buffer.isBuffer(data) || data.length !== part.stored) throw damaged(file, `${name} cannot be read`);
    parts.delete(name);
    if (part.stored === part.size) return data;
    const bytes = inflateSync(data, { maxOutputLength: part.size });
    if (bytes.length !== part.size) throw damaged(file, `${name} has the wrong size`);
    return bytes;
  };

  const content = parse(file, manifestName, manifest, take(manifestName, packageLimits.manifestBytes));
  mkdirSync(join(folder, 'concept'));
  const concept = take(conceptName, packageLimits.conceptBytes);
  writeFileSync(join(folder, 'concept', conceptName), concept);
  if (parts.has(lossesName)) {
    const losses = parse(file, lossesName, lossCurves, take(lossesName, packageLimits.lossesBytes));
    writeFileSync(join(folder, 'concept', lossesName), JSON.stringify(losses));
  }
  let total = 0;
  for (const [index, { frames }] of content.clips.entries()) {
    const bytes = frames.frameCount * frames.width * frames.height * 3;
    total += bytes;
    if (total > packageLimits.clipsBytes) throw tooLarge(file, 'its clips');
    if (parts.get(clipName(index))?.size !== bytes && parts.has(clipName(index)))
      throw damaged(file, `${clipName(index)} has the wrong size`);
    const pictures = take(clipName(index), packageLimits.clipBytes);
    mkdirSync(join(folder, 'clips', String(index)), { recursive: true });
    writeFileSync(join(folder, 'clips', String(index), 'frames.rgb'), pictures);
  }
  const [other] = parts.keys();
  if (other !== undefined) throw damaged(file, `"${other}" belongs to no concept`);
  return content;
}

/** What the archive says it holds, by name; nothing of the contents is read for that. */
function listParts(file: string, archive: Database.Database): Map<string, Part> {
  const rows = archive
    .prepare<[number], { name: string | null; size: number | null; stored: number | null }>(
      `SELECT
         CASE WHEN typeof(name) = 'text' AND length(name) <= 100 THEN name END AS name,
         CASE WHEN typeof(sz) = 'integer' THEN sz END AS size,
         CASE WHEN typeof(data) = 'blob' THEN length(data) END AS stored
       FROM sqlar LIMIT ?`,
    )
    .all(packageLimits.parts + 1);
  if (rows.length > packageLimits.parts) throw tooLarge(file, 'the number of its parts');
  const parts = new Map<string, Part>();
  for (const { name, size, stored } of rows) {
    if (name === null || size === null || stored === null || parts.has(name))
      throw damaged(file, 'its table is damaged');
    if (size < stored) throw damaged(file, `${name} has the wrong size`);
    parts.set(name, { size, stored });
  }
  return parts;
}

function parse<T>(file: string, name: string, schema: z.ZodType<T>, bytes: Buffer): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw damaged(file, `${name} is not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw damaged(file, `${name}: ${z.prettifyError(parsed.error).slice(0, 500)}`);
  return parsed.data;
}

/**
 * Whatever SQLite, zlib or JSON say of a broken file becomes one error that says what to do; a full disk
 * stays what it is.
 */
function guard<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    const { code, message } = thrown as { code?: unknown; message?: unknown };
    if (code === 'SQLITE_NOTADB') throw notAPackage(file);
    if (/^(E[A-Z]+|SQLITE_(FULL|IOERR\w*|CANTOPEN\w*))$/.test(String(code))) throw thrown;
    throw damaged(file, String(message));
  }
}

const notAPackage = (file: string) =>
  new AppError('invalid-input', `${file} is not a Motif concept.`, {
    hint: 'Choose a .motif file, or import it as a LoRA.',
  });

const tooLarge = (file: string, what: string) =>
  new AppError('invalid-input', `${basename(file)} is too large for a concept: ${what} is over the limit.`, {
    hint: 'Motif never writes packages this large. Ask whoever sent it for another copy.',
  });

export const damaged = (file: string, reason: string) =>
  new AppError('damaged-file', `${file} is damaged: ${reason}.`, { hint: 'Fetch or export the file again.' });
