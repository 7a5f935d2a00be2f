import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { type Clip, clip, type RawFrames } from '../../shared/domain/clip.ts';
import type { ItemLabels, ItemQuery } from '../../shared/domain/library.ts';
import { promptText } from '../../shared/domain/text.ts';
import { AppError, parseInput } from '../../shared/ipc/result.ts';
import { resolveItem } from './ids.ts';
import { labelItem, tagsColumn, whereQuery, writeTags } from './labels.ts';
import type { Library } from './open.ts';
import { indexItem } from './search.ts';

interface ClipRow {
  id: string;
  name: string;
  source: string;
  from_seconds: number;
  to_seconds: number;
  crop: string | null;
  fit: string;
  frames: string;
  warnings: string;
  notes: string;
  seen: string;
  created_at: string;
}

const selectClips = `SELECT clips.*, ${tagsColumn('clip')} FROM clips`;

function fromRow(row: ClipRow & { tags: string }): Clip {
  return clip.parse({
    id: row.id,
    name: row.name,
    source: JSON.parse(row.source),
    fromSeconds: row.from_seconds,
    toSeconds: row.to_seconds,
    crop: row.crop === null ? null : JSON.parse(row.crop),
    fit: row.fit,
    frames: JSON.parse(row.frames),
    warnings: JSON.parse(row.warnings),
    tags: JSON.parse(row.tags),
    notes: row.notes,
    seen: row.seen,
    createdAt: row.created_at,
  });
}

function toRow(value: Clip): ClipRow & { sha256: string } {
  return {
    id: value.id,
    name: value.name,
    sha256: value.source.sha256,
    source: JSON.stringify(value.source),
    from_seconds: value.fromSeconds,
    to_seconds: value.toSeconds,
    crop: value.crop === null ? null : JSON.stringify(value.crop),
    fit: value.fit,
    frames: JSON.stringify(value.frames),
    warnings: JSON.stringify(value.warnings),
    notes: value.notes,
    seen: value.seen,
    created_at: value.createdAt,
  };
}

type Cut = Pick<Clip, 'fromSeconds' | 'toSeconds' | 'crop' | 'fit'> & { frames: Omit<RawFrames, 'file'> };

/** Whether two clips of the same content have the same range, crop and size, so that their frames are the same. */
export function isSameCut(one: Cut, other: Cut): boolean {
  const cut = ({ fromSeconds, toSeconds, crop, fit, frames: { width, height, frameCount, rate } }: Cut) =>
    JSON.stringify([fromSeconds, toSeconds, crop, fit, width, height, frameCount, rate.numerator, rate.denominator]);
  return cut(one) === cut(other);
}

/** Whether a file of the source's size lies where it was imported from. */
const isThere = ({ path, sizeBytes }: Clip['source']) =>
  path !== null && statSync(path, { throwIfNoEntry: false })?.size === sizeBytes;

/** The clips of the library; `frames.file` is relative to its folder. */
export class ClipStore {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  insert(value: Clip): Clip {
    const row = toRow(clip.parse(value));
    const columns = Object.keys(row);
    return this.#library.write(() => {
      this.#library.db
        .prepare(`INSERT INTO clips (${columns.join(', ')}) VALUES (${columns.map((name) => `@${name}`).join(', ')})`)
        .run(row);
      writeTags(this.#library, 'clip', value.id, value.tags);
      indexItem(this.#library, 'clip', value.id);
      return this.byId(value.id);
    });
  }

  list(query: ItemQuery = {}): Clip[] {
    const { sql, values } = whereQuery('clip', query);
    return this.#library.db
      .prepare<[object], ClipRow & { tags: string }>(`${selectClips} ${sql}`)
      .all(values)
      .map(fromRow);
  }

  get(reference: string): Clip {
    return this.byId(resolveItem(this.#library, reference, ['clip']).id);
  }

  /** Also finds a clip in the trash: a concept learned from it still needs it. */
  byId(id: string): Clip {
    const row = this.#library.db.prepare<[string], ClipRow & { tags: string }>(`${selectClips} WHERE id = ?`).get(id);
    if (row === undefined) throw new AppError('not-found', `There is no clip "${id}".`);
    return fromRow(row);
  }

  /** Live clips made of the same file content, oldest first. */
  withContent(sha256: string): Clip[] {
    return this.#library.db
      .prepare<[string], { id: string }>(
        'SELECT id FROM clips WHERE sha256 = ? AND trash_id IS NULL ORDER BY created_at',
      )
      .all(sha256)
      .map(({ id }) => this.byId(id));
  }

  /** Clips of this content whose file is not where it was any more are known to lie at `path`; says how many. */
  relink(sha256: string, path: string): number {
    const lost = this.withContent(sha256).filter(({ source }) => source.path !== null && !isThere(source));
    this.#library.write(() => {
      for (const { id, source } of lost)
        this.#library.db
          .prepare('UPDATE clips SET source = ? WHERE id = ?')
          .run(JSON.stringify({ ...source, path, name: basename(path) }), id);
    });
    return lost.length;
  }

  label(reference: string, { seen, ...labels }: ItemLabels & { seen?: string | undefined }): Clip {
    const { id } = resolveItem(this.#library, reference, ['clip']);
    return this.#library.write(() => {
      if (seen !== undefined) {
        this.#library.db.prepare('UPDATE clips SET seen = ? WHERE id = ?').run(parseInput(promptText, seen).trim(), id);
      }
      labelItem(this.#library, 'clip', id, labels);
      return this.byId(id);
    });
  }
}
