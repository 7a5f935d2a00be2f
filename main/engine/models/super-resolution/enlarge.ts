import { join } from 'node:path';
import type { RawFrames } from '../../../../shared/domain/clip.ts';
import { type EnlargeRequest, enlargement as scale } from '../../../../shared/domain/engine.ts';
import type { EngineCallOptions } from '../../../../shared/ipc/engine-contract.ts';
import * as tf from '../../backends/tf.ts';
import { traced } from '../../backends/traced.ts';
import { type Pictures, readRawFrames, writeRawFrames } from '../../formats/raw-frames.ts';
import { openSafetensors } from '../../formats/safetensors.ts';
import { loadParameters } from '../../nn/parameters.ts';
import { disposeTree } from '../../nn/tree.ts';
import { type SuperResolutionParameters, superResolution, superResolutionSpecs } from './network.ts';

/** The pictures of a raw frame file, enlarged into another. */
export async function enlargeFrames(
  { weights, frames, output }: EnlargeRequest,
  { signal, onEvent }: EngineCallOptions = {},
): Promise<RawFrames> {
  const started = performance.now();
  const onProgress = (done: number, total: number) => {
    const perSecond = (1000 * done) / (performance.now() - started);
    const etaSeconds = (total - done) / perSecond;
    onEvent?.({ type: 'progress', progress: { phase: 'enlarge', done, total, unit: 'frames', perSecond, etaSeconds } });
  };
  return writeRawFrames(
    output,
    await enlarge(weights, await readRawFrames(frames), { signal, onProgress }),
    frames.rate,
  );
}

/** Pictures are enlarged so many at a time that their pixels are no more than these: 64 channels of each are held, in float32. */
const pixelsAtOnce = 2 ** 16;

export interface EnlargeOptions {
  signal?: AbortSignal | undefined;
  /** How many pictures are done. */
  onProgress?(done: number, total: number): void;
}

/**
 * Pictures four times as wide and high, by super-resolution. `folder` holds its weights. Throws `not-found` or `damaged-file` where those
 * cannot be read.
 */
export async function enlarge(
  folder: string,
  pictures: Pictures,
  { signal, onProgress }: EnlargeOptions = {},
): Promise<Pictures> {
  const { data, count, width, height } = pictures;
  const source = await openSafetensors(join(folder, 'model.safetensors'));
  const parameters = (await loadParameters(source, superResolutionSpecs()).finally(() =>
    source.close(),
  )) as SuperResolutionParameters;
  const step = traced(({ batch }: { batch: tf.Tensor4D }) => ({ large: superResolution(parameters, batch) }));
  const large = new Uint8Array(data.length * scale ** 2);
  const atOnce = Math.max(1, Math.floor(pixelsAtOnce / (width * height)));
  const size = width * height * 3;
  try {
    for (let done = 0; done < count; done += atOnce) {
      signal?.throwIfAborted();
      const part = data.subarray(done * size, (done + atOnce) * size);
      const values = Float32Array.from(part, (value) => value / 255);
      const batch = tf.tensor4d(values, [part.length / size, height, width, 3]);
      const result = await step.run({ batch }, signal).finally(() => batch.dispose());
      const enlarged = (await result.large.data()) as Float32Array;
      result.large.dispose();
      large.set(
        Uint8Array.from(enlarged, (value) => Math.round(255 * value)),
        done * size * scale ** 2,
      );
      onProgress?.(Math.min(done + atOnce, count), count);
    }
    return { data: large, count, width: width * scale, height: height * scale };
  } finally {
    step.dispose();
    disposeTree(parameters);
  }
}
