import { statSync } from 'node:fs';
import type { Clip } from '../../shared/domain/clip.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { hashFile } from './hash.ts';

/** Files that were found to be what was imported, by path, size and time of change. */
const verified = new Set<string>();

/**
 * The file that a clip was imported from. Throws `not-found` when it is not where it was, or never was on this machine, and
 * `conflict` when another one is in its place: by size, or by content where it was written since. `purpose` says what needs it.
 */
export async function sourceFile(
  { source, createdAt }: Pick<Clip, 'source' | 'createdAt'>,
  purpose: string,
  alternative: string,
  signal?: AbortSignal,
): Promise<string> {
  const { path, name, sizeBytes, sha256 } = source;
  if (path === null)
    throw new AppError('not-found', `${name} came without its file, and ${purpose} needs it.`, {
      hint: `Import the clip from its file, or ${alternative}.`,
    });
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw new AppError('not-found', `${name} is no longer where it was imported from, and ${purpose} needs it.`, {
      hint: `Put it back at ${path}, import it from where it is now, or ${alternative}.`,
    });
  const key = [path, sha256, stat.size, stat.ctimeMs].join('\n');
  const isSame =
    stat.size === sizeBytes &&
    (stat.ctimeMs < Date.parse(createdAt) || verified.has(key) || (await hashFile(path, signal)) === sha256);
  if (!isSame)
    throw new AppError(
      'conflict',
      `${path} is not the file that was imported any more, and ${purpose} needs that one.`,
      {
        hint: `Put ${name} back as it was, or import the new file and edit that; or ${alternative}.`,
      },
    );
  verified.add(key);
  return path;
}
