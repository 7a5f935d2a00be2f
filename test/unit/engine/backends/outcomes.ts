import * as tf from '../../../../main/engine/backends/tf.ts';

/** An operation to be tried; this file needs no test runner, so that a process of its own can use it. */
export interface Case {
  name: string;
  /** Shapes of the inputs. */
  shapes: number[][];
  run: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** Range of the random inputs, [-2, 2] unless given. */
  range?: [number, number];
  /**
   * Whether gradients are compared too (default yes). 'adjoint': TensorFlow.js' own is wrong; the function is
   * linear, so that the gradient g of <f(x), w> must fulfil <g, x> = <f(x), w>.
   */
  gradient?: boolean | 'adjoint';
  tolerance?: number;
  /** Devices that define it otherwise. */
  except?: string[];
}

/** Numbers that are the same for everyone: a small linear congruential generator. */
export function randomValues(count: number, seed: number, [low, high]: [number, number] = [-2, 2]): Float32Array {
  let state = seed * 7919 + 17;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
}

export interface Outcome {
  outputs: { values: Float32Array; shape: number[]; dtype: string }[];
  gradients: Float32Array[];
}

/** What a case gives on the backend that computes now. */
export async function evaluate({ shapes, run, range, gradient = true }: Case): Promise<Outcome> {
  const inputs = shapes.map((shape, index) =>
    tf.tensor(randomValues(tf.util.sizeFromShape(shape), index + 1, range), shape),
  );
  const made = tf.tidy(() => run(...inputs));
  const outputs = [made].flat();
  const outcome: Outcome = { outputs: [], gradients: [] };
  for (const output of outputs)
    outcome.outputs.push({ values: Float32Array.from(await output.data()), shape: output.shape, dtype: output.dtype });
  if (gradient === true) {
    const loss = (...values: tf.Tensor[]) =>
      tf.addN(
        [run(...values)].flat().map((output, index) => {
          const weights = tf.tensor(randomValues(output.size, index + 101), output.shape);
          return tf.sum(tf.mul(output, weights));
        }),
      ) as tf.Scalar;
    const gradients = tf.grads(loss)(inputs);
    for (const item of gradients) outcome.gradients.push(Float32Array.from(await item.data()));
    tf.dispose(gradients);
  }
  tf.dispose([outputs, inputs]);
  return outcome;
}

/** Largest difference relative to the largest value (or to 1, if that is smaller). */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 1e-3;
  let difference = 0;
  for (let index = 0; index < expected.length; index++) {
    if (Number.isNaN(expected[index]!) !== Number.isNaN(found[index]!)) return Number.POSITIVE_INFINITY;
    if (found[index] === expected[index] || Number.isNaN(expected[index]!)) continue;
    largest = Math.max(largest, Math.abs(expected[index]!));
    difference = Math.max(difference, Math.abs(found[index]! - expected[index]!));
  }
  return difference / largest;
}
