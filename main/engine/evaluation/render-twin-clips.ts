import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import { toNumber } from '../../../shared/domain/time.ts';
import type { RenderTwinClipsRequest } from '../../../shared/domain/twin.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { exists } from '../../files/file-names.ts';
import { sampleScene } from '../../world/scene.ts';
import { belongsTo } from '../../world/split.ts';
import { writeRawFrames } from '../formats/raw-frames.ts';
import { phaseReporter } from './progress.ts';
import { renderPictures } from './scenes.ts';

/**
 * Scenes of the world as raw frames, the sizes in turn: the first so many seeds of a split that belong into it. What an earlier call rendered in the same
 * folder is taken over.
 */
export async function renderTwinClips(
  { count, split, frames, sizes, rate, outputFolder }: RenderTwinClipsRequest,
  { signal, onEvent }: EngineCallOptions = {},
): Promise<RawFrames[]> {
  await mkdir(outputFolder, { recursive: true });
  const report = phaseReporter(onEvent, 'rendering', 'scenes', count);
  const clips: RawFrames[] = [];
  let takenOver = 0;
  for (let seed = 0; clips.length < count; seed++) {
    const scene = sampleScene(seed, { edition: 2 });
    if (!belongsTo(scene, split)) continue;
    signal?.throwIfAborted();
    const [width, height] = sizes[clips.length % sizes.length]!;
    const file = join(outputFolder, `${split}-${seed}-${width}x${height}-${frames}.rgb`);
    if (await exists(file)) {
      takenOver++;
      clips.push({ file, frameCount: frames, width, height, rate });
    } else {
      const options = { width, height, frameCount: frames, frameRate: toNumber(rate) };
      clips.push(await writeRawFrames(file, await renderPictures(scene, options), rate));
    }
    report(clips.length, clips.length - takenOver);
  }
  return clips;
}
