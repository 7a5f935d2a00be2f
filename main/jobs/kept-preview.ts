import { existsSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { rawFrames } from '../../shared/domain/clip.ts';
import { type Made, renderingKey } from '../library/edits.ts';
import type { Library } from '../library/open.ts';

const preview = z.object({ frames: rawFrames, base: rawFrames.nullable().default(null), seconds: z.number() });
export type KeptPreview = z.infer<typeof preview>;

/** In the preview's own folder, `previews/KEY` of the library: what its frames are. Its files are paths of the library. */
export const previewFile = 'preview.json';

/** Of everything that decides a rendering's bytes. */
export function previewKey(made: Made): string {
  return renderingKey(made).slice(0, 32);
}

/** The frames of a preview that was made in exactly this way, if it is kept: a result need not be computed again. */
export function keptPreview(library: Library, made: Made): KeptPreview | null {
  return readPreview(library.absolutePath(`previews/${previewKey(made)}`));
}

export function readPreview(folder: string): KeptPreview | null {
  const file = join(folder, previewFile);
  if (!existsSync(file)) return null;
  utimesSync(folder, new Date(), new Date()); // used just now
  return preview.parse(JSON.parse(readFileSync(file, 'utf8')));
}
