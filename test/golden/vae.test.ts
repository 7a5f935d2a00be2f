import { beforeAll, describe, expect, test } from 'vitest';
import { lazyBackend } from '../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../main/engine/backends/select.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { Random } from '../../main/engine/nn/random.ts';
import { loadVae } from './components.ts';
import { expectGolden, onEachBackend, openCase } from './golden.ts';

const layouts = [
  ['Wan 2.1', 'model/vae', 'wan21'],
  ['Wan 2.2', 'residual', 'wan22'],
] as const;

onEachBackend(() => {
  describe.each(layouts)('the autoencoder of %s', (_, folder, name) => {
    test.each([
      ['a picture', 1, undefined],
      ['17 frames at once', 17, 99],
      ['17 frames, one latent frame at a time', 17, 1],
      ['17 frames in chunks of two latent frames', 17, 2],
    ])('codes %s as in diffusers', async (_, frames, chunkFrames) => {
      const vae = await loadVae(folder);
      const { video, posterior, latents, decoded } = await openCase(`${name}-${frames}`);
      const done: number[] = [];
      const options = { chunkFrames, onProgress: (frame: number) => done.push(frame) };
      await expectGolden(await vae.encode(video!, options), posterior!);
      expect(done.at(-1)).toBe(frames);
      await expectGolden(await vae.decode(latents!, options), decoded!);
      vae.dispose();
    });

    test('leaves nothing behind, also when stopped half way', async () => {
      const before = tf.memory().numTensors;
      const vae = await loadVae(folder);
      const video = tf.zeros([1, 3, 9, 16, 8]);
      const stop = new AbortController();
      const stopped = vae.encode(video, { chunkFrames: 1, signal: stop.signal, onProgress: () => stop.abort() });
      await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
      tf.dispose([video, await vae.encode(video)]);
      vae.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    test('refuses clips that do not fit its strides', async () => {
      const vae = await loadVae(folder);
      await expect(vae.encode(tf.zeros([1, 3, 4, 8, 8]))).rejects.toThrow('4 frames cannot be encoded: 1, 5, 9...');
      await expect(vae.encode(tf.zeros([1, 3, 5, 8, 12]))).rejects.toThrow('multiples of 8');
      vae.dispose();
    });
  });
});

describe.each(layouts)('the autoencoder of %s, on clips too large for one piece,', (_, folder) => {
  beforeAll(async () => {
    await selectBackend({ device: 'onnxruntime' });
  });

  test('codes tiles without a seam', async () => {
    const vae = await loadVae(folder);
    const before = tf.memory().numTensors;
    const video = tf.tidy(() => tf.tanh(noise([1, 3, 9, 160, 208], 5)));
    const whole = await vae.encode(video);
    const latents = noise([1, vae.config.z_dim, ...whole.shape.slice(2)], 6);
    const decoded = await vae.decode(latents);
    for (const tilePixels of [160 * 60, 48 * 48]) {
      const done: number[] = [];
      const options = { tilePixels, chunkFrames: 1, onProgress: (frame: number) => done.push(frame) };
      const [posterior, frames] = [await vae.encode(video, options), await vae.decode(latents, options)];
      expect(await largestDifference(posterior, whole)).toBeLessThan(1e-4);
      expect(await largestDifference(frames, decoded)).toBeLessThan(1 / 255 / 100); // of 2, the whole range
      expect(done.at(-1)).toBe(latents.shape[2]);
      tf.dispose([posterior, frames]);
    }
    const stop = new AbortController();
    const stopped = vae.decode(latents, { tilePixels: 48 * 48, signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    tf.dispose([video, whole, latents, decoded]);
    expect(tf.memory().numTensors).toBe(before);
    vae.dispose();
  });

  test('needs no more memory for a long clip than for a short one', async () => {
    const vae = await loadVae(folder);
    const marks: { used: number; tensors: number }[] = [];
    const latents = noise([1, vae.config.z_dim, 24, 4, 6], 7);
    for await (const chunk of vae.decodeChunks(latents, { chunkFrames: 1 })) {
      chunk.dispose();
      marks.push({ used: lazyBackend()!.memory().usedBytes, tensors: tf.memory().numTensors });
    }
    expect(marks).toHaveLength(24);
    for (const later of marks.slice(4)) expect(later).toEqual(marks[3]);
    latents.dispose();
    vae.dispose();
  });
});

const noise = (shape: number[], seed: number) =>
  tf.tensor(new Random(seed).normals(tf.util.sizeFromShape(shape)), shape);

async function largestDifference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [await a.data<'float32'>(), await b.data<'float32'>()];
  return x.reduce((largest, value, index) => Math.max(largest, Math.abs(value - y[index]!)), 0);
}
