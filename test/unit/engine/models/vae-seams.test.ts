import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findOpenVino } from '../../../../main/engine/backends/lazy/executors/openvino/locate.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { framesToVideo } from '../../../../main/engine/models/frames.ts';
import { openWanAutoencoder } from '../../../../main/engine/models/wan/autoencoder.ts';
import type { ChunkOptions, Vae } from '../../../../main/engine/models/wan/vae.ts';
import { tilesOf } from '../../../../main/engine/models/wan/vae-tiles.ts';
import { render } from '../../../../main/world/render.ts';
import { sampleScene } from '../../../../main/world/scene.ts';

const directory = fileURLToPath(new URL('../../../../resources/models/motif-tiny', import.meta.url));
/** Above the 150,000 pixels from which pictures are coded in tiles. */
const [width, height] = [528, 288];
const whole: ChunkOptions = { tilePixels: Number.POSITIVE_INFINITY };

const openVino = await findOpenVino();
if (!openVino) console.log('OpenVINO is not on this machine: what needs its library was skipped.');

describe.each(['onnxruntime', ...(openVino ? (['openvino'] as const) : [])] as const)(
  'a picture of the world too large for one piece, on %s,',
  (device) => {
    test('has no seam that can be seen', { timeout: 240_000 }, async () => {
      await selectBackend({ device });
      const autoencoder = await openWanAutoencoder(join(directory, 'vae'));
      const vae = await autoencoder.vae();
      const data = render(sampleScene(7), { width, height, frameCount: 1 }).frames;
      const video = framesToVideo({ data, count: 1, width, height });
      const latents = await encoded(vae, video, whole);
      const reference = await decoded(vae, latents, whole);
      const tiledLatents = await encoded(vae, video);
      const [rows, columns] = latents.shape.slice(3) as [number, number];
      const { tiles } = tilesOf(rows, columns, 150_000 / (width / columns) ** 2);
      expect(tiles).toHaveLength(2);

      const differences = {
        decoding: largestDifference(await decoded(vae, latents), reference),
        encoding: largestDifference(await decoded(vae, tiledLatents, whole), reference),
        both: largestDifference(await decoded(vae, tiledLatents), reference),
      };
      for (const [what, difference] of Object.entries(differences)) expect(difference, what).toBeLessThan(1 / 255);

      // The same cut, with nothing of what lies beyond it, can be seen.
      const seam = tiles[0]!.right;
      const half = tf.slice(latents, [0, 0, 0, 0, 0], [1, latents.shape[1]!, 1, rows, seam]);
      const alone = await decoded(vae, half, whole);
      const beside = reference.filter((_, index) => index % width < (seam * width) / columns);
      expect(largestDifference(alone, beside)).toBeGreaterThan(1 / 255);
      tf.dispose([video, latents, tiledLatents, half]);
      await autoencoder.dispose();
    });
  },
);

/** The posterior's mean. */
async function encoded(vae: Vae, video: tf.Tensor, options?: ChunkOptions): Promise<tf.Tensor> {
  const posterior = await vae.encode(video, options);
  const mean = tf.tidy(() => tf.split(posterior, 2, 1)[0]!);
  posterior.dispose();
  return mean;
}

/** Values from 0 to 1. */
async function decoded(vae: Vae, latents: tf.Tensor, options?: ChunkOptions): Promise<Float32Array> {
  const video = await vae.decode(latents, options);
  const values = await video.data<'float32'>();
  video.dispose();
  return values.map((value) => (value + 1) / 2);
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0);
}
