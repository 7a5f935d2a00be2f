import { createHash } from 'node:crypto';
import { type Edit, type EditSettings, edit } from '../../shared/domain/edit.ts';
import type { ItemLabels, ItemQuery } from '../../shared/domain/library.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { resolveItem } from './ids.ts';
import { labelItem, tagsColumn, whereQuery, writeTags } from './labels.ts';
import type { Library } from './open.ts';
import { indexItem } from './search.ts';

interface EditRow {
  id: string;
  name: string;
  concept_id: string;
  concept_version: number;
  source_clip_id: string | null;
  parent_id: string | null;
  settings: string;
  frames: string;
  starred: number;
  notes: string;
  seconds: number | null;
  created_at: string;
  tags: string;
}

const selectEdits = `SELECT edits.*, ${tagsColumn('edit')} FROM edits`;

function fromRow(row: EditRow): Edit {
  return edit.parse({
    id: row.id,
    name: row.name,
    conceptId: row.concept_id,
    conceptVersion: row.concept_version,
    sourceClipId: row.source_clip_id,
    parentId: row.parent_id,
    settings: JSON.parse(row.settings),
    frames: JSON.parse(row.frames),
    starred: row.starred === 1,
    tags: JSON.parse(row.tags),
    notes: row.notes,
    seconds: row.seconds,
    createdAt: row.created_at,
  });
}

/** What decides every byte of a result: two edits with the same key have the same frames. */
export function recipeKey(made: {
  conceptId: string;
  conceptVersion: number;
  sourceClipId: string | null;
  settings: EditSettings;
}): string {
  const { sliders, ...settings } = made.settings;
  const directions = Object.entries(sliders.directions)
    .filter(([, gain]) => gain !== 1)
    .sort(([a], [b]) => Number(a) - Number(b));
  const parts = [
    made.conceptId,
    made.conceptVersion,
    made.sourceClipId,
    Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)),
    [sliders.identity, sliders.motion, directions],
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Edits: what was asked of a concept, and the frames that came of it; `frames.file` is relative to the library's folder. */
export class EditStore {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  insert(value: Edit): Edit {
    const parsed = edit.parse(value);
    return this.#library.write(() => {
      this.#library.db
        .prepare(
          `INSERT INTO edits (id, name, concept_id, concept_version, source_clip_id, parent_id, settings, recipe_key, frames,
             starred, notes, seconds, created_at)
           VALUES (@id, @name, @conceptId, @conceptVersion, @sourceClipId, @parentId, @settings, @key, @frames,
             @starred, @notes, @seconds, @createdAt)`,
        )
        .run({
          id: parsed.id,
          name: parsed.name,
          conceptId: parsed.conceptId,
          conceptVersion: parsed.conceptVersion,
          sourceClipId: parsed.sourceClipId,
          parentId: parsed.parentId,
          settings: JSON.stringify(parsed.settings),
          key: recipeKey(parsed),
          frames: JSON.stringify(parsed.frames),
          starred: Number(parsed.starred),
          notes: parsed.notes,
          seconds: parsed.seconds,
          createdAt: parsed.createdAt,
        });
      writeTags(this.#library, 'edit', parsed.id, parsed.tags);
      indexItem(this.#library, 'edit', parsed.id);
      return this.byId(parsed.id);
    });
  }

  list({ conceptId, ...query }: ItemQuery & { conceptId?: string } = {}): Edit[] {
    const { sql, values } = whereQuery('edit', query, conceptId === undefined ? [] : ['concept_id = @conceptId']);
    return this.#library.db
      .prepare<[object], EditRow>(`${selectEdits} ${sql}`)
      .all(conceptId === undefined ? values : { ...values, conceptId })
      .map(fromRow);
  }

  get(reference: string): Edit {
    return this.byId(resolveItem(this.#library, reference, ['edit']).id);
  }

  byId(id: string): Edit {
    const row = this.#library.db.prepare<[string], EditRow>(`${selectEdits} WHERE id = ?`).get(id);
    if (row === undefined) throw new AppError('not-found', `There is no edit "${id}".`);
    return fromRow(row);
  }

  /** The live edit that was made in exactly this way, if there is one. */
  withRecipe(key: string): Edit | null {
    const id = this.#library.db
      .prepare<[string], string>(
        'SELECT id FROM edits WHERE recipe_key = ? AND trash_id IS NULL ORDER BY created_at LIMIT 1',
      )
      .pluck()
      .get(key);
    return id === undefined ? null : this.byId(id);
  }

  label(reference: string, { starred, ...labels }: ItemLabels & { starred?: boolean }): Edit {
    const { id } = resolveItem(this.#library, reference, ['edit']);
    return this.#library.write(() => {
      labelItem(this.#library, 'edit', id, labels);
      if (starred !== undefined) {
        this.#library.db.prepare('UPDATE edits SET starred = ? WHERE id = ?').run(Number(starred), id);
      }
      return this.byId(id);
    });
  }
}
