import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Tally } from './campaign.ts';

const tables = ['clips', 'concepts', 'edits'] as const;
const halfName = /\.part$|\.partial-|\.tmp$|\.new$/;

/** Counts what is missing or cut off in a library's folder: every row's files, and the database itself. */
export function countLosses(home: string, tally: Tally, when: string): void {
  withDatabase(home, (db) => {
    const lost = (what: string) => tally.found('lost', `${when}: ${what}`);
    if (db.pragma('integrity_check', { simple: true }) !== 'ok') lost('the database is damaged');
    if ((db.pragma('foreign_key_check') as unknown[]).length > 0) lost('references are broken');
    for (const table of ['clips', 'edits']) {
      for (const text of db.prepare(`SELECT frames FROM ${table}`).pluck().all() as string[]) {
        const { file, frameCount, width, height } = JSON.parse(text);
        const path = join(home, file);
        if (!existsSync(path) || statSync(path).size !== frameCount * width * height * 3) lost(file);
      }
    }
    for (const file of db.prepare('SELECT file FROM concept_versions').pluck().all() as string[]) {
      if (!isWholeSafetensors(join(home, file))) lost(file);
    }
  });
}

/** Counts what lies in the library, or in folders that were exported to, and belongs to nothing. Asked after a start. */
export function countHalfFiles(home: string, exportFolders: string[], tally: Tally, when: string): void {
  const half = (what: string) => tally.found('halfFiles', `${when}: ${what}`);
  withDatabase(home, (db) => {
    for (const table of tables) {
      const known = new Set(db.prepare(`SELECT id FROM ${table}`).pluck().all());
      for (const name of namesIn(join(home, table))) if (!known.has(name)) half(`${table}/${name}`);
    }
    const needed = db.prepare("SELECT id FROM jobs WHERE state NOT IN ('done', 'cancelled')").pluck().all() as string[];
    for (const name of namesIn(join(home, 'jobs'))) if (!needed.includes(name)) half(`jobs/${name}`);
    for (const folder of ['previews', 'uploads', 'exports', 'backups', 'reports', 'control', 'cache', 'unfinished']) {
      for (const entry of namesIn(join(home, folder), true)) {
        if (halfName.test(entry) || folder === 'unfinished') half(`${folder}/${entry}`);
      }
    }
  });
  for (const folder of exportFolders) {
    for (const name of namesIn(folder)) if (halfName.test(name)) half(join(folder, name));
  }
}

export function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** In a copy: looking changes nothing, and needs no room on a disk that has none. */
function withDatabase(home: string, look: (db: Database.Database) => void): void {
  if (!existsSync(join(home, 'library.db'))) return;
  const folder = mkdtempSync(join(tmpdir(), 'motif-inspect-'));
  for (const name of ['library.db', 'library.db-wal']) {
    if (existsSync(join(home, name))) copyFileSync(join(home, name), join(folder, name));
  }
  const db = new Database(join(folder, 'library.db'));
  try {
    if (db.pragma('user_version', { simple: true }) !== 0) look(db);
  } finally {
    db.close();
    rmSync(folder, { recursive: true });
  }
}

function namesIn(folder: string, recursive = false): string[] {
  return existsSync(folder) ? (readdirSync(folder, { recursive }) as string[]) : [];
}

/** https://huggingface.co/docs/safetensors: the length of the header, the header, the values. */
function isWholeSafetensors(file: string): boolean {
  if (!existsSync(file)) return false;
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: _, ...tensors } = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const ends = Object.values(tensors as Record<string, { data_offsets: [number, number] }>).map(
    ({ data_offsets: [, end] }) => end,
  );
  return 8 + length + Math.max(0, ...ends) === bytes.length;
}
