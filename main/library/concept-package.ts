import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { type Clip, clip } from '../../shared/domain/clip.ts';
import { type Concept, concept } from '../../shared/domain/concept.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { type ClipStore, isSameCut } from './clips.ts';
import type { ConceptStore } from './concepts.ts';
import { makeItemId } from './ids.ts';
import type { Library, Move } from './open.ts';

/**
 * A concept as one file, to give away or to keep: `NAME.motif`, an SQLite archive (the documented `sqlar` table, which the sqlite3
 * program lists and unpacks) with `motif.json`, the concept file, its loss curves, and the frames of the clips it was learned from.
 */
const packageId = 0x4d4f5443; // "MOTC"
const packageVersion = 1;

const manifest = z.object({
  version: z.literal(packageVersion),
  concept: concept.omit({ id: true, clipIds: true, file: true }),
  clips: z.array(clip.omit({ id: true })).min(1),
});

/** Files that may lie beside a concept's own. */
const companions = ['losses.json'];

interface Stores {
  library: Library;
  clips: ClipStore;
  concepts: ConceptStore;
}

/** Writes one version of a concept to `file`, beside and renamed. */
export function writeConceptPackage(
  { library, clips, concepts }: Stores,
  { id, version }: Concept,
  file: string,
): void {
  const { clipIds, id: _, file: conceptFile, ...rest } = concepts.byId(id, version);
  const used = clipIds.map((clipId) => clips.byId(clipId));
  const path = library.absolutePath(conceptFile);
  const part = `${file}.part`;
  rmSync(part, { force: true });
  const archive = new Database(part);
  try {
    archive.pragma('journal_mode = OFF');
    archive.pragma(`application_id = ${packageId}`);
    archive.pragma(`user_version = ${packageVersion}`);
    archive.exec('CREATE TABLE sqlar (name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB)');
    const insert = archive.prepare('INSERT INTO sqlar (name, mode, mtime, sz, data) VALUES (?, 33188, ?, ?, ?)');
    const add = (name: string, bytes: Buffer) => {
      const small = deflateSync(bytes);
      insert.run(name, Math.floor(Date.now() / 1000), bytes.length, small.length < bytes.length ? small : bytes);
    };
    archive.transaction(() => {
      add(
        'motif.json',
        Buffer.from(JSON.stringify({ version: packageVersion, concept: rest, clips: used.map(withoutPlace) })),
      );
      add('concept.safetensors', readFileSync(path));
      for (const name of companions) {
        if (existsSync(join(dirname(path), name))) add(name, readFileSync(join(dirname(path), name)));
      }
      for (const [index, { frames }] of used.entries()) {
        add(`clips/${index}.rgb`, readFileSync(library.absolutePath(frames.file)));
      }
    })();
    archive.close();
    renameSync(part, file);
  } finally {
    archive.close();
    rmSync(part, { force: true });
  }
}

/** Where a clip lay on the giver's disk is nobody else's business. */
function withoutPlace({ id: _, ...value }: Clip) {
  return { ...value, source: { ...value.source, path: value.source.name } };
}

/**
 * A package becomes a new concept; clips that the library has already are not added again. `folder` is an empty folder inside the
 * library. Throws `damaged-file` or `invalid-input` for what is no package, and adds nothing then.
 */
export function readConceptPackage(stores: Stores, file: string, folder: string, name?: string): Concept {
  const { library, clips, concepts } = stores;
  const { read, has, close } = openPackage(file);
  try {
    const content = parseManifest(file, read('motif.json'));
    const moves: Move[] = [];
    const inserts: (() => void)[] = [];
    const clipIds = content.clips.map((given, index) => {
      const frames = read(`clips/${index}.rgb`);
      const { frameCount, width, height } = given.frames;
      if (frames.length !== frameCount * width * height * 3) throw damaged(file, `clip ${index} has the wrong size`);
      const twin = clips.withContent(given.source.sha256).find((known) => isSameCut(known, given));
      if (twin) return twin.id;
      const id = makeItemId(library, given.name);
      mkdirSync(join(folder, 'clips', String(index)), { recursive: true });
      writeFileSync(join(folder, 'clips', String(index), 'frames.rgb'), frames);
      moves.push({ from: join(folder, 'clips', String(index)), to: `clips/${id}` });
      inserts.push(() => clips.insert({ ...given, id, frames: { ...given.frames, file: `clips/${id}/frames.rgb` } }));
      return id;
    });

    const newName = name ?? content.concept.name;
    const id = makeItemId(library, newName);
    const place = `concepts/${id}/v1`;
    mkdirSync(join(folder, 'concept'));
    for (const entry of ['concept.safetensors', ...companions.filter(has)]) {
      writeFileSync(join(folder, 'concept', entry), read(entry));
    }
    moves.push({ from: join(folder, 'concept'), to: place });
    return library.adopt(moves, () => {
      for (const insert of inserts) insert();
      return concepts.insert({
        ...content.concept,
        id,
        name: newName,
        version: 1,
        clipIds,
        file: `${place}/concept.safetensors`,
        createdAt: new Date().toISOString(),
      });
    });
  } finally {
    close();
  }
}

function openPackage(file: string): { read(name: string): Buffer; has(name: string): boolean; close(): void } {
  if (!existsSync(file) || !statSync(file).isFile()) throw new AppError('not-found', `There is no file ${file}.`);
  const archive = guard(file, () => new Database(file, { readonly: true, fileMustExist: true }));
  const close = () => archive.close();
  try {
    const [id, version] = guard(file, () => [
      archive.pragma('application_id', { simple: true }) as number,
      archive.pragma('user_version', { simple: true }) as number,
    ]);
    if (id !== packageId) throw notAPackage(file);
    if (version! > packageVersion) {
      throw new AppError('invalid-input', `${basename(file)} was made by a newer Motif.`, {
        hint: 'Update Motif to open it.',
      });
    }
    const select = archive.prepare<[string], { sz: number; data: Buffer }>('SELECT sz, data FROM sqlar WHERE name = ?');
    return {
      close,
      has: (name) => guard(file, () => select.get(name)) !== undefined,
      read(name) {
        const entry = guard(file, () => select.get(name));
        if (entry === undefined) throw damaged(file, `${name} is missing`);
        const bytes = entry.data.length < entry.sz ? guard(file, () => inflateSync(entry.data)) : entry.data;
        if (bytes.length !== entry.sz) throw damaged(file, `${name} has the wrong size`);
        return bytes;
      },
    };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

function parseManifest(file: string, bytes: Buffer): z.infer<typeof manifest> {
  const parsed = manifest.safeParse(guard(file, () => JSON.parse(bytes.toString('utf8'))));
  if (!parsed.success) throw damaged(file, z.prettifyError(parsed.error));
  return parsed.data;
}

function guard<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError && thrown.code === 'SQLITE_NOTADB') throw notAPackage(file);
    throw damaged(file, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

const notAPackage = (file: string) =>
  new AppError('invalid-input', `${file} is no Motif concept.`, {
    hint: 'Choose a .motif file, or import a LoRA file as such.',
  });
const damaged = (file: string, reason: string) =>
  new AppError('damaged-file', `${file} is damaged: ${reason}.`, { hint: 'Fetch or export the file again.' });
