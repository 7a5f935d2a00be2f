import { z } from 'zod';

/**
 * How the matrices of a model's blocks lie in memory. float32: as they compute. float16: half of that, exact where the file keeps them in
 * float16, or in bfloat16 from 6e-5 up. int8: a quarter, with a factor for each output channel. streamed: nowhere, each is read from the file
 * whenever its block computes. The arithmetic is the same in all of them.
 */
export const weightForm = z.enum(['float32', 'float16', 'int8', 'streamed']);
export type WeightForm = z.infer<typeof weightForm>;

/** What the memory for a model's weights depends on. */
export interface WeightSize {
  /** Numbers of the blocks' matrices, and of everything else that is held. */
  blockParameters: number;
  otherParameters: number;
  layers: number;
  /** The forms that can be had, the preferred one first. */
  forms: readonly WeightForm[];
}

const bytesPerNumber = { float32: 4, float16: 2, int8: 1 };

/** The weights in memory, in bytes: of those that are streamed one block, with the room for it to be read. */
export function weightBytes({ blockParameters, otherParameters, layers }: WeightSize, form: WeightForm): number {
  const blocks = form === 'streamed' ? (4 * 1.5 * blockParameters) / layers : bytesPerNumber[form] * blockParameters;
  return 4 * otherParameters + blocks;
}

/** What is done otherwise for want of memory, for whoever waits; undefined where nothing is. */
export function remarkOnForm(form: WeightForm): string | undefined {
  switch (form) {
    case 'float32':
      return undefined;
    case 'float16':
      return "The model's weights are held in float16, half of their size, because they do not fit into memory otherwise.";
    case 'int8':
      return "The model's weights are held in int8, a quarter of their size, because they do not fit into memory otherwise. Results differ slightly.";
    case 'streamed':
      return "The model's weights are read from disk again in each step, block by block, because they do not fit into memory. That takes longer.";
  }
}
