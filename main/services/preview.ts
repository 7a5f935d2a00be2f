import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RawFrames } from '../../shared/domain/clip.ts';
import { type EditSettingsInput, editSettings } from '../../shared/domain/edit.ts';
import type { Engine } from '../../shared/ipc/engine-contract.ts';
import { parseInput } from '../../shared/ipc/result.ts';
import { placeWhole } from '../files/place.ts';
import { engineEdit, resolveEdit } from '../jobs/edit-request.ts';
import { type KeptPreview, previewFile, previewKey, readPreview } from '../jobs/kept-preview.ts';
import type { ClipStore } from '../library/clips.ts';
import type { ConceptStore } from '../library/concepts.ts';
import type { ModelRegistry } from '../library/models.ts';
import type { Library } from '../library/open.ts';
import { readSettings } from '../library/settings.ts';
import type { MediaTools } from '../media/locate.ts';
import { folderBytes } from './disk.ts';
import type { SharedWork } from './shared-work.ts';

export interface PreviewRequest {
  /** Null: by words alone, on the clip. */
  conceptId: string | null;
  /** The newest where none is named. */
  conceptVersion?: number | undefined;
  settings: EditSettingsInput;
  sourceClipId?: string;
  /** All the steps that are asked for, instead of the few of a slider's preview. */
  full?: boolean;
}

export type Preview = KeptPreview & { cached: boolean };

/**
 * A rendering with few steps, for a slider that moves, or a look's tile. Kept in the library's `previews`
 * folder under a key of everything that decides its bytes; the least recently used go when the folder
 * outgrows its setting. Its files are paths of the library.
 */
export async function renderPreview(
  services: {
    library: Library;
    clips: ClipStore;
    concepts: ConceptStore;
    models: ModelRegistry;
    engine: Pick<Engine, 'generate'>;
    tools(): Promise<MediaTools>;
    /** Two windows on the same edit ask for the same pictures. */
    previews: SharedWork<Preview>;
  },
  request: PreviewRequest,
  signal?: AbortSignal,
): Promise<Preview> {
  const { library, engine, previews } = services;
  library.requireWriting();
  const { previewSteps, previewCacheBytes } = readSettings(library);
  const asked = parseInput(editSettings, request.settings);
  const made = resolveEdit(services, {
    conceptId: request.conceptId,
    conceptVersion: request.conceptVersion ?? null,
    sourceClipId: request.sourceClipId ?? null,
    model: null,
    // What is on the stage while sliders move is what the model sees of the clip.
    settings: { ...asked, whole: false, steps: request.full ? asked.steps : Math.min(asked.steps, previewSteps) },
  });
  const key = previewKey(made);
  const folder = library.absolutePath(`previews/${key}`);
  const known = readPreview(folder);
  if (known) return { ...known, cached: true };

  return previews.ask(key, signal, async (signal) => {
    const result = await placeWhole(folder, async (part) => {
      mkdirSync(part);
      const { frames, base, seconds } = await engine.generate(
        {
          ...(await engineEdit(services, made, signal)),
          output: join(part, 'frames.rgb'),
          baseOutput: join(part, 'base.rgb'),
        },
        { signal },
      );
      const placed = (raw: RawFrames, name: string) => ({ ...raw, file: `previews/${key}/${name}` });
      const kept = { frames: placed(frames, 'frames.rgb'), base: base && placed(base, 'base.rgb'), seconds };
      writeFileSync(join(part, previewFile), JSON.stringify(kept));
      return kept;
    });
    trim(library.absolutePath('previews'), previewCacheBytes, key);
    return { ...result, cached: false };
  });
}

/**
 * Deletes the least recently used previews beyond `limitBytes`; the one just made stays whatever its size.
 */
function trim(folder: string, limitBytes: number, keep: string): void {
  const entries = readdirSync(folder)
    .filter((name) => name !== keep && existsSync(join(folder, name, previewFile)))
    .map((name) => ({
      name,
      usedAt: statSync(join(folder, name)).mtimeMs,
      bytes: folderBytes(join(folder, name)),
    }))
    .sort((a, b) => b.usedAt - a.usedAt);
  let total = folderBytes(join(folder, keep));
  for (const { name, bytes } of entries) {
    total += bytes;
    if (total > limitBytes) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
