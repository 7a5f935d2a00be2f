import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import Database from 'better-sqlite3';
import type { Clip } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import type { ClipStore } from '../clips.ts';
import type { ConceptStore } from '../concepts.ts';
import type { Library } from '../open.ts';
import { clipName, conceptName, lossesName, manifestName, packageId, packageVersion } from './format.ts';

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
  const archive = new Database(file);
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
        manifestName,
        Buffer.from(
          JSON.stringify({
            version: packageVersion,
            concept: { ...rest, model: basename(rest.model) },
            clips: used.map(withoutPlace),
          }),
        ),
      );
      add(conceptName, readFileSync(path));
      const losses = join(dirname(path), lossesName);
      if (existsSync(losses)) add(lossesName, readFileSync(losses));
      for (const [index, { frames }] of used.entries()) {
        add(clipName(index), readFileSync(library.absolutePath(frames.file)));
      }
    })();
  } finally {
    archive.close();
  }
}

/** Where a clip lay on the giver's disk is nobody else's business. */
function withoutPlace({ id: _, ...value }: Clip) {
  return { ...value, source: { ...value.source, path: value.source.name } };
}
