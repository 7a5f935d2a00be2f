import { join } from 'node:path';
import * as tf from '../../backends/tf.ts';
import { readJson } from '../../formats/diffusers.ts';
import type { Pictures } from '../../formats/raw-frames.ts';
import { sliceFrames } from '../../nn/conv.ts';
import { parametersToWrite } from '../../nn/parameters.ts';
import { disposeTree } from '../../nn/tree.ts';
import {
  checkClipSize,
  chunkPixels,
  chunkStep,
  disposeStep,
  inTurn,
  joined,
  normaliseLatents,
  picturesOf,
  rangesOf,
  restoreLatents,
  withProgress,
} from '../causal-chunks.ts';
import { loadComponent, loadedOnce } from '../components.ts';
import { framesToVideo } from '../frames.ts';
import type { CodingOptions, EncodingOptions, VideoAutoencoder } from '../video-autoencoder.ts';
import { type MagvitConfig, magvitConfigSchema, magvitSpecs, magvitStrides, magvitWork } from './magvit-config.ts';
import { decodeChunk, encodeChunk, type MagvitParameters } from './magvit-network.ts';

interface MagvitOptions extends CodingOptions {
  /** Latent frames per chunk; unless given, as many as keep a chunk below `chunkPixels`. */
  chunkFrames?: number;
}

interface MagvitAutoencoder extends VideoAutoencoder {
  encodeFrames(pictures: Pictures, options?: MagvitOptions & EncodingOptions): Promise<tf.Tensor>;
  decodeFrames(latents: tf.Tensor, options?: MagvitOptions): Promise<Pictures>;
}

/** Opens a causal autoencoder's folder: config.json and model.safetensors. Throws `not-found` or `damaged-file`. */
export async function openMagvitAutoencoder(folder: string): Promise<MagvitAutoencoder> {
  const config = await readJson(join(folder, 'config.json'), magvitConfigSchema);
  const specs = magvitSpecs(config);
  const strides = magvitStrides(config);
  const network = loadedOnce(
    async () => createNetwork(config, await loadComponent<MagvitParameters>(folder, specs)),
    (loaded) => loaded.dispose(),
  );
  const chunkSize = (pixels: number, given: number | undefined) =>
    given ?? Math.max(1, Math.floor(chunkPixels / (pixels * strides.frames)));
  const checkVideoSize = (frames: number, height: number, width: number) =>
    checkClipSize(strides, frames, height, width);

  return {
    latentChannels: config.latent_channels,
    strides,
    work: magvitWork(config),
    decoding: null,
    checkVideoSize,
    async encodeFrames(pictures, options = {}) {
      const { height, width } = pictures;
      const count = pictures.count + (options.greyFrames ?? 0);
      checkVideoSize(count, height, width);
      const { encode } = await network();
      const video = framesToVideo(pictures, options.greyFrames);
      // The first frame makes a latent frame by itself.
      const size = strides.frames * chunkSize(height * width, options.chunkFrames);
      const ranges = rangesOf(count, 1 - strides.frames, size);
      const chunks = ranges.map(
        ([first, end]) =>
          () =>
            sliceFrames(video, first, end),
      );
      const moments = await joined(withProgress(inTurn(encode, chunks, options), ranges, options)).finally(() =>
        video.dispose(),
      );
      const latents = tf.tidy(() => normaliseLatents(tf.split(moments, 2, 1)[0]!, config));
      moments.dispose();
      return latents;
    },
    async decodeFrames(latents, options = {}) {
      const [, , count, rows, columns] = latents.shape as [number, number, number, number, number];
      const { decode } = await network();
      const raw = restoreLatents(latents, config);
      const pixels = rows * strides.height * columns * strides.width;
      const ranges = rangesOf(count, 0, chunkSize(pixels, options.chunkFrames));
      const chunks = ranges.map(
        ([first, end]) =>
          () =>
            sliceFrames(raw, first, end),
      );
      return picturesOf(withProgress(inTurn(decode, chunks, options), ranges, options)).finally(() => raw.dispose());
    },
    weightsToWrite: async (type) => parametersToWrite((await network()).parameters, specs, type),
    dispose: network.release,
  };
}

function createNetwork(config: MagvitConfig, parameters: MagvitParameters) {
  const encode = chunkStep((pass, video) => encodeChunk(config, parameters, pass, video));
  const decode = chunkStep((pass, latents) => decodeChunk(config, parameters, pass, latents));
  return {
    parameters,
    encode,
    decode,
    dispose() {
      disposeStep(encode);
      disposeStep(decode);
      disposeTree(parameters);
    },
  };
}
