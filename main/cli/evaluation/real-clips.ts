import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { EvaluationSize } from '../../../shared/domain/evaluation.ts';
import type { ModelInfo } from '../../../shared/domain/model.ts';
import { AppError, toErrorShape } from '../../../shared/ipc/result.ts';
import { importClip } from '../../media/import.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext } from '../context.ts';

const videoEndings = new Set(['.mp4', '.m4v', '.mov', '.mkv', '.webm', '.avi', '.ts', '.mpg', '.gif']);

/**
 * The beginning of every video in a folder (not of those below it), at the model's size, rate and length, as
 * raw frames in `outFolder`. One that cannot be read is left out with a warning. Throws `not-found` when
 * none is left.
 */
export async function importFolder(
  context: CommandContext,
  services: Services,
  model: ModelInfo,
  size: EvaluationSize | null,
  folder: string,
  outFolder: string,
): Promise<{ name: string; frames: RawFrames }[]> {
  const names = (await readFolder(folder)).filter((name) => videoEndings.has(extname(name).toLowerCase())).sort();
  const tools = await services.tools();
  const clips: { name: string; frames: RawFrames }[] = [];
  for (const [done, name] of names.entries()) {
    const counted = { phase: 'importing', done, total: names.length, unit: 'clips', perSecond: null, etaSeconds: null };
    context.output.progress('Evaluating', counted);
    try {
      const { frames } = await importClip(tools, {
        file: join(folder, name),
        sizes: size ? [[size.width, size.height]] : model.sizes,
        rate: model.rate,
        temporalStride: model.temporalStride,
        maximumFrames: size?.frameCount ?? model.frameCount,
        outFolder: join(outFolder, name),
        signal: context.signal,
      });
      clips.push({ name, frames });
    } catch (thrown) {
      const { code, message } = toErrorShape(thrown);
      if (code === 'cancelled' || !(thrown instanceof AppError)) throw thrown;
      context.output.warning(`${name} is left out: ${message}`);
    }
  }
  if (clips.length > 0) return clips;
  throw new AppError('not-found', `${folder} holds no video that can be read.`, {
    hint: 'Name a folder with video files directly in it.',
  });
}

async function readFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new AppError('not-found', `The folder ${folder} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
