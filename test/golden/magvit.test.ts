import { expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWeights, readJson } from '../../main/engine/formats/diffusers.ts';
import { openVideoAutoencoder } from '../../main/engine/models/autoencoders.ts';
import { videoToFrames } from '../../main/engine/models/frames.ts';
import { openMagvitAutoencoder } from '../../main/engine/models/magvit/magvit-autoencoder.ts';
import { magvitConfigSchema, magvitSpecs } from '../../main/engine/models/magvit/magvit-config.ts';
import { decodeChunk, encodeChunk, type MagvitParameters } from '../../main/engine/models/magvit/magvit-network.ts';
import { loadParameters, parametersToWrite } from '../../main/engine/nn/parameters.ts';
import { disposeTree, treeEntries, treeFromEntries } from '../../main/engine/nn/tree.ts';
import { expectGolden, golden, onEachBackend, openCase, relativeError } from './golden.ts';

async function open() {
  const config = await readJson(golden('magvit/config.json'), magvitConfigSchema);
  const source = await openWeights(golden('magvit'));
  const parameters = (await loadParameters(source, magvitSpecs(config))) as MagvitParameters;
  await source.close();
  return { config, parameters, expected: await openCase('magvit/golden') };
}

/** The only chunk of its clip. */
const only = () => ({ before: undefined, after: {} });
const halves = (moments: tf.Tensor) => tf.split(moments, 2, 1) as [tf.Tensor, tf.Tensor];
const first = (x: tf.Tensor) => tf.slice(x, [0, 0, 0, 0, 0], [1, -1, -1, -1, -1]);

onEachBackend(() => {
  test('the causal autoencoder computes every stage as its reference does', async () => {
    const { config, parameters, expected } = await open();
    const found: Record<string, tf.Tensor> = {};
    const watch = (path: string, x: tf.Tensor) => {
      found[path] = x;
    };
    const clip = first(expected.clip!);
    const [mean, logvar] = halves(encodeChunk(config, parameters, only(), clip, watch));
    const decoded = decodeChunk(config, parameters, only(), mean, watch);
    const picture = tf.slice(clip, [0, 0, 0, 0, 0], [1, -1, 1, -1, -1]);
    const [pictureMean] = halves(encodeChunk(config, parameters, only(), picture));
    Object.assign(found, { mean, logvar, decoded, 'picture mean': pictureMean });
    found['picture decoded'] = decodeChunk(config, parameters, only(), pictureMean);
    const left = Object.keys(expected).filter((key) => !(key in found) && !/^(gradient |losses|clip$)/.test(key));
    expect(left).toEqual([]);
    for (const [key, tensor] of Object.entries(found)) await expectGolden(tensor, expected[key]!);
  });

  test('it has the losses of its reference, and the gradient of every weight', async () => {
    const { config, parameters, expected } = await open();
    const clip = expected.clip!;
    const entries = treeEntries(parameters);
    let parts: tf.Tensor | undefined;
    const { grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const given = treeFromEntries(entries.map(([path], index) => [path, values[index]!])) as MagvitParameters;
      const [mean, logvar] = halves(encodeChunk(config, given, only(), clip));
      const difference = tf.sub(decodeChunk(config, given, only(), mean), clip);
      const [l1, squares] = [tf.mean(tf.abs(difference)), tf.mean(tf.square(difference))];
      const kl = tf.mul(tf.sum(tf.sub(tf.add(tf.square(mean), tf.exp(logvar)), tf.add(logvar, 1))), 0.5 / 2);
      const total = tf.addN([l1, squares, tf.mul(kl, 0.001 / (3 * 12 * 20))]) as tf.Scalar;
      parts = tf.keep(tf.stack([total, l1, squares, kl]));
      return total;
    })(entries.map(([, tensor]) => tensor));
    await expectGolden(parts!, expected['losses: total, l1, squares, kl']!);
    const gradients = treeFromEntries(entries.map(([path], index) => [path, grads[index]!]));
    const wrong: [string, number][] = [];
    for (const { name, values } of parametersToWrite(gradients, magvitSpecs(config))) {
      const stored = typeof values === 'function' ? await values() : values;
      const error = relativeError(stored, await expected[`gradient ${name}`]!.data());
      if (!(error < 1e-4)) wrong.push([name, error]);
    }
    expect(wrong).toEqual([]);
    parts!.dispose();
  });

  test.each([99, 1])(
    'its folder is opened by its class, and codes clips in chunks of %i latent frames',
    async (chunkFrames) => {
      const { expected, config, parameters } = await open();
      disposeTree(parameters);
      const pictures = await videoToFrames(first(expected.clip!));
      const whole = await openVideoAutoencoder(golden('magvit'));
      expect(whole).toMatchObject({ latentChannels: 3, strides: { frames: 4, height: 4, width: 4 } });
      const autoencoder = await openMagvitAutoencoder(golden('magvit'));
      const done: number[] = [];
      const options = { chunkFrames, onProgress: (frames: number) => done.push(frames) };
      const latents = await autoencoder.encodeFrames(pictures, options);
      const scale = (values: number[]) => tf.tensor(values, [1, 3, 1, 1, 1]);
      const raw = tf.add(tf.mul(latents, scale(config.latents_std)), scale(config.latents_mean));
      // Pictures are bytes, the reference's clip is not.
      expect(relativeError(await raw.data(), await expected.mean!.data())).toBeLessThan(2e-2);
      expect(done).toEqual(chunkFrames === 1 ? [1, 5, 9] : [9]);
      await expectGolden(await whole.encodeFrames(pictures), latents);
      const [made, atOnce] = [await autoencoder.decodeFrames(latents, options), await whole.decodeFrames(latents)];
      expect(made).toMatchObject({ count: 9, width: 20, height: 12 });
      const apart = made.data.reduce((most, value, i) => Math.max(most, Math.abs(value - atOnce.data[i]!)), 0);
      expect(apart).toBeLessThanOrEqual(1); // a rounding that falls the other way
      await autoencoder.dispose();
      await whole.dispose();
    },
  );

  test('it leaves nothing behind, also when stopped half way', async () => {
    const before = tf.memory().numTensors;
    const autoencoder = await openMagvitAutoencoder(golden('magvit'));
    const pictures = { data: new Uint8Array(9 * 8 * 8 * 3), count: 9, width: 8, height: 8 };
    const stop = new AbortController();
    const stopped = autoencoder.encodeFrames(pictures, {
      chunkFrames: 1,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    (await autoencoder.encodeFrames(pictures)).dispose();
    await autoencoder.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('it refuses clips that do not fit its strides', async () => {
    const autoencoder = await openVideoAutoencoder(golden('magvit'));
    expect(() => autoencoder.checkVideoSize(4, 8, 8)).toThrow('4 frames cannot be encoded: 1, 5, 9...');
    expect(() => autoencoder.checkVideoSize(5, 8, 10)).toThrow('multiples of 4');
  });
});
