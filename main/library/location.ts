import { resolve } from 'node:path';
import envPaths from 'env-paths';

/** The library's folder: what the caller names, else MOTIF_HOME, else the platform's application-data folder. */
export function libraryFolder(home?: string): string {
  const chosen = home ?? process.env.MOTIF_HOME;
  return resolve(chosen ? chosen : envPaths('motif', { suffix: '' }).data);
}

/** What lies where in the library's folder. Everything a user makes is in it, so that copying the folder copies the library. */
export const libraryFolders = [
  'clips',
  'concepts',
  'edits',
  'jobs',
  'control',
  'previews',
  'exports',
  'backups',
] as const;
