import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../../../shared/ipc/result.ts';
import { readJson } from '../../formats/diffusers.ts';
import { loadComponent } from '../components.ts';
import type { TwinAutoencoder } from '../twin-autoencoder.ts';
import { type GeneratorConfig, generatorConfigSchema, generatorSpecs } from './generator-config.ts';
import type { GeneratorParameters } from './generator-network.ts';

/** What makes the latents of one twin from words. The owner disposes of the parameters. */
export interface TwinGenerator {
  config: GeneratorConfig;
  parameters: GeneratorParameters;
}

/**
 * Opens a generator's folder, config.json and model.safetensors, for this twin. Throws `not-found` where none is, `damaged-file`, and `invalid-input`
 * for one that makes the latents of other weights.
 */
export async function openTwinGenerator(folder: string, twin: TwinAutoencoder): Promise<TwinGenerator> {
  const config = await readJson(join(folder, 'config.json'), generatorConfigSchema).catch((error) => {
    if (!(error instanceof AppError) || error.code !== 'not-found') throw error;
    throw new AppError('not-found', `${folder} holds nothing that makes clips from words: config.json is missing.`, {
      hint: 'Name the folder of a generator that was trained on this twin with --generator.',
      cause: error,
    });
  });
  const weights = await hashWeights(twin.folder);
  if (weights !== config.twin.weights)
    throw new AppError('invalid-input', `${folder} makes latents of other weights than those in ${twin.folder}.`, {
      hint: `Name the folder of the twin "${config.twin.name}" that it was trained on with --twin, or train a generator on this one.`,
    });
  return { config, parameters: await loadComponent<GeneratorParameters>(folder, generatorSpecs(config)) };
}

/** SHA-256 of the weights' file, as `weights_hash` of generator.py has it. */
async function hashWeights(folder: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const part of createReadStream(join(folder, 'model.safetensors'))) hash.update(part as Buffer);
  } catch (cause) {
    throw new AppError('not-found', `${folder} holds no model.safetensors that could be read.`, { cause });
  }
  return hash.digest('hex');
}
