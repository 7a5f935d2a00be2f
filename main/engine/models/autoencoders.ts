import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import { readJson } from '../formats/diffusers.ts';
import type { VideoAutoencoder } from './video-autoencoder.ts';
import { openWanAutoencoder } from './wan/autoencoder.ts';

/** Autoencoders by the `_class_name` of their `config.json`. */
const autoencoders = new Map<string, (folder: string) => Promise<VideoAutoencoder>>([
  ['AutoencoderKLWan', openWanAutoencoder],
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
