import type { ItemKind, SearchHit } from '../../shared/domain/library.ts';
import type { Library } from './open.ts';

/** Brings the index up to date with one item; one in the trash (or gone) is found no more. */
export function indexItem(library: Library, kind: ItemKind, id: string): void {
  const { db } = library;
  library.write(() => {
    const known = db
      .prepare<[string, string], number>('SELECT row FROM search_rows WHERE kind = ? AND id = ?')
      .pluck()
      .get(kind, id);
    if (known !== undefined) db.prepare('DELETE FROM search WHERE rowid = ?').run(known);
    const row = known ?? db.prepare('INSERT INTO search_rows (kind, id) VALUES (?, ?)').run(kind, id).lastInsertRowid;
    db.prepare(
      `INSERT INTO search (rowid, name, words, tags)
       SELECT ?, name, words, tags FROM searchable WHERE kind = ? AND id = ?`,
    ).run(row, kind, id);
  });
}

/** For an item that is deleted for good. */
export function forgetIndexed(library: Library, kind: ItemKind, id: string): void {
  const { db } = library;
  library.write(() => {
    db.prepare('DELETE FROM search WHERE rowid IN (SELECT row FROM search_rows WHERE kind = ? AND id = ?)').run(
      kind,
      id,
    );
    db.prepare('DELETE FROM search_rows WHERE kind = ? AND id = ?').run(kind, id);
  });
}

/**
 * What a user types -> an FTS5 expression: every word must begin some word of the item, and nothing typed is an operator.
 * null when there is no word in it.
 */
export function matchExpression(text: string): string | null {
  const words = text.match(/[\p{L}\p{N}]+/gu);
  return words === null ? null : words.map((word) => `"${word}"*`).join(' ');
}

/** Items that hold all words, the best match first (a name counts most, then tags); `snippet` marks the words found. */
export function searchItems(
  library: Library,
  text: string,
  { kinds = ['clip', 'concept', 'edit'], limit = 50 }: { kinds?: ItemKind[]; limit?: number } = {},
): SearchHit[] {
  const match = matchExpression(text);
  if (match === null || kinds.length === 0) return [];
  return library.db
    .prepare<[string, ...string[], number], SearchHit>(
      `SELECT kind, id, name, snippet(search, -1, char(2), char(3), '…', 12) AS snippet
       FROM search JOIN search_rows ON search_rows.row = search.rowid
       WHERE search MATCH ? AND kind IN (${kinds.map(() => '?').join(', ')})
       ORDER BY bm25(search, 8, 1, 4) LIMIT ?`,
    )
    .all(match, ...kinds, limit);
}
