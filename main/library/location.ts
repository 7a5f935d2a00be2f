import { resolve } from 'node:path';
import envPaths from 'env-paths';

/** The library's folder: what the caller names, else MOTIF_HOME, else the platform's application-data folder. */
export function libraryFolder(home?: string): string {
  const chosen = home ?? process.env.MOTIF_HOME;
  return resolve(chosen ? chosen : envPaths('motif', { suffix: '' }).data);
}

/** Marks the database as a Motif library's ("MOTF"), so that another program's is never taken for one. */
export const applicationId = 0x4d4f5446;

/** What lies where in the library's folder. Everything a user makes is in it, so that copying the folder copies the library. */
export const libraryFolders = [
  'clips',
  'concepts',
  'edits',
  'jobs',
  'control',
  'previews',
  'exports',
  'studies',
  'backups',
] as const;
