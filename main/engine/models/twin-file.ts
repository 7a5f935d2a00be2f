import { z } from 'zod';
import { type Rational, rational } from '../../../shared/domain/time.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import * as tf from '../backends/tf.ts';
import { requireFinite } from '../formats/finite.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { parseMetadata } from '../formats/safetensors-header.ts';
import { writeSafetensors } from '../formats/safetensors-write.ts';
import type { TwinLatents } from './twin-autoencoder.ts';

/**
 * A `.twin` file: a clip as its two latents. It is a safetensors file of float16 `structure` [chunks, ...] and `dynamics` [chunks, ...], whose
 * metadata `motif_twin` is JSON: which network they belong to, and the clip's length, size and rate.
 */
export interface TwinFile {
  latents: TwinLatents;
  /** Of the network that can decode it. */
  network: { name: string; fingerprint: string };
  rate: Rational;
}

const metadataKey = 'motif_twin';
const side = z.int().positive().max(16_384);
const metadataSchema = z.object({
  version: z.literal(1),
  network: z.object({ name: z.string().max(100), fingerprint: z.string().max(128) }),
  frameCount: z.int().positive().max(1_000_000),
  width: side,
  height: side,
  rate: rational,
});

/** Writes the file beside its place and renames. */
export async function writeTwinFile(file: string, { latents, network, rate }: TwinFile): Promise<void> {
  const { structure, dynamics, frameCount, width, height } = latents;
  const tensor = (name: string, values: tf.Tensor) => ({
    name,
    shape: values.shape,
    type: 'F16' as const,
    values: async () => (await values.data()) as Float32Array,
  });
  await writeSafetensors(file, [tensor('structure', structure), ...(dynamics ? [tensor('dynamics', dynamics)] : [])], {
    [metadataKey]: JSON.stringify({ version: 1, network, frameCount, width, height, rate }),
  });
}

/** Reads one; the caller disposes of the latents. Throws `not-found`, `damaged-file`, and `invalid-input` for another kind of file. */
export async function readTwinFile(file: string): Promise<TwinFile> {
  const source = await openSafetensors(file);
  try {
    const parsed = metadataSchema.safeParse(parseMetadata(source.metadata[metadataKey]));
    if (!parsed.success || !source.names().includes('structure'))
      throw new AppError('invalid-input', `${file} holds no structure and dynamics of a clip.`, {
        hint: 'Such a file is written by: motif twin encode CLIP -o FILE.twin',
      });
    const { network, rate, ...clip } = parsed.data;
    const read = async (name: string) => {
      const values = await source.readFloats(name);
      requireFinite(file, name, values);
      return tf.tensor(values, source.info(name).shape);
    };
    const structure = await read('structure');
    if (!source.names().includes('dynamics')) return { latents: { structure, ...clip }, network, rate };
    try {
      return { latents: { structure, dynamics: await read('dynamics'), ...clip }, network, rate };
    } catch (error) {
      structure.dispose();
      throw error;
    }
  } finally {
    await source.close();
  }
}
