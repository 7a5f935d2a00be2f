import { leaves, mapLeaves, type TensorTree } from './tensor-tree.ts';
import * as tf from './tf.ts';

export interface CheckpointOptions {
  /** Compute the block again in the backward pass instead of keeping its activations: less memory, more time. Default true. */
  recompute?: boolean;
}

/**
 * Runs one block of a deep model as a unit of its own: out = block(inputs).
 *
 * On the lazy backend blocks of equal structure share one compiled program, so that the time to compile does not grow with depth.
 * Gradients flow only to tensors inside `inputs` (parameters to be trained included), never to those that the block merely closes over.
 */
export function checkpoint<I extends TensorTree>(
  block: (inputs: I) => tf.Tensor,
  inputs: I,
  { recompute = true }: CheckpointOptions = {},
): tf.Tensor {
  if (!recompute) return block(inputs);
  const tensors = leaves(inputs).map(({ tensor }) => tensor);
  const run = (values: tf.Tensor[]) => block(mapLeaves(inputs, (_, index) => values[index]!));
  const differentiable = tf.customGrad((...args) => {
    const values = args.slice(0, tensors.length) as tf.Tensor[];
    const save = args[tensors.length] as tf.GradSaveFunc;
    save(values);
    return {
      value: run(values),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => recomputedGradients(run, saved, dy),
    };
  });
  return differentiable(...tensors);
}

/** Vector-Jacobian product of a function that is run again; TensorFlow.js has one active tape, which is put aside meanwhile. */
function recomputedGradients(run: (values: tf.Tensor[]) => tf.Tensor, values: tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const { state } = tf.engine() as unknown as { state: { activeTape: unknown } };
  const outerTape = state.activeTape;
  try {
    const wanted = values.filter((value) => value.dtype === 'float32');
    const { grads } = tf.engine().gradients(() => run(values), wanted, dy, true) as { grads: (tf.Tensor | null)[] };
    const byTensor = new Map(wanted.map((value, index) => [value, grads[index]]));
    return values.map((value) => byTensor.get(value) ?? tf.zerosLike(value));
  } finally {
    state.activeTape = outerTape;
  }
}
