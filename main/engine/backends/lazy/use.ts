import * as tf from '../tf.ts';
import { LazyBackend } from './backend.ts';
import type { Executor } from './executors/executor.ts';
import { dumpGraphs } from './graph-text.ts';
import { registerKernels } from './kernels/register.ts';
import { rewritesNamed } from './rewrites.ts';

const backendName = 'lazy';

/**
 * Makes the lazy backend on an executor the one that computes. Tensors of an earlier lazy backend end with
 * it. `MOTIF_REWRITES` says which rewrites it applies (all unless set), and graphs are written to the file
 * that `MOTIF_DUMP_GRAPH` names.
 */
export async function useLazyBackend(executor: Executor, environment = process.env): Promise<LazyBackend> {
  const { MOTIF_REWRITES: names, MOTIF_DUMP_GRAPH: file } = environment;
  const backend = new LazyBackend(executor, rewritesNamed(names || undefined), file ? dumpGraphs(file) : undefined);
  if (tf.engine().backendNames().includes(backendName)) tf.removeBackend(backendName);
  if (!tf.getKernel('Add', backendName)) registerKernels(backendName);
  tf.registerBackend(backendName, () => backend);
  await tf.setBackend(backendName);
  return backend;
}

/** The lazy backend, if it is the one that computes now. */
export function lazyBackend(): LazyBackend | undefined {
  const backend = tf.backend();
  return backend instanceof LazyBackend ? backend : undefined;
}
