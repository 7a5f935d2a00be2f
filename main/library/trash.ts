import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import type { Deletion, ItemKind, ItemReference } from '../../shared/domain/library.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { ageNow } from './age.ts';
import { firstPictureOf, isPictureUsed } from './first-pictures.ts';
import { tableOf } from './labels.ts';
import type { Library } from './open.ts';
import { forgetIndexed, indexItem } from './search.ts';

/**
 * Deleting only hides: rows are marked with the act that deleted them, files stay. A concept takes its edits
 * along, a clip those made of it by words alone; a clip does not take the concepts that were learned from it,
 * and stays readable for them.
 */
export function deleteItems(library: Library, items: ItemReference[]): Deletion {
  return library.write(() => {
    const id = randomUUID();
    const names = items.map(({ kind, id: itemId }) => nameOf(library, kind, itemId));
    if (names.length === 0) throw new AppError('invalid-input', 'There is nothing to delete.');
    const title = names.length === 1 ? names[0]! : `${names[0]} and ${names.length - 1} more`;
    library.db
      .prepare(`INSERT INTO trash (id, title, deleted_at, deleted_age) VALUES (?, ?, ?, ${ageNow})`)
      .run(id, title, new Date().toISOString());
    for (const item of items) {
      library.db
        .prepare(`UPDATE ${tableOf[item.kind]} SET trash_id = ? WHERE id = ? AND trash_id IS NULL`)
        .run(id, item.id);
      if (item.kind === 'edit') continue;
      const made = item.kind === 'concept' ? 'concept_id = ?' : 'concept_id IS NULL AND source_clip_id = ?';
      library.db.prepare(`UPDATE edits SET trash_id = ? WHERE ${made} AND trash_id IS NULL`).run(id, item.id);
    }
    const deletion = readDeletion(library, id);
    for (const item of deletion.items) indexItem(library, item.kind, item.id);
    return deletion;
  });
}

/** Undoes one deletion. Throws `not-found` when the trash was emptied meanwhile or it was undone before. */
export function restoreItems(library: Library, deletionId: string): Deletion {
  return library.write(() => {
    const deletion = readDeletion(library, deletionId);
    for (const { kind, id } of deletion.items) {
      library.db.prepare(`UPDATE ${tableOf[kind]} SET trash_id = NULL WHERE id = ?`).run(id);
      indexItem(library, kind, id);
    }
    library.db.prepare('DELETE FROM trash WHERE id = ?').run(deletionId);
    return deletion;
  });
}

/** What can be restored, the newest first. */
export function listTrash(library: Library): Deletion[] {
  return library.db
    .prepare<[], string>('SELECT id FROM trash ORDER BY deleted_at DESC')
    .pluck()
    .all()
    .map((id) => readDeletion(library, id as string))
    .filter((deletion) => deletion.items.length > 0);
}

/**
 * Deletes for good, files included, what was deleted at least so many days ago by the library's age (default:
 * everything). A clip that a remaining concept or edit was made from, and a concept with remaining edits,
 * stay in the trash. Answers how many items went.
 */
export function emptyTrash(library: Library, days = 0): number {
  const old = `trash_id IN (SELECT id FROM trash WHERE deleted_age <= ${ageNow} - @days)`;
  // In the order of their references: edits, then concepts without edits, then clips that nothing was made
  // from.
  const doomed = [
    ['edit', `SELECT id FROM edits WHERE ${old}`],
    [
      'concept',
      `SELECT id FROM concepts WHERE ${old} AND id NOT IN (SELECT concept_id FROM edits WHERE concept_id IS NOT NULL)`,
    ],
    [
      'clip',
      `SELECT id FROM clips WHERE ${old} AND id NOT IN (SELECT clip_id FROM concept_clips)
         AND id NOT IN (SELECT source_clip_id FROM edits WHERE source_clip_id IS NOT NULL)`,
    ],
  ] as const satisfies [ItemKind, string][];

  const gone = library.write(() => {
    const places: string[] = [];
    let count = 0;
    for (const [kind, select] of doomed) {
      for (const id of library.db.prepare(select).pluck().all({ days }) as string[]) {
        if (kind === 'clip') places.push(...uploadOnlyOf(library, id));
        const picture = kind === 'edit' ? firstPictureOf(library, id) : undefined;
        library.db.prepare(`DELETE FROM ${tableOf[kind]} WHERE id = ?`).run(id);
        library.db.prepare('DELETE FROM tags WHERE kind = ? AND item_id = ?').run(kind, id);
        forgetIndexed(library, kind, id);
        places.push(`${tableOf[kind]}/${id}`);
        if (picture !== undefined && !isPictureUsed(library, picture)) places.push(picture);
        count++;
      }
    }
    for (const { id } of library.db.prepare<[], { id: string }>('SELECT id FROM trash').all()) {
      if (readDeletion(library, id).items.length === 0) library.db.prepare('DELETE FROM trash WHERE id = ?').run(id);
    }
    return { places, count };
  });
  // After the commit: a kill in between leaves a folder without a row, which is written down, never a row
  // without its folder.
  const notes = gone.places.map((place) => library.unfinished.begin(place));
  for (const [index, place] of gone.places.entries()) {
    rmSync(library.absolutePath(place), { recursive: true, force: true });
    notes[index]!();
  }
  return gone.count;
}

/** The folder of the upload that a clip came from, when no other clip did. */
function uploadOnlyOf(library: Library, clipId: string): string[] {
  const source = "json_extract(source, '$.path')";
  const path = library.db.prepare<[string], string>(`SELECT ${source} FROM clips WHERE id = ?`).pluck().get(clipId);
  if (path == null || relative(library.folder, path).split(sep)[0] !== 'uploads' || !existsSync(path)) return [];
  const others = library.db.prepare(`SELECT 1 FROM clips WHERE ${source} = ? AND id <> ?`).get(path, clipId);
  return others === undefined ? [library.relativePath(dirname(path))] : [];
}

function readDeletion(library: Library, id: string): Deletion {
  const row = library.db
    .prepare<[string], { title: string; deleted_at: string }>('SELECT title, deleted_at FROM trash WHERE id = ?')
    .get(id);
  if (row === undefined) {
    throw new AppError('not-found', 'This deletion is no longer in the trash.', {
      hint: 'It was already undone, or the trash was emptied.',
    });
  }
  const items = (Object.keys(tableOf) as ItemKind[]).flatMap((kind) =>
    library.db
      .prepare<[string], string>(`SELECT id FROM ${tableOf[kind]} WHERE trash_id = ? ORDER BY rowid`)
      .pluck()
      .all(id)
      .map((itemId) => ({ kind, id: itemId as string })),
  );
  return { id, title: row.title, items, deletedAt: row.deleted_at };
}

function nameOf(library: Library, kind: ItemKind, id: string): string {
  const name = library.db
    .prepare<[string], string>(`SELECT name FROM ${tableOf[kind]} WHERE id = ? AND trash_id IS NULL`)
    .pluck()
    .get(id);
  if (name === undefined) throw new AppError('not-found', `There is no ${kind} "${id}".`);
  return name as string;
}
