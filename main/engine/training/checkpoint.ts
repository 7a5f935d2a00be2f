import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { lossPoint } from '../../../shared/domain/engine.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import * as tf from '../backends/tf.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { parseMetadata } from '../formats/safetensors-header.ts';
import { writeSafetensors } from '../formats/safetensors-write.ts';
import type { AdamWState, Tensors } from './adamw.ts';

/**
 * Where a run of learning stands. Steps draw their random numbers from generators seeded by (seed, stage, step), so besides the
 * weights and the optimiser's moments nothing else is needed to go on exactly: killed at any moment and resumed from its last
 * checkpoint, a run ends in the same weights to the bit.
 */
export type TrainingState = {
  /** Index of the stage at work, and how many of its steps are done. */
  stage: number;
  step: number;
  weights: Tensors;
  moments: AdamWState;
  losses: z.infer<typeof lossPoint>[];
};

const metadataKey = 'motif_checkpoint';

/** What weights were called in version 1, which knew one part only. */
const firstNames: Readonly<Record<string, string>> = {
  basis: 'concept.basis',
  coefficients: 'concept.coefficients',
  residual: 'concept.residual',
  tokens: 'words.rows',
};
const metadataSchema = z.object({
  version: z.literal([1, 2]),
  stage: z.int().nonnegative(),
  step: z.int().nonnegative(),
  losses: z.array(lossPoint),
});

/** Writes the state beside and renames, so that at every moment the file holds a whole state or is not there. */
export async function writeTrainingState(file: string, state: TrainingState): Promise<void> {
  const groups: [string, Tensors][] = [
    ['weights', state.weights],
    ['first', state.moments.first],
    ['second', state.moments.second],
  ];
  const tensors = groups.flatMap(([group, named]) =>
    Object.entries(named).map(([name, tensor]) => ({
      name: `${group}.${name}`,
      shape: tensor.shape,
      values: async () => (await tensor.data()) as Float32Array,
    })),
  );
  const { stage, step, losses } = state;
  await writeSafetensors(file, tensors, { [metadataKey]: JSON.stringify({ version: 2, stage, step, losses }) });
}

/** The state in a file, or undefined when there is none yet. Throws `damaged-file` for any other content. */
export async function readTrainingState(file: string): Promise<TrainingState | undefined> {
  const exists = await stat(file).then(
    () => true,
    () => false,
  );
  if (!exists) return undefined;
  const source = await openSafetensors(file);
  try {
    const parsed = metadataSchema.safeParse(parseMetadata(source.metadata[metadataKey]));
    if (!parsed.success)
      throw new AppError('damaged-file', `${file} is not a checkpoint of this version`, {
        hint: 'Delete the folder that it is in and learn again.',
      });
    const { version, stage, step, losses } = parsed.data;
    const read = async (group: string): Promise<Tensors> => {
      const tensors: Tensors = {};
      for (const name of source.names()) {
        if (!name.startsWith(`${group}.`)) continue;
        const given = name.slice(group.length + 1);
        const weight = version === 1 ? (firstNames[given] ?? given) : given;
        tensors[weight] = tf.tensor(await source.readFloats(name), source.info(name).shape);
      }
      return tensors;
    };
    return {
      stage,
      step,
      losses,
      weights: await read('weights'),
      moments: { first: await read('first'), second: await read('second') },
    };
  } finally {
    await source.close();
  }
}
