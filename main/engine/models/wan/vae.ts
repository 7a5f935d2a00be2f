import * as tf from '../../backends/tf.ts';
import { sliceFrames } from '../../nn/conv.ts';
import { disposeTree } from '../../nn/tree.ts';
import {
  chunkPixels,
  chunkStep,
  disposeStep,
  inTurn,
  joined,
  type Pass,
  type Range,
  rangesOf,
  type Step,
  withProgress,
} from '../causal-chunks.ts';
import type { CodingOptions } from '../video-autoencoder.ts';
import {
  decodeChunk,
  decodeMiddle,
  decodeStages,
  encodeChunk,
  encodeMiddle,
  encodeStages,
  tiledStages,
  type VaeParameters,
} from './vae-coders.ts';
import { checkVideoSize, decoderPlan, encoderPlan, type VaeConfig, vaeStrides } from './vae-config.ts';
import { type Area, cutArea, decoderTile, encoderTile, joinTiles, type TilePlan, tilesOf } from './vae-tiles.ts';

/**
 * The video autoencoder of Wan (AutoencoderKLWan in diffusers). It is causal in time, so a clip is coded in
 * chunks of frames that hand on what their convolutions remember: the result is that of the whole clip, the
 * memory that of one chunk. Pictures too large for that are coded in tiles, one after the other. Video is
 * [batch, 3, frames, height, width] in -1..1, latents [batch, z_dim, frames, height, width].
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

export interface ChunkOptions extends CodingOptions {
  /** Latent frames per chunk; unless given, as many as keep a chunk below `chunkPixels`. */
  chunkFrames?: number;
  /** Pixels per tile; unless given, as many as keep one latent frame below `chunkPixels`. */
  tilePixels?: number;
}

