import { placeWhole } from '../files/place.ts';
import type { Library } from '../library/open.ts';

/**
 * Makes a file whole beside its place, with a note in the library by which a killed attempt is cleared away.
 */
export async function placeNoted<T>(
  library: Library,
  file: string,
  make: (partial: string) => Promise<T> | T,
): Promise<T> {
  let end: (() => void) | undefined;
  return placeWhole(file, async (partial) => {
    end = library.unfinished.begin(partial);
    return make(partial);
  }).finally(() => end?.());
}
