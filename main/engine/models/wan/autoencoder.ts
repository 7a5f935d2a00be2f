import { join } from 'node:path';
import * as tf from '../../backends/tf.ts';
import { readJson } from '../../formats/diffusers.ts';
import type { Pictures } from '../../formats/raw-frames.ts';
import { parametersToWrite } from '../../nn/parameters.ts';
import { normaliseLatents, picturesOf, restoreLatents } from '../causal-chunks.ts';
import { loadComponent, loadedOnce } from '../components.ts';
import { framesToVideo } from '../frames.ts';
import type { EncodingOptions, VideoAutoencoder } from '../video-autoencoder.ts';
import { type ChunkOptions, createVae, type Vae } from './vae.ts';
import type { VaeParameters } from './vae-coders.ts';
import { checkVideoSize, vaeConfigSchema, vaeSpecs, vaeStrides } from './vae-config.ts';
import { decodingMemory, vaeWork } from './work.ts';

/** AutoencoderKLWan in a folder of its own. */
export interface WanAutoencoder extends VideoAutoencoder {
  vae(): Promise<Vae>;
  encodeFrames(pictures: Pictures, options?: ChunkOptions & EncodingOptions): Promise<tf.Tensor>;
  decodeFrames(latents: tf.Tensor, options?: ChunkOptions): Promise<Pictures>;
}

export async function openWanAutoencoder(folder: string): Promise<WanAutoencoder> {
  const vaeConfig = await readJson(join(folder, 'config.json'), vaeConfigSchema);
  const vae = loadedOnce(
    async () => createVae(vaeConfig, await loadComponent<VaeParameters>(folder, vaeSpecs(vaeConfig))),
    (loaded) => loaded.dispose(),
  );
  return {
    vae,
    latentChannels: vaeConfig.z_dim,
    strides: vaeStrides(vaeConfig),
    work: vaeWork(vaeConfig),
    decoding: decodingMemory(vaeConfig),
    checkVideoSize: (frames, height, width) => checkVideoSize(vaeConfig, frames, height, width),
    async encodeFrames(pictures, options) {
      const video = framesToVideo(pictures, options?.greyFrames);
      const posterior = await (await vae()).encode(video, options).finally(() => video.dispose());
      const latents = tf.tidy(() => normaliseLatents(tf.split(posterior, 2, 1)[0]!, vaeConfig));
      posterior.dispose();
      return latents;
    },
    async decodeFrames(latents, options) {
      const decoder = await vae();
      const raw = restoreLatents(latents, vaeConfig);
      return picturesOf(decoder.decodeChunks(raw, options)).finally(() => raw.dispose());
    },
    weightsToWrite: async (type) => parametersToWrite((await vae()).parameters, vaeSpecs(vaeConfig), type),
    dispose: vae.release,
  };
}
