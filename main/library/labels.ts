import { type ItemKind, type ItemLabels, type ItemQuery, itemLabels, itemQuery } from '../../shared/domain/library.ts';
import { parseInput } from '../../shared/ipc/result.ts';
import type { Library } from './open.ts';
import { indexItem, matchExpression } from './search.ts';

/** What all items share: a name, tags, notes, and being listed. */

export const tableOf = { clip: 'clips', concept: 'concepts', edit: 'edits' } as const satisfies Record<
  ItemKind,
  string
>;

/** A column `tags` for a SELECT from the kind's table: a JSON array, in order. */
export function tagsColumn(kind: ItemKind): string {
  return `(SELECT json_group_array(tag ORDER BY tag) FROM tags WHERE kind = '${kind}' AND item_id = ${tableOf[kind]}.id) AS tags`;
}

export function writeTags(library: Library, kind: ItemKind, id: string, tags: string[]): void {
  library.write(() => {
    library.db.prepare('DELETE FROM tags WHERE kind = ? AND item_id = ?').run(kind, id);
    const insert = library.db.prepare('INSERT OR IGNORE INTO tags (kind, item_id, tag) VALUES (?, ?, ?)');
    for (const tag of tags) insert.run(kind, id, tag);
  });
}

/** Writes what is given and leaves the rest. Throws `invalid-input` for a name, tag or notes that cannot be. */
export function labelItem(library: Library, kind: ItemKind, id: string, labels: ItemLabels): void {
  const { name, tags, notes } = parseInput(itemLabels, labels);
  library.write(() => {
    const table = tableOf[kind];
    if (name !== undefined) library.db.prepare(`UPDATE ${table} SET name = ? WHERE id = ?`).run(name, id);
    if (notes !== undefined) library.db.prepare(`UPDATE ${table} SET notes = ? WHERE id = ?`).run(notes, id);
    if (tags !== undefined) writeTags(library, kind, id, tags);
    indexItem(library, kind, id);
  });
}

/** Every tag of live items, the most used first. */
export function allTags(library: Library): { tag: string; count: number }[] {
  const live = Object.entries(tableOf)
    .map(([kind, table]) => `SELECT '${kind}' AS kind, id FROM ${table} WHERE trash_id IS NULL`)
    .join(' UNION ALL ');
  return library.db
    .prepare<[], { tag: string; count: number }>(
      `SELECT tag, count(*) AS count FROM tags JOIN (${live}) AS item ON item.kind = tags.kind AND item.id = tags.item_id
       GROUP BY tag ORDER BY count DESC, tag`,
    )
    .all();
}

/** What follows FROM and its joins to select the live items that a query asks for, in its order; `extra` conditions are SQL. */
export function whereQuery(
  kind: ItemKind,
  query: ItemQuery,
  extra: string[] = [],
): { sql: string; values: Record<string, string> } {
  const { text, tag, order } = parseInput(itemQuery, query);
  const table = tableOf[kind];
  const conditions = [`${table}.trash_id IS NULL`, ...extra];
  const values: Record<string, string> = {};
  const match = matchExpression(text);
  if (match !== null) {
    conditions.push(
      `${table}.id IN (SELECT id FROM search JOIN search_rows ON row = search.rowid WHERE search MATCH @match AND kind = '${kind}')`,
    );
    values.match = match;
  }
  if (tag !== undefined) {
    conditions.push(`${table}.id IN (SELECT item_id FROM tags WHERE kind = '${kind}' AND tag = @tag)`);
    values.tag = tag;
  }
  const orders = {
    newest: `${table}.created_at DESC, ${table}.rowid DESC`,
    oldest: `${table}.created_at, ${table}.rowid`,
    name: `${table}.name COLLATE NOCASE, ${table}.created_at`,
  };
  return { sql: `WHERE ${conditions.join(' AND ')} ORDER BY ${orders[order]}`, values };
}
