import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { items } from './migrations/0001_items.ts';
import { searchAndTrash } from './migrations/0002_search_and_trash.ts';
import { clipsWithoutSource } from './migrations/0004_clips_without_source.ts';
import { looks } from './migrations/0005_looks.ts';

/** Forward only; the number of a migration is its place here, and a published one never changes. */
const migrations = [items, searchAndTrash, clipsWithoutSource, looks];
export const libraryVersion = migrations.length;

/** Marks the file as a Motif library ("MOTF"), so that another program's database is never taken for one. */
export const applicationId = 0x4d4f5446;

const keptBackups = 10;

/** Brings the database to the newest version, one transaction per step, after a copy of what was there. */
export function migrate(db: Database.Database, backupFolder: string): void {
  const from = db.pragma('user_version', { simple: true }) as number;
  if (from === libraryVersion) return;
  if (from > 0) backUp(db, backupFolder, from);
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

/** A copy of a sound library once a day at most, so that a damaged one can be put back. */
export function backUpDaily(db: Database.Database, backupFolder: string): void {
  const newest = Math.max(0, ...backupNames(backupFolder).map((name) => statSync(join(backupFolder, name)).mtimeMs));
  const isEmpty = db.prepare('SELECT 1 FROM jobs UNION ALL SELECT 1 FROM clips LIMIT 1').get() === undefined;
  if (!isEmpty && Date.now() - newest > 24 * 3600 * 1000) backUp(db, backupFolder, libraryVersion);
}

/** A consistent copy of the database in one file; the oldest beyond ten are deleted. */
function backUp(db: Database.Database, folder: string, version: number): void {
  const moment = new Date().toISOString().replaceAll(/[:.]/g, '-');
  db.prepare('VACUUM INTO ?').run(join(folder, `library-v${version}-${moment}.db`));
  const byAge = backupNames(folder).sort((a, b) => age(a).localeCompare(age(b)));
  for (const name of byAge.slice(0, -keptBackups)) rmSync(join(folder, name));
}

const backupNames = (folder: string) => readdirSync(folder).filter((name) => /^library-v\d+-.*\.db$/.test(name));
const age = (name: string) => name.replace(/^library-v\d+-/, '');
