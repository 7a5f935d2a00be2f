import { LruCache } from '../../../shared/structures/lru-cache.ts';
import { lazyBackend } from './lazy/use.ts';
import { leaves, mapLeaves } from './tensor-tree.ts';
import * as tf from './tf.ts';

/** A step that is recorded once per shapes of its inputs and then replayed. */
export interface Traced<I, O> {
  /** Runs the step; the caller owns the returned tensors, and still owns its inputs. */
  run(inputs: I, signal?: AbortSignal): Promise<O>;
  /** Forgets what was recorded, and lets go of what the recordings hold. */
  dispose(): void;
}

/** Recordings kept per step: one for each set of shapes, the one used longest ago given up first. */
const recordingLimit = 16;

/**
 * Makes a function of tensors (in nested objects and arrays) replayable: the first run with inputs of new shapes calls `step`, later ones do not.
 *
 * Everything that changes between runs (weights, optimiser moments, noise, learning rate as tf.scalar) must be in `inputs`; whatever
 * else `step` uses is frozen as it was at the first run. `step` must not read values. New state comes back among the outputs, so that
 * a training loop disposes of the old state and keeps the new. Backends that do not record call `step` every time.
 */
export function traced<I, O>(step: (inputs: I) => O): Traced<I, O> {
  type Kept = { recording: Awaited<ReturnType<Backend['trace']>>; outputs: O };
  type Backend = NonNullable<ReturnType<typeof lazyBackend>>;
  let owner: Backend | undefined;
  const newRecordings = () => new LruCache<string, Kept>(recordingLimit, (kept) => owner?.forget(kept.recording));
  let recordings = newRecordings();

  async function record(backend: Backend, inputs: I, tensors: tf.Tensor[]): Promise<Kept> {
    let outputs: O | undefined;
    const recording = await backend.trace(tensors, (placeholders) => {
      outputs = step(mapLeaves(inputs, (_, index) => placeholders[index]!));
      return leaves(outputs).map(({ tensor }) => tensor);
    });
    return { recording, outputs: outputs! };
  }

  return {
    async run(inputs, signal) {
      const backend = lazyBackend();
      if (!backend || backend.isTracing) return tf.tidy(() => step(inputs) as tf.TensorContainer) as O;
      if (owner !== backend) {
        // Those of another backend went with it.
        recordings = newRecordings();
        owner = backend;
      }
      const given = leaves(inputs);
      const key = given.map(({ path, tensor }) => `${path}:${tensor.dtype}[${tensor.shape}]`).join();
      let kept = recordings.get(key);
      if (!kept) {
        kept = await record(
          backend,
          inputs,
          given.map(({ tensor }) => tensor),
        );
        // One that was recorded meanwhile may be running.
        if (!recordings.has(key)) recordings.set(key, kept);
      }
      const results = await backend.replay(
        kept.recording,
        given.map(({ tensor }) => tensor),
        signal,
      );
      return mapLeaves(kept.outputs, (_, index) => results[index]!);
    },
    dispose: () => recordings.clear(),
  };
}
