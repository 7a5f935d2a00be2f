import { z } from 'zod';
import { AppError } from '../../../../shared/ipc/result.ts';
import { exists } from '../../../files/file-names.ts';
import * as tf from '../../backends/tf.ts';
import { openSafetensors } from '../../formats/safetensors.ts';
import { writeSafetensors } from '../../formats/safetensors-write.ts';
import type { AdamWState, Tensors } from '../adamw.ts';

const lossRow = z.object({
  step: z.int().positive(),
  learningRate: z.number(),
  loss: z.number(),
  l1: z.number(),
  perceptual: z.number(),
  divergence: z.number(),
  /** The adversarial term, its balance, and the discriminator's own loss, once they count. */
  adversarial: z.number().optional(),
  balance: z.number().optional(),
  discriminator: z.number().optional(),
});
export type TwinLossRow = z.infer<typeof lossRow>;

/**
 * Where a training of a twin stands. Every step draws its random numbers from a generator seeded by (seed, step), so that nothing else is needed to
 * go on to the bit.
 */
export interface TwinState {
  step: number;
  weights: Tensors;
  moments: AdamWState;
  judge: Tensors;
  judgeMoments: AdamWState;
  losses: TwinLossRow[];
}

const metadataKey = 'motif_twin_checkpoint';
const metadataSchema = z.object({ version: z.literal(1), step: z.int().nonnegative(), losses: z.array(lossRow) });

/** Beside, then renamed: at every moment the file holds a whole state or is not there. */
export async function writeTwinState(file: string, state: TwinState): Promise<void> {
  const tensors = groupsOf(state).flatMap(([group, named]) =>
    Object.entries(named).map(([name, tensor]) => ({
      name: `${group}/${name}`,
      shape: tensor.shape,
      values: async () => (await tensor.data()) as Float32Array,
    })),
  );
  const { step, losses } = state;
  await writeSafetensors(file, tensors, { [metadataKey]: JSON.stringify({ version: 1, step, losses }) });
}

/** Undefined when there is none yet. Throws `damaged-file` for any other content. */
export async function readTwinState(file: string): Promise<TwinState | undefined> {
  if (!(await exists(file))) return undefined;
  const source = await openSafetensors(file);
  try {
    const { step, losses } = readMetadata(file, source.metadata[metadataKey]);
    const read = async (group: string): Promise<Tensors> => {
      const tensors: Tensors = {};
      for (const name of source.names())
        if (name.startsWith(`${group}/`))
          tensors[name.slice(group.length + 1)] = tf.tensor(await source.readFloats(name), source.info(name).shape);
      return inOrder(tensors);
    };
    return {
      step,
      losses,
      weights: await read('weights'),
      moments: { first: await read('first'), second: await read('second') },
      judge: await read('judge'),
      judgeMoments: { first: await read('judge first'), second: await read('judge second') },
    };
  } finally {
    await source.close();
  }
}

function readMetadata(file: string, text: string | undefined): z.infer<typeof metadataSchema> {
  try {
    return metadataSchema.parse(JSON.parse(text ?? ''));
  } catch (cause) {
    throw new AppError('damaged-file', `${file} is no checkpoint of a twin's training.`, {
      hint: 'Delete the folder that it is in, and train again.',
      cause,
    });
  }
}

/** By name: the order decides the last bits of sums over all tensors, and must be the same after a resume. */
export function inOrder(tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function disposeTwinState(state: TwinState): void {
  for (const [, tensors] of groupsOf(state)) tf.dispose(tensors as unknown as tf.TensorContainer);
}

function groupsOf({ weights, moments, judge, judgeMoments }: TwinState): [string, Tensors][] {
  return [
    ['weights', weights],
    ['first', moments.first],
    ['second', moments.second],
    ['judge', judge],
    ['judge first', judgeMoments.first],
    ['judge second', judgeMoments.second],
  ];
}
