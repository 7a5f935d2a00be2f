import { stat } from 'node:fs/promises';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import { LruCache } from '../../../shared/structures/lru-cache.ts';
import * as tf from '../backends/tf.ts';
import type { TwinLatents } from '../models/twin-autoencoder.ts';

/** Clips whose latents are kept: two are used at a time, and each may come in two roles. Of a short clip they are some 50 kB. */
const limit = 4;

/** Both latents of the clips that were reenacted last, so that a strength that moves is decoded alone. It owns them. */
export class KeptLatents {
  #known = new LruCache<string, TwinLatents>(limit, disposeLatents);

  /** Those of a clip's first frames at a size, encoded unless they are here: a file that was written since is another. */
  async of(
    { file }: RawFrames,
    format: { frameCount: number; width: number; height: number },
    encode: () => Promise<TwinLatents>,
  ): Promise<TwinLatents> {
    const { mtimeMs, size } = await stat(file);
    const key = JSON.stringify([file, mtimeMs, size, format.frameCount, format.width, format.height]);
    const known = this.#known.get(key);
    if (known) return known;
    const made = await encode();
    this.#known.set(key, made);
    return made;
  }

  dispose(): void {
    this.#known.clear();
  }
}

export function disposeLatents({ structure, dynamics }: TwinLatents): void {
  tf.dispose(dynamics ? [structure, dynamics] : structure);
}
