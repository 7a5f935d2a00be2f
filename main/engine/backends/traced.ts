import type { TensorTree } from './tensor-tree.ts';
import * as tf from './tf.ts';

/** A step that is recorded once per shapes of its inputs and then replayed. */
export interface Traced<I, O> {
  /** Runs the step; the caller owns the returned tensors, and still owns its inputs. */
  run(inputs: I): Promise<O>;
  /** Forgets what was recorded. */
  dispose(): void;
}

/**
 * Makes a function of tensors replayable: the first run with inputs of new shapes calls `step`, later ones do not.
 *
 * Everything that changes between runs (weights, optimiser moments, noise, learning rate as tf.scalar) must be in `inputs`; whatever
 * else `step` uses is frozen as it was at the first run. `step` must not read values. New state comes back among the outputs.
 */
export function traced<I extends TensorTree, O extends TensorTree>(step: (inputs: I) => O): Traced<I, O> {
  return {
    run: async (inputs) => tf.tidy(() => step(inputs) as tf.TensorContainer) as O,
    dispose() {},
  };
}
