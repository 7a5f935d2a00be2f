import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FirstFrame } from '../../shared/domain/edit.ts';
import { exists } from '../files/file-names.ts';
import { placeWhole } from '../files/place.ts';
import { pictureFolder } from '../library/first-pictures.ts';
import { hashFile } from '../media/hash.ts';
import { stillKind } from '../media/still.ts';
import type { ServiceParts } from './parts.ts';

/**
 * Keeps a picture for edits to begin with, so that they can be made again when its file is gone. Throws `not-found`, `unsupported-media` for
 * what is neither PNG nor JPEG, and `invalid-input` for one that is too large.
 */
export async function keepPicture(
  { library, edits, media }: Pick<ServiceParts, 'library' | 'edits' | 'media'>,
  asked: { file: string } | { edit: string },
): Promise<FirstFrame> {
  library.requireWriting();
  const keep = async (file: string): Promise<FirstFrame> => {
    const ending = stillKind(file);
    const hash = await hashFile(file);
    const path = `${pictureFolder}/${hash}.${ending}`;
    const target = library.absolutePath(path);
    await mkdir(library.absolutePath(pictureFolder), { recursive: true });
    if (!(await exists(target))) await placeWhole(target, (part) => copyFile(file, part));
    return { path, hash };
  };
  if ('file' in asked) return keep(asked.file);
  const folder = await mkdtemp(join(tmpdir(), 'motif-'));
  try {
    return await keep(await media.writeFirstPicture(edits.get(asked.edit).id, join(folder, 'first.png')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
