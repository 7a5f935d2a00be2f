import { describe, expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { perceptualDistance } from '../../main/engine/models/judge/perceptual.ts';
import { causalBias, tokenPositions, twinBlock } from '../../main/engine/models/vidtwin/twin-blocks.ts';
import { latentNumbers, twinAblations } from '../../main/engine/models/vidtwin/twin-config.ts';
import {
  embedLatents,
  encodeTokens,
  twinDecode,
  twinDivergence,
  twinEncode,
  twinMoments,
  twinPatches,
} from '../../main/engine/models/vidtwin/twin-network.ts';
import { type TwinParameters, twinSpecs } from '../../main/engine/models/vidtwin/twin-parameters.ts';
import { linear } from '../../main/engine/nn/linear.ts';
import { parametersToWrite } from '../../main/engine/nn/parameters.ts';
import { disposeTree, treeEntries, treeFromEntries } from '../../main/engine/nn/tree.ts';
import { expectGolden, onEachBackend, openCase, relativeError } from './golden.ts';
import { openGoldenJudge, openGoldenTwin, toClip } from './vidtwin.ts';

/** And the whole one with patches of two frames and a linear code of four kinds beside it, as the one that comes along. */
const ablations = [...Object.keys(twinAblations), 'direct'];

async function openClips() {
  const stored = await openCase('vidtwin/clips');
  const [a, b] = [toClip(stored.a!), toClip(stored.b!)];
  tf.dispose(stored);
  return { a, b };
}

/** First and last frame of tokens [1, frames, ...] -> [2, ...] */
const ends = (x: tf.Tensor) => tf.gather(tf.squeeze(x, [0]), tf.tensor1d([0, x.shape[1]! - 1], 'int32'));
/** First and last frame of a clip [1, 3, frames, ...] -> [3, 2, ...] */
const endFrames = (x: tf.Tensor) => tf.gather(tf.squeeze(x, [0]), tf.tensor1d([0, x.shape[2]! - 1], 'int32'), 1);

/** [batch, 3, frames, height, width] -> [batch * frames, 3, height, width] */
const frames = (x: tf.Tensor) =>
  tf.reshape(tf.transpose(x, [0, 2, 1, 3, 4]), [x.shape[0]! * x.shape[2]!, 3, x.shape[3]!, x.shape[4]!]);

onEachBackend(() => {
  describe.each(ablations)('VidTwin, %s', (name) => {
    test('computes every stage as its reference does', async () => {
      const { config, parameters } = await openGoldenTwin(name);
      const { a, b } = await openClips();
      const expected = await openCase(`vidtwin/${name}/golden`);
      const size = [config.height, config.width] as const;
      const grid = [config.height / config.patch, config.width / config.patch] as const;
      const found: Record<string, tf.Tensor> = {};
      const moments = twinMoments(config, parameters, a);
      const shorten = (x: tf.Tensor) => tf.squeeze(x, [0]);
      found.z_s = shorten(moments.structure.mean);
      found['z_s logvar'] = shorten(moments.structure.logVariance);
      if (moments.dynamics) {
        found.z_d = shorten(moments.dynamics.mean);
        found['z_d logvar'] = shorten(moments.dynamics.logVariance);
      }
      const latents = twinEncode(config, parameters, a);
      found.encoded = ends(encodeTokens(config, parameters, twinPatches(config, parameters, a), grid));
      found.reconstruction = endFrames(twinDecode(config, parameters, latents, size));
      if (config.disentangle) {
        found.u_s = ends(embedLatents(config, parameters, latents, grid, { dynamics: false }));
        found.u_d = ends(embedLatents(config, parameters, latents, grid, { structure: false }));
        found['structure only'] = endFrames(twinDecode(config, parameters, latents, size, { dynamics: false }));
        found['dynamics only'] = endFrames(twinDecode(config, parameters, latents, size, { structure: false }));
        const { dynamics } = twinEncode(config, parameters, b);
        found.cross = endFrames(twinDecode(config, parameters, { ...latents, dynamics }, size));
      }
      if (expected.patches) {
        const patches = twinPatches(config, parameters, a);
        const positions = tokenPositions(config.frames, grid, config.hidden);
        const embedded = tf.add(linear(parameters.patch_in, patches), positions);
        const context = { heads: config.heads, bias: causalBias(config.frames) };
        const first = (x: tf.Tensor) => tf.squeeze(tf.slice(x, [0, 0, 0, 0], [1, 1, -1, -1]), [0, 1]);
        found.patches = first(patches);
        found.positions = tf.gather(positions, tf.tensor1d([0, 1, config.frames - 1], 'int32'));
        found.embedded = first(embedded);
        found['encoder.0'] = first(twinBlock(parameters.encoder[0]!, embedded, context));
      }
      const left = Object.keys(expected).filter((key) => !(key in found) && !/^(gradient |losses|q_former)/.test(key));
      expect(left).toEqual([]);
      for (const [key, tensor] of Object.entries(found)) await expectGolden(tensor, expected[key]!);
    });

    test('has the losses of its reference, and the gradient of every weight', async () => {
      const { config, parameters } = await openGoldenTwin(name);
      const judge = await openGoldenJudge();
      const { a, b } = await openClips();
      const both = tf.concat([a, b], 0);
      const expected = await openCase(`vidtwin/${name}/golden`);
      const entries = treeEntries(parameters);
      let parts: tf.Tensor | undefined;
      const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
        const given = treeFromEntries(entries.map(([path], index) => [path, values[index]!])) as TwinParameters;
        const moments = twinMoments(config, given, both);
        const latents = { structure: moments.structure.mean, dynamics: moments.dynamics?.mean };
        const made = twinDecode(config, given, latents as never, [config.height, config.width]);
        const l1 = tf.mean(tf.abs(tf.sub(made, both)));
        const seen = perceptualDistance(judge, frames(made), frames(both));
        const divergence = twinDivergence(moments);
        const scale = 0.001 / (3 * config.height * config.width);
        const total = tf.addN([l1, tf.mul(seen, 0.05), tf.mul(divergence, scale)]);
        parts = tf.keep(tf.stack([total, l1, seen, divergence]));
        return total as tf.Scalar;
      })(entries.map(([, tensor]) => tensor));
      await expectGolden(parts!, expected['losses: total, l1, perceptual, kl']!);
      expect(await value.data()).toHaveLength(1);
      const gradients = treeFromEntries(entries.map(([path], index) => [path, grads[index]!]));
      const worst: [string, number][] = [];
      for (const { name: path, values } of parametersToWrite(gradients, twinSpecs(config))) {
        const reference = expected[`gradient ${path}`]!;
        const stored = typeof values === 'function' ? await values() : values;
        if (path === 'structure.queries_to_frames.bias') {
          // It moves all channels of a token alike, which every norm takes away: the gradient is zero but for rounding.
          expect(Math.max(...Array.from(stored, Math.abs))).toBeLessThan(1e-6);
          continue;
        }
        worst.push([path, relativeError(stored, await reference.data())]);
      }
      expect(worst.filter(([, error]) => !(error < 1e-4))).toEqual([]);
      parts!.dispose();
    });

    test('has the latents that its configuration says', async () => {
      const { config, parameters } = await openGoldenTwin(name);
      const { a } = await openClips();
      const { structure, dynamics } = twinEncode(config, parameters, a);
      expect(structure.size + (dynamics?.size ?? 0)).toBe(latentNumbers(config));
      const stored = config as unknown as { structureShape: number[]; dynamicsShape: number[] | null };
      expect(structure.shape.slice(1)).toEqual(stored.structureShape);
      expect(dynamics?.shape.slice(1) ?? null).toEqual(stored.dynamicsShape);
    });
  });

  test('encoding and decoding leave nothing behind', async () => {
    const { config, parameters } = await openGoldenTwin('full');
    const { a, b } = await openClips();
    const before = tf.memory().numTensors;
    const latents = twinEncode(config, parameters, a);
    const made = twinDecode(config, parameters, latents, [config.height, config.width]);
    tf.dispose([latents.structure, latents.dynamics!, made]);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([a, b]);
    disposeTree(parameters);
  });
});
