import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as tf from '../../main/engine/backends/tf.ts';
import { openVideoModel } from '../../main/engine/models/registry.ts';
import { schedulerConfigOf } from '../../main/engine/models/scheduler-config.ts';
import { createRandom } from '../../main/world/random.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { processorSecondsSince } from '../fixtures/processor-time.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateTensors } from './mutate-tensors.ts';

const goldenModel = resolve(import.meta.dirname, '../golden/model');

const configurations = [
  'model_index.json',
  'motif.json',
  'transformer/config.json',
  'vae/config.json',
  'text_encoder/config.json',
  'scheduler/scheduler_config.json',
  'tokenizer/tokenizer.json',
  'tokenizer/tokenizer_config.json',
];
const weights = [
  'transformer/diffusion_pytorch_model.safetensors',
  'vae/diffusion_pytorch_model.safetensors',
  'text_encoder/model.safetensors',
];

export interface CheckpointFigures {
  tried: number;
  accepted: number;
  refused: number;
  /** Errors that say nothing to a user, each with the mutation that led there. */
  internal: string[];
  /** Processor time. */
  slowestSeconds: number;
}

/** Opens so many copies of the golden model, each with one file broken, reads all of it, and counts what became of them. */
export async function tryBrokenCheckpoints(count: number, seed: number): Promise<CheckpointFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'motif-broken-model-'));
  const directory = join(folder, 'model');
  await cp(goldenModel, directory, { recursive: true });
  const extras = { frameRate: 8, frames: 5, sizes: [{ width: 32, height: 32 }], maxTextTokens: 12 };
  await writeFile(join(directory, 'motif.json'), JSON.stringify(extras));
  const figures: CheckpointFigures = { tried: 0, accepted: 0, refused: 0, internal: [], slowestSeconds: 0 };
  const random = createRandom(seed, 'broken checkpoints');
  try {
    for (; figures.tried < count; figures.tried++) {
      const name = random.chance(0.7) ? random.pick(configurations) : random.pick(weights);
      const file = join(directory, name);
      const sound = await readFile(file);
      const { what, bytes } = name.endsWith('.json') ? mutateJson(sound, random) : mutateTensors(sound, random);
      await writeFile(file, bytes);
      const started = process.cpuUsage();
      try {
        await useAll(directory);
        figures.accepted++;
      } catch (thrown) {
        if (thrown instanceof AppError && thrown.code !== 'internal') figures.refused++;
        else
          figures.internal.push(
            `${figures.tried}: ${name}, ${what}: ${thrown instanceof Error ? thrown.stack : thrown}`,
          );
      }
      figures.slowestSeconds = Math.max(figures.slowestSeconds, processorSecondsSince(started));
      await writeFile(file, sound);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return figures;
}

/** What adding a model and the first edit with it read. */
async function useAll(directory: string): Promise<void> {
  const pipeline = await openVideoModel(directory);
  try {
    await pipeline.describe();
    await pipeline.fingerprint();
    schedulerConfigOf(pipeline);
    await pipeline.denoiser();
    await pipeline.weightsToWrite('F32');
    tf.dispose(await pipeline.encodeText(['a [v] dog on the beach, ünlikely']));
  } finally {
    await pipeline.dispose();
  }
}
