import { type Concept, concept } from '../../shared/domain/concept.ts';
import type { ItemLabels, ItemQuery } from '../../shared/domain/library.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { resolveItem } from './ids.ts';
import { labelItem, tagsColumn, whereQuery, writeTags } from './labels.ts';
import type { Library } from './open.ts';
import { indexItem } from './search.ts';

interface ConceptRow {
  id: string;
  name: string;
  notes: string;
  version: number;
  model: string;
  rank: number;
  recipe: string;
  captions: string;
  direction_strengths: string;
  direction_names: string;
  metrics: string;
  file: string;
  created_at: string;
  clip_ids: string;
  tags: string;
}

const selectVersions = `
  SELECT concepts.id, concepts.name, concepts.notes, version, model, rank, recipe, captions, direction_strengths,
    direction_names, metrics, file, concept_versions.created_at, ${tagsColumn('concept')},
    (SELECT json_group_array(clip_id ORDER BY position) FROM concept_clips
     WHERE concept_id = concepts.id AND concept_clips.version = concept_versions.version) AS clip_ids
  FROM concepts JOIN concept_versions ON concept_versions.concept_id = concepts.id`;

function fromRow(row: ConceptRow): Concept {
  return concept.parse({
    id: row.id,
    name: row.name,
    version: row.version,
    clipIds: JSON.parse(row.clip_ids),
    captions: JSON.parse(row.captions),
    recipe: JSON.parse(row.recipe),
    model: row.model,
    rank: row.rank,
    directionStrengths: JSON.parse(row.direction_strengths),
    directionNames: JSON.parse(row.direction_names),
    metrics: JSON.parse(row.metrics),
    file: row.file,
    tags: JSON.parse(row.tags),
    notes: row.notes,
    createdAt: row.created_at,
  });
}

/** Concepts and their versions; `file` is relative to the library's folder. */
export class ConceptStore {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  /** A new concept (version 1) or the next version of one that exists; `value.version` must be the next free one. */
  insert(value: Concept): Concept {
    const parsed = concept.parse(value);
    return this.#library.write(() => {
      if (parsed.version === 1) {
        this.#library.db
          .prepare('INSERT INTO concepts (id, name, notes, created_at) VALUES (?, ?, ?, ?)')
          .run(parsed.id, parsed.name, parsed.notes, parsed.createdAt);
        writeTags(this.#library, 'concept', parsed.id, parsed.tags);
      }
      this.#insertVersion(parsed);
      indexItem(this.#library, 'concept', parsed.id);
      return this.byId(parsed.id, parsed.version);
    });
  }

  #insertVersion(value: Concept): void {
    this.#library.db
      .prepare(
        `INSERT INTO concept_versions (concept_id, version, model, rank, recipe, captions, direction_strengths, direction_names,
           metrics, file, created_at)
         VALUES (@id, @version, @model, @rank, @recipe, @captions, @strengths, @names, @metrics, @file, @createdAt)`,
      )
      .run({
        id: value.id,
        version: value.version,
        model: value.model,
        rank: value.rank,
        recipe: JSON.stringify(value.recipe),
        captions: JSON.stringify(value.captions),
        strengths: JSON.stringify(value.directionStrengths),
        names: JSON.stringify(value.directionNames),
        metrics: JSON.stringify(value.metrics),
        file: value.file,
        createdAt: value.createdAt,
      });
    const link = this.#library.db.prepare(
      'INSERT INTO concept_clips (concept_id, version, position, clip_id) VALUES (?, ?, ?, ?)',
    );
    for (const [position, clipId] of value.clipIds.entries()) link.run(value.id, value.version, position, clipId);
  }

  /** The newest version of each. */
  list(query: ItemQuery = {}): Concept[] {
    const isNewest = 'version = (SELECT max(version) FROM concept_versions WHERE concept_id = concepts.id)';
    const { sql, values } = whereQuery('concept', query, [isNewest]);
    return this.#library.db.prepare<[object], ConceptRow>(`${selectVersions} ${sql}`).all(values).map(fromRow);
  }

  get(reference: string, version?: number): Concept {
    return this.byId(resolveItem(this.#library, reference, ['concept']).id, version);
  }

  versions(reference: string): Concept[] {
    const { id } = resolveItem(this.#library, reference, ['concept']);
    return this.#library.db
      .prepare<[string], ConceptRow>(`${selectVersions} WHERE concepts.id = ? ORDER BY version`)
      .all(id)
      .map(fromRow);
  }

  /** Also finds a concept in the trash: its edits may have been restored without it. */
  byId(id: string, version?: number): Concept {
    const row = this.#library.db
      .prepare<[{ id: string; version: number | null }], ConceptRow>(
        `${selectVersions} WHERE concepts.id = @id AND (@version IS NULL OR version = @version) ORDER BY version DESC LIMIT 1`,
      )
      .get({ id, version: version ?? null });
    if (row === undefined) {
      throw new AppError('not-found', `There is no ${version ? `version ${version} of the ` : ''}concept "${id}".`);
    }
    return fromRow(row);
  }

  /** The concept file of every version of every live concept, oldest first. */
  files(): { id: string; version: number; file: string }[] {
    return this.#library.db
      .prepare<[], { id: string; version: number; file: string }>(
        `SELECT concepts.id, version, file FROM concept_versions JOIN concepts ON concepts.id = concept_id
         WHERE trash_id IS NULL ORDER BY concept_versions.created_at, concept_versions.rowid`,
      )
      .all();
  }

  /** The number that the next learning of this concept gets. */
  nextVersion(id: string): number {
    const newest = this.#library.db
      .prepare<[string], number | null>('SELECT max(version) FROM concept_versions WHERE concept_id = ?')
      .pluck()
      .get(id);
    return (newest ?? 0) + 1;
  }

  /** Direction names belong to the newest version: another learning has other directions. */
  label(
    reference: string,
    { directionNames, ...labels }: ItemLabels & { directionNames?: Record<string, string> },
  ): Concept {
    const current = this.get(reference);
    return this.#library.write(() => {
      labelItem(this.#library, 'concept', current.id, labels);
      if (directionNames !== undefined) {
        const unknown = Object.keys(directionNames).find((key) => !(Number(key) < current.directionStrengths.length));
        if (unknown !== undefined) {
          throw new AppError('invalid-input', `"${current.name}" has no direction ${unknown}.`, {
            hint: `Its directions are 0 to ${current.directionStrengths.length - 1}.`,
          });
        }
        this.#library.db
          .prepare('UPDATE concept_versions SET direction_names = ? WHERE concept_id = ? AND version = ?')
          .run(JSON.stringify(directionNames), current.id, current.version);
      }
      return this.byId(current.id);
    });
  }
}
