import type { Library } from './open.ts';

/** The library's folder of pictures that edits begin with, each called by the hash of its file. */
export const pictureFolder = 'pictures';

const path = "json_extract(settings, '$.firstFrame.path')";

/** The kept picture that an edit begins with, relative to the library's folder; undefined: none. */
export function firstPictureOf(library: Library, editId: string): string | undefined {
  const picture = library.db.prepare<[string], string>(`SELECT ${path} FROM edits WHERE id = ?`).pluck().get(editId);
  return picture?.startsWith(`${pictureFolder}/`) ? picture : undefined;
}

/** Whether an edit, also one in the trash, or a job that may still run begins with a kept picture. */
export function isPictureUsed(library: Library, picture: string): boolean {
  const used = library.db.prepare(
    `SELECT 1 FROM edits WHERE ${path} = @picture
     UNION ALL SELECT 1 FROM jobs WHERE state NOT IN ('done', 'cancelled') AND instr(input, @picture) > 0
     LIMIT 1`,
  );
  return used.get({ picture }) !== undefined;
}
