import * as tf from '../tf.ts';
import { LazyBackend } from './backend.ts';
import type { Executor } from './executors/executor.ts';
import { registerKernels } from './kernels/register.ts';

const backendName = 'lazy';

/** Makes the lazy backend on an executor the one that computes. Tensors of an earlier lazy backend end with it. */
export async function useLazyBackend(executor: Executor): Promise<LazyBackend> {
  if (tf.engine().backendNames().includes(backendName)) tf.removeBackend(backendName);
  if (!tf.getKernel('Add', backendName)) registerKernels(backendName);
  const backend = new LazyBackend(executor);
  tf.registerBackend(backendName, () => backend);
  await tf.setBackend(backendName);
  return backend;
}

/** The lazy backend, if it is the one that computes now. */
export function lazyBackend(): LazyBackend | undefined {
  const backend = tf.backend();
  return backend instanceof LazyBackend ? backend : undefined;
}
