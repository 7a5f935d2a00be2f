import { beforeAll, describe, expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWeights, readJson } from '../../main/engine/formats/diffusers.ts';
import { createVae } from '../../main/engine/models/wan/vae.ts';
import type { VaeParameters } from '../../main/engine/models/wan/vae-coders.ts';
import { vaeConfigSchema, vaeSpecs } from '../../main/engine/models/wan/vae-config.ts';
import { loadParameters } from '../../main/engine/nn/parameters.ts';
import { expectGolden, golden, openCase } from './golden.ts';

const layouts = [
  ['Wan 2.1', 'model/vae', 'wan21'],
  ['Wan 2.2', 'residual', 'wan22'],
] as const;

async function load(folder: string) {
  const config = await readJson(`${golden(folder)}/config.json`, vaeConfigSchema);
  const source = await openWeights(golden(folder));
  const parameters = (await loadParameters(source, vaeSpecs(config))) as VaeParameters;
  await source.close();
  return createVae(config, parameters);
}

beforeAll(() => tf.setBackend('cpu'));

describe.each(layouts)('the autoencoder of %s', (_, folder, name) => {
  test.each([
    ['a picture', 1, undefined],
    ['17 frames at once', 17, 99],
    ['17 frames, one latent frame at a time', 17, 1],
    ['17 frames in chunks of two latent frames', 17, 2],
  ])('codes %s as in diffusers', async (_, frames, chunkFrames) => {
    const vae = await load(folder);
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
    const vae = await load(folder);
    const { strides, channels } = { strides: [8, 8], channels: 3 };
    const video = tf.zeros([1, channels, 9, 2 * strides[0]!, strides[1]!]);
    const stop = new AbortController();
    const stopped = vae.encode(video, { chunkFrames: 1, signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    tf.dispose([video, await vae.encode(video)]);
    vae.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('refuses clips that do not fit its strides', async () => {
    const vae = await load(folder);
    await expect(vae.encode(tf.zeros([1, 3, 4, 8, 8]))).rejects.toThrow('4 frames cannot be encoded: 1, 5, 9...');
    await expect(vae.encode(tf.zeros([1, 3, 5, 8, 12]))).rejects.toThrow('multiples of 8');
    vae.dispose();
  });
});
