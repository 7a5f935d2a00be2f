import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type RawFrames, rawFrames } from '../../shared/domain/clip.ts';
import { type EditSettingsInput, editSettings } from '../../shared/domain/edit.ts';
import { parseInput } from '../../shared/ipc/result.ts';
import type { Engine } from '../engine-host/host.ts';
import type { ClipStore } from '../library/clips.ts';
import type { ConceptStore } from '../library/concepts.ts';
import { recipeKey } from '../library/edits.ts';
import type { Library } from '../library/open.ts';
import { readSettings } from '../library/settings.ts';
import { partialBeside } from '../media/place.ts';
import { requireFit } from './fit.ts';
import type { ModelRegistry } from './models.ts';
import type { SharedWork } from './shared-work.ts';

export interface PreviewRequest {
  conceptId: string;
  settings: EditSettingsInput;
  sourceClipId?: string;
  /** All the steps that are asked for, instead of the few of a slider's preview. */
  full?: boolean;
}

const preview = z.object({ frames: rawFrames, seconds: z.number() });
export type Preview = z.infer<typeof preview> & { cached: boolean };

/**
 * A quick rendering with few steps, for a slider that moves. Kept in the library's `previews` folder under a key of everything that
 * decides its bytes; the least recently used go when the folder outgrows its setting. `frames.file` is a path of the library.
 */
export async function renderPreview(
  services: {
    library: Library;
    clips: ClipStore;
    concepts: ConceptStore;
    models: ModelRegistry;
    engine: Pick<Engine, 'generate'>;
    /** Two windows on the same edit ask for the same pictures. */
    previews: SharedWork<Preview>;
  },
  request: PreviewRequest,
  signal?: AbortSignal,
): Promise<Preview> {
  const { library, clips, concepts, models, engine, previews } = services;
  library.requireWriting();
  const concept = concepts.get(request.conceptId);
  const source = request.sourceClipId === undefined ? clips.byId(concept.clipIds[0]!) : clips.get(request.sourceClipId);
  const { previewSteps, previewCacheBytes } = readSettings(library);
  const asked = parseInput(editSettings, request.settings);
  const settings = request.full ? asked : { ...asked, steps: Math.min(asked.steps, previewSteps) };

  const made = { conceptId: concept.id, conceptVersion: concept.version, sourceClipId: source.id, settings };
  const key = previewKey(made);
  const folder = library.absolutePath(`previews/${key}`);
  const known = readPreview(folder);
  if (known) return { ...known, cached: true };

  return previews.ask(key, signal, async (signal) => {
    mkdirSync(library.absolutePath('previews'), { recursive: true });
    const part = partialBeside(folder);
    mkdirSync(part);
    try {
      const model = await models.get(concept.model);
      requireFit(source, model);
      const { frames, seconds } = await engine.generate(
        {
          model: model.directory,
          conceptFile: library.absolutePath(concept.file),
          source: { ...source.frames, file: library.absolutePath(source.frames.file) },
          size: null,
          settings,
          output: join(part, 'frames.rgb'),
        },
        { signal },
      );
      const result = { frames: { ...frames, file: `previews/${key}/frames.rgb` }, seconds };
      writeFileSync(join(part, previewFile), JSON.stringify(result));
      renameSync(part, folder);
      trim(library.absolutePath('previews'), previewCacheBytes, key);
      return { ...result, cached: false };
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  });
}

const previewFile = 'preview.json';

function previewKey(made: Parameters<typeof recipeKey>[0]): string {
  return createHash('sha256').update(recipeKey(made)).digest('hex').slice(0, 32);
}

/** The frames of a preview that was made in exactly this way, if it is kept: a result need not be computed again. */
export function keptPreview(
  library: Library,
  made: Parameters<typeof recipeKey>[0],
): { frames: RawFrames; seconds: number } | null {
  return readPreview(library.absolutePath(`previews/${previewKey(made)}`));
}

function readPreview(folder: string): z.infer<typeof preview> | null {
  const file = join(folder, previewFile);
  if (!existsSync(file)) return null;
  utimesSync(folder, new Date(), new Date()); // used just now
  return preview.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Deletes the least recently used previews beyond `limitBytes`; the one just made stays whatever its size. */
function trim(folder: string, limitBytes: number, keep: string): void {
  const entries = readdirSync(folder)
    .filter((name) => name !== keep && existsSync(join(folder, name, previewFile)))
    .map((name) => ({
      name,
      usedAt: statSync(join(folder, name)).mtimeMs,
      bytes: statSync(join(folder, name, 'frames.rgb')).size,
    }))
    .sort((a, b) => b.usedAt - a.usedAt);
  let total = statSync(join(folder, keep, 'frames.rgb')).size;
  for (const { name, bytes } of entries) {
    total += bytes;
    if (total > limitBytes) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
