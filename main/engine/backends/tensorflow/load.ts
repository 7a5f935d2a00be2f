import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '../tf.ts';

const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

export interface TensorFlow {
  package: (typeof packages)[number];
  version: string;
  /** Whether a CUDA device computes. */
  gpu: boolean;
}

/** Folders whose node_modules may hold TensorFlow.js' native package: MOTIF_TENSORFLOW, the program's own, and the working folder. */
function roots(): NodeJS.Require[] {
  const folders = [process.env.MOTIF_TENSORFLOW, process.cwd()].filter((folder) => folder !== undefined);
  return [
    ...folders.map((folder) => createRequire(pathToFileURL(join(folder, 'package.json')))),
    createRequire(import.meta.url),
  ];
}

/** The native package that would be loaded, without loading it. */
export function findTensorFlow():
  | { name: (typeof packages)[number]; require: NodeJS.Require; path: string }
  | undefined {
  for (const name of packages)
    for (const require of roots()) {
      try {
        return { name, require, path: require.resolve(name) };
      } catch {
        // Not here: the next folder may have it.
      }
    }
  return undefined;
}

let loaded: TensorFlow | undefined;

/** Loads the native package and makes it the backend that computes. Throws where it is missing or does not load. */
export async function useTensorFlow(): Promise<TensorFlow> {
  loaded ??= load();
  await tf.setBackend('tensorflow');
  return loaded;
}

function load(): TensorFlow {
  const found = findTensorFlow();
  if (!found) throw new Error(`neither ${packages.join(' nor ')} is installed`);
  const require = createRequire(found.path);
  // tfjs-node 4.22 calls this, which Node removed in version 23.
  const util = require('node:util') as { isNullOrUndefined?(value: unknown): boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  withOurCore(require, () => require(found.path));
  const backend = tf.findBackend('tensorflow') as (tf.KernelBackend & { isUsingGpuDevice?: boolean }) | null;
  if (!backend) throw new Error(`${found.name} was loaded but offers no backend`);
  const { version } = require('../package.json') as { version: string };
  return { package: found.name, version, gpu: backend.isUsingGpuDevice === true };
}

/**
 * The package asks for '@tensorflow/tfjs', which would bring a second core (sharing our engine but not our gradients) and much that
 * is not needed; while it loads, our own core stands in for it.
 */
function withOurCore(require: NodeJS.Require, run: () => void): void {
  // Written for ES5, the package calls its base class as a plain function, which a class does not allow.
  function KernelBackend() {}
  KernelBackend.prototype = tf.KernelBackend.prototype;
  const standIn = {
    ...tf,
    KernelBackend,
    version: {},
    // Its progress bars for tf.Model derive from these; we have no tf.Model.
    CustomCallback: class {},
    registerCallbackConstructor() {},
  };
  const replaced: [string, NodeJS.Module | undefined][] = [];
  for (const name of ['@tensorflow/tfjs', '@tensorflow/tfjs-core']) {
    const path = resolved(require, name);
    if (!path) continue;
    replaced.push([path, require.cache[path]]);
    require.cache[path] = { id: path, filename: path, path, loaded: true, exports: standIn } as NodeJS.Module;
  }
  try {
    run();
  } finally {
    for (const [path, module] of replaced) {
      if (module) require.cache[path] = module;
      else delete require.cache[path];
    }
  }
}

function resolved(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
