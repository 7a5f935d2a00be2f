import { lazyBackend } from './lazy/use.ts';
import { leaves, mapLeaves } from './tensor-tree.ts';
import * as tf from './tf.ts';

export interface CheckpointOptions<C> {
  /** Compute the block again in the backward pass instead of keeping its activations: less memory, more time. Default true. */
  recompute?: boolean;
  /** Compile the block apart from what is around it also where the graph is not deep. One that is computed again always is. */
  apart?: boolean;
  /** What the block reads and no gradient flows to, handed to it beside the inputs and kept alive until the backward pass. */
  constants?: C;
}

/**
 * Runs one block of a deep model as a unit of its own: out = block(inputs, constants).
 *
 * On the lazy backend the blocks of a deep model share one compiled program, so that the time to compile does not grow with depth.
 * Gradients flow only to tensors inside `inputs` (parameters to be trained included), never to those that the block merely closes over;
 * what it closes over must outlive the backward pass.
 */
export function checkpoint<I, C = undefined>(
  block: (inputs: I, constants: C) => tf.Tensor,
  inputs: I,
  { recompute = true, apart = false, constants }: CheckpointOptions<C> = {},
): tf.Tensor {
  const tensors = leaves(inputs).map(({ tensor }) => tensor);
  const fixed = leaves(constants).map(({ tensor }) => tensor);
  const run = (values: readonly tf.Tensor[], others: readonly tf.Tensor[]) =>
    block(
      mapLeaves(inputs, (_, index) => values[index]!),
      mapLeaves(constants as C, (_, index) => others[index]!),
    );
  return recompute ? recomputed(run, tensors, fixed) : kept((values) => run(values, fixed), tensors, apart);
}

type Block = (values: readonly tf.Tensor[]) => tf.Tensor;

/** What follows is compiled apart from what came before, always or only where the graph is deep. */
const cut = (when: 'always' | 'deep') => lazyBackend()?.cut(when);

/** The block's activations are kept for the backward pass; both passes may be cut at its edges. */
function kept(block: Block, tensors: readonly tf.Tensor[], apart: boolean): tf.Tensor {
  const edge = edges[apart ? 'always' : 'deep'];
  return tf.tidy(() => edge(block(tensors.map((tensor) => (tensor.dtype === 'float32' ? edge(tensor) : tensor)))));
}

const edgeOf = (when: 'always' | 'deep') =>
  tf.customGrad((x) => {
    cut(when);
    return {
      value: tf.clone(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => {
        cut(when);
        return tf.clone(dy);
      },
    };
  });

const edges = { always: edgeOf('always'), deep: edgeOf('deep') };

/** Only the block's inputs are kept. */
function recomputed(
  block: (values: readonly tf.Tensor[], constants: readonly tf.Tensor[]) => tf.Tensor,
  tensors: readonly tf.Tensor[],
  constants: readonly tf.Tensor[],
): tf.Tensor {
  const differentiable = tensors.filter(({ dtype }) => dtype === 'float32');
  const run = tf.customGrad((...parameters) => {
    const save = parameters.at(-1) as tf.GradSaveFunc;
    save([...tensors, ...constants]);
    cut('always');
    const value = block(tensors, constants);
    cut('always');
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        cut('always');
        const gradients = vectorJacobianProduct(
          (values) => block(values, saved.slice(tensors.length)),
          saved.slice(0, tensors.length),
          dy,
        );
        cut('always');
        return gradients;
      },
    };
  });
  return run(...differentiable);
}

/** The gradients of all float values. TensorFlow.js has one active tape, which is put aside meanwhile. */
function vectorJacobianProduct(block: Block, values: readonly tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const { state } = tf.engine() as unknown as { state: { activeTape: unknown } };
  const outerTape = state.activeTape;
  const wanted = values.filter(({ dtype }) => dtype === 'float32');
  try {
    const { grads } = tf.engine().gradients(() => block(values), wanted, dy, true) as { grads: (tf.Tensor | null)[] };
    return grads.map((gradient, index) => gradient ?? tf.fill(wanted[index]!.shape, 0));
  } finally {
    state.activeTape = outerTape;
  }
}
