import * as tf from '../../backends/tf.ts';
import { type Traced, traced } from '../../backends/traced.ts';
import { sliceFrames } from '../../nn/conv.ts';
import { disposeTree } from '../../nn/tree.ts';
import type { Memory } from './vae-blocks.ts';
import { decodeChunk, encodeChunk, type VaeParameters } from './vae-coders.ts';
import { checkVideoSize, type VaeConfig, vaeStrides } from './vae-config.ts';

/**
 * The video autoencoder of Wan (AutoencoderKLWan in diffusers). It is causal in time, so a clip is coded in chunks of frames that hand
 * on what their convolutions remember: the result is that of the whole clip, the memory that of one chunk.
 * Video is [batch, 3, frames, height, width] in -1..1, latents [batch, z_dim, frames, height, width].
 */
export interface Vae {
  readonly config: VaeConfig;
  readonly parameters: VaeParameters;
  /** Video -> the posterior's mean and log-variance [batch, 2 * z_dim, ...]. */
  encode(video: tf.Tensor, options?: ChunkOptions): Promise<tf.Tensor>;
  /** Latents as `encode` gives them (not normalised) -> video, clipped to -1..1. */
  decode(latents: tf.Tensor, options?: ChunkOptions): Promise<tf.Tensor>;
  /** The same chunk by chunk; the caller owns each. */
  decodeChunks(latents: tf.Tensor, options?: ChunkOptions): AsyncGenerator<tf.Tensor>;
  dispose(): void;
}

export interface ChunkOptions {
  /** Latent frames per chunk; unless given, as many as keep a chunk below `chunkPixels`. */
  chunkFrames?: number;
  signal?: AbortSignal;
  onProgress?: (doneFrames: number, totalFrames: number) => void;
}

/** Pixels times frames of a chunk: about 250 MB of activations at 32 channels, 750 MB at 96. */
const chunkPixels = 600_000;

type ChunkInputs = { x: tf.Tensor; memory?: Memory };
type ChunkOutputs = { y: tf.Tensor; memory: Memory };

/** Takes over the parameters: `dispose` frees them. */
export function createVae(config: VaeConfig, parameters: VaeParameters): Vae {
  const strides = vaeStrides(config);
  const patch = config.patch_size ?? 1;
  const encodeStep = traced(({ x, memory }: ChunkInputs): ChunkOutputs => {
    const pass = { before: memory, after: {} };
    return { y: encodeChunk(config, parameters, pass, patchify(x, patch)), memory: pass.after };
  });
  const decodeStep = traced(({ x, memory }: ChunkInputs): ChunkOutputs => {
    const pass = { before: memory, after: {} };
    const video = unpatchify(decodeChunk(config, parameters, pass, x), patch);
    return { y: tf.clipByValue(video, -1, 1), memory: pass.after };
  });

  const framesPerChunk = (height: number, width: number) =>
    Math.max(1, Math.floor(chunkPixels / (height * width * strides.frames)));

  async function* decodeChunks(latents: tf.Tensor, options: ChunkOptions = {}): AsyncGenerator<tf.Tensor> {
    const [, channels, frames, height, width] = latents.shape as [number, number, number, number, number];
    if (channels !== config.z_dim)
      throw new Error(`the autoencoder decodes ${config.z_dim} channels, found latents [${latents.shape}]`);
    const size = options.chunkFrames ?? framesPerChunk(height * strides.height, width * strides.width);
    yield* inChunks(decodeStep, latents, frames, 0, size, options);
  }

  return {
    config,
    parameters,
    decodeChunks,
    async encode(video, options = {}) {
      const [, channels, frames, height, width] = video.shape as [number, number, number, number, number];
      if (channels * patch * patch !== config.in_channels)
        throw new Error(
          `the autoencoder encodes ${config.in_channels / patch ** 2} channels, found video [${video.shape}]`,
        );
      checkVideoSize(config, frames, height, width);
      const size = strides.frames * (options.chunkFrames ?? framesPerChunk(height, width));
      // The first frame makes a latent frame by itself.
      return joined(inChunks(encodeStep, video, frames, 1 - strides.frames, size, options));
    },
    decode: (latents, options) => joined(decodeChunks(latents, options)),
    dispose() {
      encodeStep.dispose();
      decodeStep.dispose();
      disposeTree(parameters);
    },
  };
}

/** Runs `step` over [start, start + size), [start + size, start + 2 size)... as far as they lie within the frames. */
async function* inChunks(
  step: Traced<ChunkInputs, ChunkOutputs>,
  x: tf.Tensor,
  frames: number,
  start: number,
  size: number,
  { signal, onProgress }: ChunkOptions,
): AsyncGenerator<tf.Tensor> {
  let memory: Memory | undefined;
  try {
    for (let first = start; first < frames; first += size) {
      signal?.throwIfAborted();
      const end = Math.min(first + size, frames);
      const chunk = tf.tidy(() => tf.clone(sliceFrames(x, Math.max(0, first), end)));
      try {
        const outputs = await step.run(memory ? { x: chunk, memory } : { x: chunk }, signal);
        if (memory) disposeTree(memory);
        memory = outputs.memory;
        yield outputs.y;
      } finally {
        chunk.dispose();
      }
      onProgress?.(end, frames);
    }
  } finally {
    if (memory) disposeTree(memory);
  }
}

async function joined(chunks: AsyncGenerator<tf.Tensor>): Promise<tf.Tensor> {
  const parts: tf.Tensor[] = [];
  try {
    for await (const chunk of chunks) parts.push(chunk);
    return parts.length === 1 ? tf.clone(parts[0]!) : tf.concat(parts, 2);
  } finally {
    tf.dispose(parts);
  }
}

/** Squares of pixels become channels: [b, c, f, h, w] -> [b, c * p * p, f, h / p, w / p], columns before rows as in the reference. */
function patchify(x: tf.Tensor, patch: number): tf.Tensor {
  if (patch === 1) return x;
  const [batch, channels, frames, height, width] = x.shape as [number, number, number, number, number];
  const [rows, columns] = [height / patch, width / patch];
  const split = tf.reshape(x, [batch * channels, frames, rows, patch, columns, patch]);
  const gathered = tf.transpose(split, [0, 5, 3, 1, 2, 4]); // [batch * channels, column, row, frames, rows, columns]
  return tf.reshape(gathered, [batch, channels * patch * patch, frames, rows, columns]);
}

/** Inverse of `patchify`. */
function unpatchify(x: tf.Tensor, patch: number): tf.Tensor {
  if (patch === 1) return x;
  const [batch, values, frames, rows, columns] = x.shape as [number, number, number, number, number];
  const channels = values / (patch * patch);
  const split = tf.reshape(x, [batch * channels, patch, patch, frames, rows, columns]);
  const joined = tf.transpose(split, [0, 3, 4, 2, 5, 1]); // [batch * channels, frames, rows, row, columns, column]
  return tf.reshape(joined, [batch, channels, frames, rows * patch, columns * patch]);
}
