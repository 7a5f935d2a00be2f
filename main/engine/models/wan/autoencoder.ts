import { join } from 'node:path';
import * as tf from '../../backends/tf.ts';
import { readJson } from '../../formats/diffusers.ts';
import type { Pictures } from '../../formats/raw-frames.ts';
import { parametersToWrite } from '../../nn/parameters.ts';
import { loadComponent, loadedOnce } from '../components.ts';
import { framesToVideo, videoToFrames } from '../frames.ts';
import type { VideoAutoencoder } from '../video-autoencoder.ts';
import { type ChunkOptions, createVae, type Vae } from './vae.ts';
import type { VaeParameters } from './vae-coders.ts';
import { checkVideoSize, vaeConfigSchema, vaeSpecs, vaeStrides } from './vae-config.ts';

/** AutoencoderKLWan in a folder of its own. */
export interface WanAutoencoder extends VideoAutoencoder {
  vae(): Promise<Vae>;
  encodeFrames(pictures: Pictures, options?: ChunkOptions): Promise<tf.Tensor>;
  decodeFrames(latents: tf.Tensor, options?: ChunkOptions): Promise<Pictures>;
}

export async function openWanAutoencoder(folder: string): Promise<WanAutoencoder> {
  const vaeConfig = await readJson(join(folder, 'config.json'), vaeConfigSchema);
  const [mean, deviation] = [vaeConfig.latents_mean, vaeConfig.latents_std];
  const vae = loadedOnce(
    async () => createVae(vaeConfig, await loadComponent<VaeParameters>(folder, vaeSpecs(vaeConfig))),
    (loaded) => loaded.dispose(),
  );
  return {
    vae,
    latentChannels: vaeConfig.z_dim,
    strides: vaeStrides(vaeConfig),
    checkVideoSize: (frames, height, width) => checkVideoSize(vaeConfig, frames, height, width),
    async encodeFrames(pictures, options) {
      const video = framesToVideo(pictures);
      const posterior = await (await vae()).encode(video, options).finally(() => video.dispose());
      const latents = tf.tidy(() => {
        const [average] = tf.split(posterior, 2, 1) as [tf.Tensor, tf.Tensor];
        return tf.div(tf.sub(average, perChannel(mean)), perChannel(deviation));
      });
      posterior.dispose();
      return latents;
    },
    async decodeFrames(latents, options) {
      const decoder = await vae();
      const raw = tf.tidy(() => tf.add(tf.mul(latents, perChannel(deviation)), perChannel(mean)));
      const parts: Pictures[] = [];
      try {
        for await (const chunk of decoder.decodeChunks(raw, options)) {
          parts.push(await videoToFrames(chunk));
          chunk.dispose();
        }
      } finally {
        raw.dispose();
      }
      return joined(parts);
    },
    weightsToWrite: async (type) => parametersToWrite((await vae()).parameters, vaeSpecs(vaeConfig), type),
    dispose: vae.release,
  };
}

/** One after the other. */
function joined(parts: readonly Pictures[]): Pictures {
  const { width, height } = parts[0]!;
  const data = new Uint8Array(parts.reduce((length, part) => length + part.data.length, 0));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return { data, width, height, count: parts.reduce((count, part) => count + part.count, 0) };
}

/** [values] -> [1, values, 1, 1, 1], to be added to or multiplied with latents. */
function perChannel(values: readonly number[]): tf.Tensor {
  return tf.tensor(values as number[], [1, values.length, 1, 1, 1]);
}
