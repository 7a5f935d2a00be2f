import { openWeights } from '../formats/diffusers.ts';
import { loadParameters, type ParameterSpecs } from '../nn/parameters.ts';

/**
 * The weights of a component's folder; a tensor that `ignore` matches may be there without being asked for.
 */
export async function loadComponent<T>(folder: string, specs: ParameterSpecs, ignore?: RegExp): Promise<T> {
  const source = await openWeights(folder);
  try {
    return (await loadParameters(source, specs, ignore ? { ignore } : {})) as T;
  } finally {
    await source.close();
  }
}

/** How many numbers they are. */
export function countParameters(specs: ParameterSpecs): number {
  let count = 0;
  for (const { stored } of specs.values()) count += stored.reduce((product, length) => product * length, 1);
  return count;
}

export interface LoadedOnce<T> {
  (): Promise<T>;
  release(): Promise<void>;
}

/** A component that is read at the first call, given again at later ones, and freed by `release`. */
export function loadedOnce<T>(read: () => Promise<T>, free: (loaded: T) => void | Promise<void>): LoadedOnce<T> {
  let loading: Promise<T> | undefined;
  const get = async (): Promise<T> => {
    loading ??= read();
    try {
      return await loading;
    } catch (error) {
      loading = undefined; // a later call tries again
      throw error;
    }
  };
  const release = async (): Promise<void> => {
    const loaded = loading;
    loading = undefined;
    if (loaded) await loaded.then(free, () => undefined);
  };
  return Object.assign(get, { release });
}
