import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportSettings } from '../../shared/domain/export.ts';
import { strengthsOfView } from '../../shared/domain/twin.ts';
import type { TwinCallInputs, twinCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import { placeWhole } from '../files/place.ts';
import { type KeptPreview, previewFile, readPreview } from '../jobs/kept-preview.ts';
import { readSettings } from '../library/settings.ts';
import { exportFrames } from '../media/export.ts';
import type { ServiceParts } from './parts.ts';

export function twinHandlers(parts: ServiceParts): Handlers<typeof twinCalls> {
  const { engine, library, precedence, tools } = parts;
  return {
    'twins.describe': async () => ({
      twin: hasTwin(parts) ? await engine.describeTwin({ twin: twinOf(parts) }) : null,
    }),
    'twins.reenact': (request, { signal }) => precedence.during(() => reenact(parts, request, signal)),
    'twins.export': async ({ name, preset, ...request }, { signal }) => {
      const { frames } = await precedence.during(() => reenact(parts, request, signal));
      const written = await exportFrames(await tools(), {
        frames: { ...frames, file: library.absolutePath(frames.file) },
        settings: exportSettings.parse({ preset }),
        target: join(readSettings(library).exportFolder ?? join(library.folder, 'exports'), fileName(name)),
        signal,
      });
      return { file: written.file, sizeBytes: written.sizeBytes };
    },
  };
}

/** The network that takes clips apart: the one that comes with the program, or the folder that MOTIF_TWIN names. */
export const defaultTwin = (resources: string) => process.env.MOTIF_TWIN || join(resources, 'models', 'motif-twin');
const twinOf = ({ resources }: ServiceParts) => defaultTwin(resources);
const hasTwin = (parts: ServiceParts) => existsSync(join(twinOf(parts), 'config.json'));

const fileName = (name: string) => name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-');

/**
 * The structure of one clip with the dynamics of another, kept among the previews under a key of everything that decides its bytes. Throws `not-found` where
 * there is no network, and what the engine throws.
 */
async function reenact(
  parts: ServiceParts,
  { structureClipId, dynamicsClipId, strengths, view }: TwinCallInputs['twins.reenact'],
  signal?: AbortSignal,
): Promise<KeptPreview & { cached: boolean }> {
  const { library, clips, engine } = parts;
  library.requireWriting();
  const [structure, dynamics] = [clips.get(structureClipId), clips.get(dynamicsClipId)].map(({ frames }) => ({
    ...frames,
    file: library.absolutePath(frames.file),
  }));
  const twin = twinOf(parts);
  const shown = strengthsOfView(view, strengths);
  const { fingerprint } = await engine.describeTwin({ twin });
  const content = { fingerprint, structure, dynamics, shown };
  const key = createHash('sha256')
    .update(JSON.stringify(['reenact', content]))
    .digest('hex')
    .slice(0, 32);
  const folder = library.absolutePath(`previews/${key}`);
  const known = readPreview(folder);
  if (known) return { ...known, cached: true };
  const startedAt = performance.now();
  const made = await placeWhole(folder, async (part) => {
    mkdirSync(part);
    const request = { twin, structure: structure!, dynamics: dynamics!, strengths: shown };
    const frames = await engine.reenact({ ...request, output: join(part, 'frames.rgb') }, { signal });
    const kept: KeptPreview = {
      frames: { ...frames, file: `previews/${key}/frames.rgb` },
      base: null,
      seconds: (performance.now() - startedAt) / 1000,
    };
    writeFileSync(join(part, previewFile), JSON.stringify(kept));
    return kept;
  });
  return { ...made, cached: false };
}
