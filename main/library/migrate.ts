import type Database from 'better-sqlite3';
import { backUp } from './backups.ts';
import { applicationId } from './location.ts';
import { items } from './migrations/0001_items.ts';
import { searchAndTrash } from './migrations/0002_search_and_trash.ts';
import { orderAndAge } from './migrations/0003_order_and_age.ts';
import { clipsWithoutSource } from './migrations/0004_clips_without_source.ts';
import { looks } from './migrations/0005_looks.ts';
import { editNames } from './migrations/0006_edit_names.ts';
import { gradedLooks } from './migrations/0007_graded_looks.ts';
import { studies } from './migrations/0008_studies.ts';
import { studiesGo } from './migrations/0009_studies_go.ts';

/** Forward only; the number of a migration is its place here, and a published one never changes. */
const migrations = [
  items,
  searchAndTrash,
  orderAndAge,
  clipsWithoutSource,
  looks,
  editNames,
  gradedLooks,
  studies,
  studiesGo,
];
export const libraryVersion = migrations.length;

/** Brings the database to the newest version, one transaction per step, after a copy of what was there (null: it is a copy itself). */
export function migrate(db: Database.Database, backupFolder: string | null): void {
  const from = db.pragma('user_version', { simple: true }) as number;
  if (from === libraryVersion) return;
  if (from > 0 && backupFolder !== null) backUp(db, backupFolder, from);
  // Tables may be rebuilt: references are checked once at the end of each step instead of at every statement.
  db.pragma('foreign_keys = OFF');
  for (let version = from + 1; version <= libraryVersion; version++) {
    db.transaction(() => {
      db.exec(migrations[version - 1]!);
      const broken = db.pragma('foreign_key_check') as unknown[];
      if (broken.length > 0) throw new Error(`migration ${version} leaves ${broken.length} broken references`);
      db.pragma(`user_version = ${version}`);
      db.pragma(`application_id = ${applicationId}`);
    }).immediate();
  }
  db.pragma('foreign_keys = ON');
}
