import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import { openCheckpointFile } from './checkpoint-file.ts';
import type { TensorSource } from './tensor-file.ts';

/** A tensor by its name in a file of other names. */
const linkedTensor = z.object({
  name: z.string(),
  /** The tensor whose numbers its values are multiplied with: one for all, or one for each row (float8 "scaled"). */
  scale: z.string().optional(),
});

/**
 * `weights.json` in a component's folder, in place of its weights: they lie in a file elsewhere, under names of its own. What names they
 * have is found when the file is added; here they are only looked up.
 */
export const linkedWeightsSchema = z.object({
  version: z.literal(1),
  /** Absolute path. */
  file: z.string().min(1),
  /** Its size then; a file of another size is another file. */
  bytes: z.int().nonnegative(),
  /** By the names of diffusers and transformers. */
  tensors: z.record(z.string(), linkedTensor),
});

export type LinkedWeights = z.infer<typeof linkedWeightsSchema>;

/**
 * Opens the file of a link under the link's names. Throws `not-found` when it is gone, `conflict` when it is another one by now, and what
 * `openCheckpointFile` throws.
 */
export async function openLinkedWeights({ file, bytes, tensors }: LinkedWeights): Promise<TensorSource> {
  const found = await stat(file).catch((cause: unknown) => {
    throw new AppError('not-found', `${file} cannot be opened: ${(cause as Error).message}`, {
      hint: 'Put the file back, or remove the model and add the file from where it is now.',
      cause,
    });
  });
  if (found.size !== bytes)
    throw new AppError(
      'conflict',
      `${file} was replaced: it had ${bytes} bytes when it was added and has ${found.size}.`,
      {
        hint: 'Remove the model and add the file again.',
      },
    );
  const { source } = await openCheckpointFile(file);
  return renamed(source, new Map(Object.entries(tensors)));
}

/** The tensors of a source under other names, multiplied with their scales. Closing it closes the source. */
function renamed(source: TensorSource, tensors: ReadonlyMap<string, z.infer<typeof linkedTensor>>): TensorSource {
  const linked = (name: string) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new AppError('damaged-file', `${source.path}: tensor "${name}" is missing`);
    return tensor;
  };
  return {
    path: source.path,
    metadata: source.metadata,
    names: () => [...tensors.keys()],
    has: (name) => tensors.has(name),
    info: (name) => source.info(linked(name).name),
    async readFloats(name, first = 0, count, target) {
      const { name: stored, scale } = linked(name);
      const values = await source.readFloats(stored, first, count, target);
      if (scale !== undefined) multiply(values, await scalesOf(source, stored, scale), first);
      return values;
    },
    readIntegers: (name) => source.readIntegers(linked(name).name),
    close: () => source.close(),
  };
}

/** The numbers of a scale, and of how many values one is. Throws `damaged-file` for one that does not fit its tensor. */
async function scalesOf(source: TensorSource, name: string, scale: string) {
  const { shape } = source.info(name);
  const scales = await source.readFloats(scale);
  const total = shape.reduce((product, length) => product * length, 1);
  if (scales.length === 1) return { scales, each: total };
  if (scales.length === shape[0]) return { scales, each: total / scales.length };
  throw new AppError(
    'damaged-file',
    `${source.path}: "${scale}" has ${scales.length} numbers, which fit neither all values nor the rows of "${name}" [${shape}]`,
  );
}

function multiply(values: Float32Array, { scales, each }: { scales: Float32Array; each: number }, first: number): void {
  for (let i = 0; i < values.length; i++) values[i]! *= scales[Math.floor((first + i) / each)]!;
}
