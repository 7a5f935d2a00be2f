import { expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWeights } from '../../main/engine/formats/diffusers.ts';
import {
  type DiscriminatorParameters,
  discriminate,
  discriminatorSpecs,
  hingeLoss,
} from '../../main/engine/models/vidtwin/patch-discriminator.ts';
import { twinSpecs } from '../../main/engine/models/vidtwin/twin-parameters.ts';
import { loadParameters, type ParameterSpecs, parametersToWrite } from '../../main/engine/nn/parameters.ts';
import { treeEntries, treeFromEntries } from '../../main/engine/nn/tree.ts';
import type { Tensors } from '../../main/engine/training/adamw.ts';
import { twinGradients } from '../../main/engine/training/twin/twin-gradients.ts';
import { expectGolden, golden, onEachBackend, openCase, relativeError } from './golden.ts';
import { openGoldenJudge, openGoldenTwin, toClip } from './vidtwin.ts';

async function openDiscriminator() {
  const source = await openWeights(golden('vidtwin/discriminator'));
  const parameters = (await loadParameters(source, discriminatorSpecs(2))) as DiscriminatorParameters;
  await source.close();
  return parameters;
}

/** Gradients in memory's layout against those of PyTorch's: which are too far off. */
async function wrongOnes(found: Tensors, specs: ParameterSpecs, expected: Tensors, prefix: string) {
  const wrong: [string, number][] = [];
  for (const { name, values } of parametersToWrite(treeFromEntries(Object.entries(found)), specs)) {
    // It moves all channels of a token alike, which every norm takes away: the gradient is zero but for rounding.
    if (name === 'structure.queries_to_frames.bias') continue;
    const stored = typeof values === 'function' ? await values() : values;
    const error = relativeError(stored, await expected[prefix + name]!.data());
    if (!(error < 1e-4)) wrong.push([name, error]);
  }
  return wrong;
}

onEachBackend(() => {
  test('the patch discriminator judges and learns as its reference does', async () => {
    const parameters = await openDiscriminator();
    const expected = await openCase('vidtwin/discriminator/golden');
    await expectGolden(discriminate(parameters, expected.real!), expected.logits!);
    const entries = treeEntries(parameters);
    const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const given = treeFromEntries(entries.map(([name], index) => [name, values[index]!])) as DiscriminatorParameters;
      return hingeLoss(discriminate(given, expected.real!), discriminate(given, expected.fake!));
    })(entries.map(([, tensor]) => tensor));
    await expectGolden(value, expected.hinge!);
    const found = Object.fromEntries(entries.map(([name], index) => [name, grads[index]!]));
    expect(await wrongOnes(found, discriminatorSpecs(2), expected, 'gradient ')).toEqual([]);
    const towards = tf.grad((frames) => tf.neg(tf.mean(discriminate(parameters, frames))))(expected.fake!);
    await expectGolden(towards, expected['gradient of fake']!);
  });

  test.each([false, true])(
    'a step with every term has the losses, the balance and the gradients of its reference (recomputed: %s)',
    async (recompute) => {
      const { config, parameters } = await openGoldenTwin('full');
      const expected = await openCase('vidtwin/training/golden');
      const [first, second] = tf.unstack(expected.clips!) as [tf.Tensor, tf.Tensor];
      const found = twinGradients(
        {
          config,
          perceptual: await openGoldenJudge(),
          weights: { perceptual: 0.05, adversarial: 0.05, divergence: 0.001 },
          recompute,
        },
        { judges: true, isJudged: true },
        Object.fromEntries(treeEntries(parameters)),
        Object.fromEntries(treeEntries(await openDiscriminator())),
        {
          clips: tf.concat([toClip(first), toClip(second)], 0),
          noise: { structure: expected.noise_s!, dynamics: expected.noise_d! },
          keep: {
            structure: tf.tensor([1, 0], [2, 1, 1, 1], 'float32'),
            dynamics: tf.tensor([0, 1], [2, 1, 1, 1], 'float32'),
          },
          looked: tf.tensor([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0], [2, 6]),
        },
      );
      const { loss, l1, perceptual, divergence } = found.terms;
      await expectGolden(tf.stack([loss, l1, perceptual, divergence]), expected['losses: total, l1, perceptual, kl']!);
      const { network, balance, discriminator } = found.adversarial;
      await expectGolden(
        tf.stack([network!, balance!, discriminator!]),
        expected['adversarial: network, balance, discriminator']!,
      );
      expect(await wrongOnes(found.gradients, twinSpecs(config), expected, 'gradient ')).toEqual([]);
      expect(await wrongOnes(found.judging, discriminatorSpecs(2), expected, 'judge gradient ')).toEqual([]);
    },
  );
});