/** Takes over the parameters: `dispose` frees them. */
export function createVae(config: VaeConfig, parameters: VaeParameters): Vae {
  const strides = vaeStrides(config);
  const patch = config.patch_size ?? 1;
  const toVideo = (x: tf.Tensor) => tf.clipByValue(unpatchify(x, patch), -1, 1);

  const encodeStep = chunkStep((pass, x) => encodeChunk(config, parameters, pass, patchify(x, patch)));
  const decodeStep = chunkStep((pass, x) => toVideo(decodeChunk(config, parameters, pass, x)));
  const encodeMiddleStep = chunkStep((pass, x) => encodeMiddle(config, parameters, pass, x));
  const decodeMiddleStep = chunkStep((pass, x) => decodeMiddle(parameters, pass, x));
  const tileSteps = new Map<string, Step>();
  const tileStep = (key: string, code: (pass: Pass, x: tf.Tensor) => tf.Tensor): Step => {
    const step = tileSteps.get(key) ?? chunkStep(code);
    tileSteps.set(key, step);
    return step;
  };
  const encodeTileStep = ({ key, trim }: TilePlan) =>
    tileStep(`encode ${key}`, (pass, x) => encodeStages(config, parameters, pass, patchify(x, patch), trim));
  const decodeTileStep = ({ key, trim }: TilePlan) =>
    tileStep(`decode ${key}`, (pass, x) => toVideo(decodeStages(config, parameters, pass, x, trim)));

  /** How latents of this height and width are cut: into tiles, and chunks of latent frames. */
  function cut(height: number, width: number, { chunkFrames, tilePixels }: ChunkOptions) {
    const area = strides.height * strides.width;
    const { tiles, columns } = tilesOf(height, width, (tilePixels ?? chunkPixels / strides.frames) / area);
    const pixels = Math.max(...tiles.map(({ top, bottom, left, right }) => (bottom - top) * (right - left) * area));
    return { tiles, columns, size: chunkFrames ?? Math.max(1, Math.floor(chunkPixels / (pixels * strides.frames))) };
  }

  async function* decodeChunks(latents: tf.Tensor, options: ChunkOptions = {}): AsyncGenerator<tf.Tensor> {
    const [, channels, frames, height, width] = latents.shape as [number, number, number, number, number];
    if (channels !== config.z_dim)
      throw new Error(`the autoencoder decodes ${config.z_dim} channels, found latents [${latents.shape}]`);
    const { tiles, columns, size } = cut(height, width, options);
    const ranges = rangesOf(frames, 0, size);
    const chunks = ranges.map(
      ([first, end]) =>
        () =>
          sliceFrames(latents, first, end),
    );
    if (tiles.length === 1) return yield* withProgress(inTurn(decodeStep, chunks, options), ranges, options);

    const middles: tf.Tensor[] = [];
    const parts: tf.Tensor[][] = ranges.map(() => []);
    try {
      for await (const middle of inTurn(decodeMiddleStep, chunks, options)) middles.push(middle);
      const { stages } = decoderPlan(config);
      for (const [index, tile] of tiles.entries()) {
        const plan = decoderTile(stages, tile, height, width);
        const regions = middles.map((middle) => () => cutArea(middle, plan.region));
        let chunk = 0;
        for await (const part of inTurn(decodeTileStep(plan), regions, options)) {
          parts[chunk]!.push(part);
          if (index === tiles.length - 1) {
            yield joinTiles(parts[chunk]!, columns);
            tf.dispose([middles[chunk]!, parts[chunk]!]);
          }
          options.onProgress?.(Math.floor((index * frames + ranges[chunk]![1]) / tiles.length), frames);
          chunk++;
        }
      }
    } finally {
      tf.dispose([middles, parts]);
    }
  }

  async function* encodeChunks(video: tf.Tensor, options: ChunkOptions): AsyncGenerator<tf.Tensor> {
    const [, , frames, videoHeight, videoWidth] = video.shape as [number, number, number, number, number];
    const [height, width] = [videoHeight / strides.height, videoWidth / strides.width];
    const { tiles, columns, size } = cut(height, width, options);
    // The first frame makes a latent frame by itself.
    const ranges = rangesOf(frames, 1 - strides.frames, strides.frames * size);
    const chunk = ([first, end]: Range) => sliceFrames(video, first, end);
    if (tiles.length === 1) {
      const chunks = ranges.map((range) => () => chunk(range));
      return yield* withProgress(inTurn(encodeStep, chunks, options), ranges, options);
    }

    const parts: tf.Tensor[][] = ranges.map(() => []);
    try {
      const plan = encoderPlan(config);
      const stages = plan.stages.slice(0, tiledStages(plan));
      for (const [index, tile] of tiles.entries()) {
        const tilePlan = encoderTile(stages, tile, height, width);
        const region = times(tilePlan.region, patch);
        const regions = ranges.map((range) => () => cutArea(chunk(range), region));
        let done = 0;
        for await (const part of inTurn(encodeTileStep(tilePlan), regions, options)) {
          parts[done]!.push(part);
          options.onProgress?.(Math.floor((index * frames + ranges[done]![1]) / tiles.length), frames);
          done++;
        }
      }
      const joined = parts.map((tiles) => () => {
        const whole = joinTiles(tiles, columns);
        tf.dispose(tiles);
        return whole;
      });
      yield* inTurn(encodeMiddleStep, joined, options);
    } finally {
      tf.dispose(parts);
    }
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
      return joined(encodeChunks(video, options));
    },
    decode: (latents, options) => joined(decodeChunks(latents, options)),
    dispose() {
      [encodeStep, decodeStep, encodeMiddleStep, decodeMiddleStep, ...tileSteps.values()].forEach(disposeStep);
      disposeTree(parameters);
    },
  };
}

const times = ({ top, bottom, left, right }: Area, factor: number): Area => ({
  top: top * factor,
  bottom: bottom * factor,
  left: left * factor,
  right: right * factor,
});

/**
 * Squares of pixels become channels: [b, c, f, h, w] -> [b, c * p * p, f, h / p, w / p], columns before rows
 * as in the reference.
 */
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
