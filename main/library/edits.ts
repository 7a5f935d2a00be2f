import { createHash } from 'node:crypto';
import { type Edit, type EditSettings, edit, renderedBy, usualDetail } from '../../shared/domain/edit.ts';
import type { ItemLabels, ItemQuery } from '../../shared/domain/library.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { resolveItem } from './ids.ts';
import { labelItem, tagsColumn, whereQuery, writeTags } from './labels.ts';
import type { Library } from './open.ts';
import { indexItem } from './search.ts';

interface EditRow {
  id: string;
  name: string;
  concept_id: string | null;
  concept_version: number | null;
  model: string | null;
  source_clip_id: string | null;
  parent_id: string | null;
  settings: string;
  frames: string;
  base: string | null;
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
    model: row.model,
    sourceClipId: row.source_clip_id,
    parentId: row.parent_id,
    settings: JSON.parse(row.settings),
    frames: JSON.parse(row.frames),
    base: row.base === null ? null : JSON.parse(row.base),
    starred: row.starred === 1,
    tags: JSON.parse(row.tags),
    notes: row.notes,
    seconds: row.seconds,
    createdAt: row.created_at,
  });
}

/** Those of one concept, or those by words alone of one clip. */
export interface EditsOf {
  conceptId?: string | undefined;
  clipId?: string | undefined;
}

/** What an edit is made of. */
export interface Made {
  /** Null: by words alone. */
  conceptId: string | null;
  conceptVersion: number | null;
  /** Of an edit by words alone. */
  model: string | null;
  sourceClipId: string | null;
  settings: EditSettings;
}

/** What decides every byte of a result: two edits with the same key have the same frames, and are finished alike. */
export function recipeKey(made: Made): string {
  const { finish, keepDetail, amount, colour, lock, recolour, brush } = made.settings;
  const isUsual = finish && keepDetail === usualDetail && !lock && !recolour && brush.length === 0;
  const graded = amount === 1 && colour === 1 ? [] : [{ amount, colour }];
  const finishing = isUsual
    ? graded
    : [finish, keepDetail, lock, ...(recolour ? [recolour] : []), ...(brush.length > 0 ? [brush] : []), ...graded];
  return createHash('sha256')
    .update(JSON.stringify([...partsOf(made), ...finishing]))
    .digest('hex');
}

/** The same for the model's own pictures, whatever finishing does with them. */
export function renderingKey(made: Made): string {
  return createHash('sha256')
    .update(JSON.stringify(partsOf(made)))
    .digest('hex');
}

function partsOf(made: Made): unknown[] {
  const { sliders } = made.settings;
  const { sliders: _, ...settings } = renderedBy(made.settings);
  const directions = Object.entries(sliders.directions)
    .filter(([, gain]) => gain !== 1)
    .sort(([a], [b]) => Number(a) - Number(b));
  return [
    made.conceptId,
    made.conceptVersion,
    ...(made.model === null ? [] : [made.model]),
    made.sourceClipId,
    Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)),
    [sliders.identity, sliders.motion, directions, ...((sliders.appearance ?? 1) === 1 ? [] : [sliders.appearance])],
  ];
}

/** Edits: what was asked of a clip or a concept, and the frames that came of it; paths are relative to the library's folder. */
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
          `INSERT INTO edits (id, name, concept_id, concept_version, model, source_clip_id, parent_id, settings, recipe_key, frames, base,
             starred, notes, seconds, created_at)
           VALUES (@id, @name, @conceptId, @conceptVersion, @model, @sourceClipId, @parentId, @settings, @key, @frames, @base,
             @starred, @notes, @seconds, @createdAt)`,
        )
        .run({
          id: parsed.id,
          name: parsed.name,
          conceptId: parsed.conceptId,
          conceptVersion: parsed.conceptVersion,
          model: parsed.model,
          sourceClipId: parsed.sourceClipId,
          parentId: parsed.parentId,
          settings: JSON.stringify(parsed.settings),
          key: recipeKey(parsed),
          frames: JSON.stringify(parsed.frames),
          base: parsed.base && JSON.stringify(parsed.base),
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

  /** For the next edit of a concept: one that none has, and none had that is still in the trash. */
  nextName(conceptId: string): string {
    const number = this.#library.db
      .prepare<[string], number>(
        `SELECT 1 + max(count(*), ifnull(max(CASE WHEN name GLOB 'Edit [0-9]*' THEN CAST(substr(name, 6) AS INTEGER) END), 0))
         FROM edits WHERE concept_id = ?`,
      )
      .pluck()
      .get(conceptId);
    return `Edit ${number}`;
  }

  list({ conceptId, clipId, ...query }: ItemQuery & EditsOf = {}): Edit[] {
    const conditions = [
      ...(conceptId === undefined ? [] : ['concept_id = @conceptId']),
      ...(clipId === undefined ? [] : ['source_clip_id = @clipId AND concept_id IS NULL']),
    ];
    const { sql, values } = whereQuery('edit', query, conditions);
    return this.#library.db
      .prepare<[object], EditRow>(`${selectEdits} ${sql}`)
      .all({ ...values, ...(conceptId !== undefined && { conceptId }), ...(clipId !== undefined && { clipId }) })
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
