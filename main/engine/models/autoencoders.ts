import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import { readJson } from '../formats/diffusers.ts';
import { openMagvitAutoencoder } from './magvit/magvit-autoencoder.ts';
import type { TwinAutoencoder } from './twin-autoencoder.ts';
import type { VideoAutoencoder } from './video-autoencoder.ts';
import { openVidTwin } from './vidtwin/twin-autoencoder.ts';
import { openWanAutoencoder } from './wan/autoencoder.ts';

/** Autoencoders by the `_class_name` of their `config.json`. */
const autoencoders = new Map<string, (folder: string) => Promise<VideoAutoencoder>>([
  ['AutoencoderKLWan', openWanAutoencoder],
  ['CausalMagvitAutoencoder', openMagvitAutoencoder],
]);

const configSchema = z.looseObject({ _class_name: z.string().default('AutoencoderKLWan') });

/**
 * Opens an autoencoder's folder. Throws `not-found`, `damaged-file`, or `invalid-input` for a class that is
 * not known.
 */
export async function openVideoAutoencoder(folder: string): Promise<VideoAutoencoder> {
  const { _class_name: name } = await readJson(join(folder, 'config.json'), configSchema);
  const open = autoencoders.get(name);
  if (open) return open(folder);
  throw new AppError('invalid-input', `${folder} holds a ${name}, which is not supported`, {
    hint: `Choose one of these autoencoders: ${[...autoencoders.keys()].join(', ')}.`,
  });
}

/** Autoencoders with two latents by the `method` of their `config.json`. */
const twins = new Map<string, (folder: string) => Promise<TwinAutoencoder>>([['VidTwin', openVidTwin]]);

const twinSchema = z.looseObject({ method: z.string().default('') });

/**
 * Opens the folder of an autoencoder with two latents. Throws `not-found` where none is, `damaged-file`, or `invalid-input` for another
 * kind.
 */
export async function openTwinAutoencoder(folder: string): Promise<TwinAutoencoder> {
  const { method } = await readJson(join(folder, 'config.json'), twinSchema).catch((error) => {
    if (!(error instanceof AppError) || error.code !== 'not-found') throw error;
    throw new AppError('not-found', `${folder} holds no twin autoencoder: config.json is missing.`, {
      hint: 'Name the folder of one with --twin, or train one: motif twin train FOLDER -o NEW.',
      cause: error,
    });
  });
  const open = twins.get(method);
  if (open) return open(folder);
  throw new AppError('invalid-input', `${folder} holds no twin autoencoder: its config.json names no known method.`, {
    hint: `These are known: ${[...twins.keys()].join(', ')}.`,
  });
}
