import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import AdmZip from 'adm-zip';
import type { AppError } from '../../../../../shared/ipc/result.ts';

export interface Wanted {
  /** Where a file of the source goes below the target; undefined for one that is not needed. */
  placeOf(path: string): string | undefined;
  /** The error for a source that cannot be used, by the reason. */
  unusable(reason: string): AppError;
}

/** Takes what is wanted out of a folder, a .whl, a .zip or a .tgz file into a new folder `target`. */
export async function takeFiles(source: string, target: string, wanted: Wanted): Promise<void> {
  const kind = await stat(source).catch(() => {
    throw wanted.unusable('It does not exist.');
  });
  await mkdir(target);
  if (kind.isDirectory()) await copyFiles(source, target, wanted.placeOf);
  else if (/\.(whl|zip)$/i.test(source)) await unzip(source, target, wanted);
  else if (/\.(tgz|tar\.gz)$/i.test(source)) await untar(source, target, wanted);
  else throw wanted.unusable('It is neither a folder nor a .whl, .zip or .tgz file.');
}

/** Links are copied as links: those of libraries lead to a file beside them. */
export async function copyFiles(source: string, target: string, placeOf: Wanted['placeOf']): Promise<void> {
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const place = placeOf(path.slice(source.length + 1));
    if (place === undefined) continue;
    await mkdir(dirname(join(target, place)), { recursive: true });
    await cp(path, join(target, place), { verbatimSymlinks: true });
  }
}

async function unzip(source: string, target: string, { placeOf, unusable }: Wanted): Promise<void> {
  let zip: AdmZip;
  try {
    zip = new AdmZip(source);
  } catch (error) {
    throw unusable(`It is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (const entry of zip.getEntries()) {
    const place = entry.isDirectory ? undefined : placeOf(entry.entryName.replaceAll('/', sep));
    if (place === undefined) continue;
    await mkdir(dirname(join(target, place)), { recursive: true });
    let data: Buffer;
    try {
      data = entry.getData();
    } catch (error) {
      throw unusable(`${entry.entryName} in it is damaged: ${error instanceof Error ? error.message : String(error)}`);
    }
    await writeFile(join(target, place), data);
  }
}

/** Every system that has such archives has `tar`. */
async function untar(source: string, target: string, { placeOf, unusable }: Wanted): Promise<void> {
  const unpacked = await mkdtemp(`${target}-unpacked-`);
  try {
    await promisify(execFile)('tar', ['-xzf', source, '-C', unpacked], { windowsHide: true }).catch((error: Error) => {
      throw unusable(`It is damaged: ${error.message}`);
    });
    await copyFiles(unpacked, target, placeOf);
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}
