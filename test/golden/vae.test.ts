import { describe, expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
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
