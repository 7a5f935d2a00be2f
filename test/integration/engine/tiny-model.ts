import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LearnRequest } from '../../../shared/domain/engine.ts';
import { type RecipeInput, recipe } from '../../../shared/domain/recipe.ts';

/** A complete Wan model of random weights, small enough to learn on in a test. */
export const tinyModel = fileURLToPath(new URL('../../golden/model', import.meta.url));

/** A clip of a bright square that moves, as raw frames in a fresh folder. */
export async function writeClip(folder: string, name = 'clip', shift = 0) {
  const [frameCount, height, width] = [5, 32, 32];
  const data = new Uint8Array(frameCount * height * width * 3).fill(40);
  for (let frame = 0; frame < frameCount; frame++)
    for (let y = 8; y < 20; y++)
      for (let x = 0; x < 12; x++) {
        const pixel = (frame * height + y) * width + x + 3 * frame + shift;
        data.set([230, 120, 20 + 40 * frame], 3 * pixel);
      }
  const file = join(folder, `${name}.rgb`);
  await writeFile(file, data);
  return { file, frameCount, width, height, rate: { numerator: 8, denominator: 1 } };
}

export const temporaryFolder = () => mkdtemp(join(tmpdir(), 'motif-engine-'));

/** A few quick steps of both stages with every regulariser on. */
export async function learnRequest(folder: string, changes: RecipeInput = {}): Promise<LearnRequest> {
  return {
    model: tinyModel,
    clips: [
      {
        frames: await writeClip(folder),
        caption: { static: 'a [v] dog on the beach', dynamic: 'runs in [u] motion' },
      },
    ],
    recipe: recipe.parse({
      rank: 2,
      stepsIdentity: 6,
      stepsMotion: 6,
      batchSize: 2,
      batchSizeMotion: 2,
      priorClips: 2,
      priorShare: 0.5,
      checkpointEvery: 2,
      learningRate: 0.02,
      ...changes,
    }),
    workDirectory: join(folder, 'work'),
    conceptFile: join(folder, 'concept.safetensors'),
  };
}
