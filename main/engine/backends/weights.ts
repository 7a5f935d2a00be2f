import type { WeightForm } from '../../../shared/domain/weight-form.ts';
import { encodeFloat16 } from '../formats/half.ts';
import { lazyBackend } from './lazy/use.ts';
import * as tf from './tf.ts';
import { mayPass } from './trust.ts';

/** The forms in which frozen weights can be held by what computes now. */
export function weightForms(): WeightForm[] {
  const backend = tf.getBackend() ? lazyBackend() : undefined; // models are described where nothing computes, too
  if (!backend) return ['float32'];
  const { float16Weights, int8Weights } = backend.executor.capabilities;
  return [
    'float32',
    ...(float16Weights ? ['float16' as const] : []),
    ...(int8Weights ? ['int8' as const] : []),
    'streamed',
  ];
}

/**
 * Whether weights held in float16 compute here as what they stand for, whatever the executor says of itself. An adapter without float16 fails,
 * and one whose driver has it wrong may answer zeros. Throws where that is no word about the device (`mayPass`).
 */
export async function computesFloat16Weights(): Promise<boolean> {
  const [rows, columns] = [64, 48];
  // Exact in float16, and so are their sums in float32.
  const values = Float32Array.from({ length: rows * columns }, (_, index) => (((index * 37) % 129) - 64) / 128);
  const expected = Float32Array.from({ length: columns }, (_, column) =>
    Array.from({ length: rows }, (_, row) => values[row * columns + column]!).reduce((sum, value) => sum + value, 0),
  );
  const weight = compactWeight(values, [rows, columns], 'float16') as tf.Tensor2D;
  const product = tf.tidy(() => tf.matMul(tf.ones([1, rows]), weight));
  try {
    const found = await product.data();
    return expected.every((value, index) => Math.abs(found[index]! - value) < 1e-3);
  } catch (error) {
    if (mayPass(error)) throw error;
    return false;
  } finally {
    tf.dispose([weight, product]);
  }
}

/** The largest float16. */
const float16Limit = 65_504;

/**
 * A float32 tensor [in, out] that is held in fewer bits: as float16 (values beyond its range stay float32), or as int8 with one factor for each
 * of the output channels. The caller owns it; no gradient flows to it.
 */
export function compactWeight(values: Float32Array, shape: readonly number[], form: 'float16' | 'int8'): tf.Tensor {
  const backend = lazyBackend();
  if (!backend) throw new Error('only the lazy backend holds weights in fewer bits');
  if (form === 'float16') {
    if (values.some((value) => Math.abs(value) > float16Limit)) return tf.tensor(values, [...shape], 'float32');
    return tensorOf(backend.compactWeight(encodeFloat16(values), shape));
  }
  const { quantised, scale } = quantise(values, shape.at(-1)!);
  return tensorOf(backend.compactWeight(quantised, shape, scale));
}

/**
 * Symmetric int8 for each column: q = round(w / scale) with scale the column's largest magnitude / 127, so that no weight errs by more
 * than half of that. values [rows, columns] -> quantised [rows, columns], scale [columns]
 */
export function quantise(values: Float32Array, columns: number): { quantised: Int8Array; scale: Float32Array } {
  const scale = new Float32Array(columns);
  for (let start = 0; start < values.length; start += columns)
    for (let column = 0; column < columns; column++) {
      const magnitude = Math.abs(values[start + column]!);
      if (magnitude > scale[column]!) scale[column] = magnitude;
    }
  const inverse = new Float32Array(columns);
  for (let column = 0; column < columns; column++) {
    scale[column]! /= 127;
    inverse[column] = scale[column]! > 0 ? 1 / scale[column]! : 0;
  }
  const quantised = new Int8Array(values.length);
  for (let start = 0; start < values.length; start += columns)
    for (let column = 0; column < columns; column++)
      quantised[start + column] = Math.round(values[start + column]! * inverse[column]!);
  return { quantised, scale };
}

/** Arrays of weights that are used again for the next block's, so that memory does not wait for the garbage collector. */
export class WeightArrays {
  private readonly free = new Map<number, Float32Array<ArrayBuffer>[]>();
  private readonly taken = new Set<Float32Array<ArrayBuffer>>();

  take(length: number): Float32Array<ArrayBuffer> {
    const values = this.free.get(length)?.pop() ?? new Float32Array(length);
    this.taken.add(values);
    return values;
  }

  give(values: Float32Array<ArrayBuffer>): void {
    this.taken.delete(values);
    const waiting = this.free.get(values.length);
    if (waiting) waiting.push(values);
    else this.free.set(values.length, [values]);
  }

  /** Gives back all that was taken. */
  giveAll(): void {
    for (const values of this.taken) this.give(values);
  }
}

/**
 * A float32 tensor whose values `read` gives whenever a program needs them, in an array from `arrays`; that lets go of them after it. The caller
 * owns the tensor; no gradient flows to it.
 */
export function streamedWeight(
  shape: readonly number[],
  read: (target: Float32Array<ArrayBuffer>) => Promise<void>,
  arrays: WeightArrays,
): tf.Tensor {
  const backend = lazyBackend();
  if (!backend) throw new Error('only the lazy backend streams weights');
  const length = shape.reduce((product, size) => product * size, 1);
  const streamed = {
    async read() {
      const values = arrays.take(length);
      await read(values);
      return values;
    },
    done: (values: Float32Array) => arrays.give(values as Float32Array<ArrayBuffer>),
  };
  return tensorOf(backend.streamedWeight(streamed, shape));
}

function tensorOf({ dataId, shape }: tf.TensorInfo): tf.Tensor {
  return tf.engine().makeTensorFromDataId(dataId, shape, 'float32', tf.backend());
}
