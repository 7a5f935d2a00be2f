import { AppError } from '../../../shared/ipc/result.ts';
import * as tf from '../backends/tf.ts';
import { type Traced, traced } from '../backends/traced.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import { disposeTree } from '../nn/tree.ts';
import { videoToFrames } from './frames.ts';
import type { CodingOptions, VideoAutoencoder } from './video-autoencoder.ts';

/** Pixels times frames of a chunk, of pictures that are no larger. */
export const chunkPixels = 600_000;

/**
 * What autoencoders that are causal in time have in common: a clip is coded in chunks of frames that hand on what their convolutions
 * remember, so that the result is that of the whole clip and the memory that of one chunk. Video and latents are
 * [batch, channels, frames, height, width].
 */

/** What the causal convolutions remember of the frames before a chunk, by the path of the layer. */
type Memory = { [path: string]: tf.Tensor };

/** The state of one chunk's pass: what came before (nothing, for the first chunk) and what the next chunk will need. */
export interface Pass {
  /** Undefined for the first chunk. */
  before: Memory | undefined;
  after: Memory;
}

type ChunkInputs = { x: tf.Tensor; memory?: Memory };
type ChunkOutputs = { y: tf.Tensor; memory: Memory };

/**
 * A step over one chunk of frames, recorded for replaying: one of several, or the only one, which nothing
 * needs to be remembered of.
 */
export interface Step {
  several: Traced<ChunkInputs, ChunkOutputs>;
  only: Traced<tf.Tensor, tf.Tensor>;
}

export const chunkStep = (code: (pass: Pass, x: tf.Tensor) => tf.Tensor): Step => ({
  several: traced(({ x, memory }) => {
    const pass = { before: memory, after: {} };
    return { y: code(pass, x), memory: pass.after };
  }),
  only: traced((x) => code({ before: undefined, after: {} }, x)),
});

export function disposeStep({ several, only }: Step): void {
  several.dispose();
  only.dispose();
}

/** Frames from the first to the end (exclusive). */
export type Range = readonly [first: number, end: number];

/** [start, start + size), [start + size, start + 2 size)... as far as they lie within the frames. */
export function rangesOf(frames: number, start: number, size: number): Range[] {
  const ranges: Range[] = [];
  for (let first = start; first < frames; first += size)
    ranges.push([Math.max(0, first), Math.min(first + size, frames)]);
  return ranges;
}

/**
 * Runs `step` over one chunk after the other, each cut when its turn comes, and hands on what the
 * convolutions remember.
 */
export async function* inTurn(
  step: Step,
  chunks: readonly (() => tf.Tensor)[],
  { signal }: CodingOptions,
): AsyncGenerator<tf.Tensor> {
  let memory: Memory | undefined;
  try {
    for (const cut of chunks) {
      signal?.throwIfAborted();
      const chunk = tf.tidy(() => tf.clone(cut()));
      try {
        if (chunks.length === 1) {
          yield await step.only.run(chunk, signal);
          continue;
        }
        const outputs = await step.several.run(memory ? { x: chunk, memory } : { x: chunk }, signal);
        if (memory) disposeTree(memory);
        memory = outputs.memory;
        yield outputs.y;
      } finally {
        chunk.dispose();
      }
    }
  } finally {
    if (memory) disposeTree(memory);
  }
}

/** The same chunks, each followed by its progress. */
export async function* withProgress(
  chunks: AsyncGenerator<tf.Tensor>,
  ranges: readonly Range[],
  { onProgress }: CodingOptions,
): AsyncGenerator<tf.Tensor> {
  const frames = ranges.at(-1)![1];
  let done = 0;
  for await (const chunk of chunks) {
    yield chunk;
    onProgress?.(ranges[done++]![1], frames);
  }
}

export async function joined(chunks: AsyncGenerator<tf.Tensor>): Promise<tf.Tensor> {
  const parts: tf.Tensor[] = [];
  try {
    for await (const chunk of chunks) parts.push(chunk);
    return parts.length === 1 ? tf.clone(parts[0]!) : tf.concat(parts, 2);
  } finally {
    tf.dispose(parts);
  }
}

/** The frames of a video that comes in chunks. */
export async function picturesOf(chunks: AsyncGenerator<tf.Tensor>): Promise<Pictures> {
  const parts: Pictures[] = [];
  for await (const chunk of chunks) {
    parts.push(await videoToFrames(chunk));
    chunk.dispose();
  }
  const { width, height } = parts[0]!;
  const data = new Uint8Array(parts.reduce((length, part) => length + part.data.length, 0));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return { data, width, height, count: parts.reduce((count, part) => count + part.count, 0) };
}

/** Throws `invalid-input` unless a clip of 1 + k frames times the stride, and of whole cells, is asked for. */
export function checkClipSize(
  strides: VideoAutoencoder['strides'],
  frames: number,
  height: number,
  width: number,
): void {
  if ((frames - 1) % strides.frames !== 0 || frames < 1)
    throw new AppError(
      'invalid-input',
      `${frames} frames cannot be encoded: 1, ${1 + strides.frames}, ${1 + 2 * strides.frames}... can`,
    );
  if (height % strides.height !== 0 || width % strides.width !== 0)
    throw new AppError(
      'invalid-input',
      `${width} x ${height} pixels cannot be encoded: both must be multiples of ${strides.width}`,
    );
}

/** Mean and deviation of each latent channel, as a configuration has them. */
export interface LatentScale {
  latents_mean: number[];
  latents_std: number[];
}

/** [batch, channels, ...] as the network gives them -> of mean 0 and deviation 1 */
export function normaliseLatents(x: tf.Tensor, { latents_mean: mean, latents_std: deviation }: LatentScale): tf.Tensor {
  return tf.tidy(() => tf.div(tf.sub(x, perChannel(mean)), perChannel(deviation)));
}

/** Inverse of `normaliseLatents`. */
export function restoreLatents(x: tf.Tensor, { latents_mean: mean, latents_std: deviation }: LatentScale): tf.Tensor {
  return tf.tidy(() => tf.add(tf.mul(x, perChannel(deviation)), perChannel(mean)));
}

const perChannel = (values: number[]) => tf.tensor(values, [1, values.length, 1, 1, 1]);
