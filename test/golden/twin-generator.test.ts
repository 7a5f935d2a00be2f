import { describe, expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWeights, readJson } from '../../main/engine/formats/diffusers.ts';
import { generatorConfigSchema, generatorSpecs } from '../../main/engine/models/twin-generator/generator-config.ts';
import {
  fromTokens,
  type GeneratorParameters,
  generatorFlow,
  toTokens,
} from '../../main/engine/models/twin-generator/generator-network.ts';
import { loadParameters, parametersToWrite } from '../../main/engine/nn/parameters.ts';
import { timestepFeatures } from '../../main/engine/nn/positions.ts';
import { treeEntries, treeFromEntries } from '../../main/engine/nn/tree.ts';
import { expectGolden, golden, onEachBackend, openCase, relativeError } from './golden.ts';

async function open(name: string) {
  const config = await readJson(golden(`${name}/config.json`), generatorConfigSchema);
  const source = await openWeights(golden(name));
  const parameters = (await loadParameters(source, generatorSpecs(config))) as GeneratorParameters;
  await source.close();
  const expected = await openCase(`${name}/golden`);
  const sigma = Array.from(await expected.sigma!.data());
  const timeFeatures = timestepFeatures(
    sigma.map((value) => 1000 * value),
    config.time_features,
  );
  return { config, parameters, expected, given: { timeFeatures, text: expected.text! } };
}

/** Of the pictures that its twin was made for: rows and columns of the structure. */
const grid = [3, 2] as const;

onEachBackend(() => {
  describe.each(['twin-generator', 'twin-generator-path'])('%s', (name) => {
    test('a generator predicts the flow of both latents as its reference does', async () => {
      const { config, parameters, expected, given } = await open(name);
      const tokens = toTokens({ structure: expected.z_s!, dynamics: expected.z_d! });
      await expectGolden(tokens.structure, expected.structure!);
      await expectGolden(tokens.dynamics, expected.dynamics!);
      const back = fromTokens(config, tokens, grid);
      await expectGolden(back.structure, expected.z_s!);
      await expectGolden(back.dynamics, expected.z_d!);
      const flow = tf.tidy(
        () => generatorFlow(config, parameters, tokens, given, grid) as unknown as tf.TensorContainer,
      );
      const { structure, dynamics } = flow as unknown as typeof tokens;
      await expectGolden(structure, expected['flow of structure']!);
      await expectGolden(dynamics, expected['flow of dynamics']!);
    });

    test('it has the gradient of every weight', async () => {
      const { config, parameters, expected, given } = await open(name);
      const entries = treeEntries(parameters);
      const tokens = { structure: expected.structure!, dynamics: expected.dynamics! };
      const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
        const tree = treeFromEntries(entries.map(([path], index) => [path, values[index]!])) as GeneratorParameters;
        const flow = generatorFlow(config, tree, tokens, given, grid);
        const off = tf.square(tf.sub(flow.dynamics, tokens.dynamics));
        return tf.add(tf.mean(tf.square(flow.structure)), tf.mean(off)) as tf.Scalar;
      })(entries.map(([, tensor]) => tensor));
      await expectGolden(value, expected.loss!);
      const gradients = treeFromEntries(entries.map(([path], index) => [path, grads[index]!]));
      const wrong: [string, number][] = [];
      for (const { name, values } of parametersToWrite(gradients, generatorSpecs(config))) {
        const stored = typeof values === 'function' ? await values() : values;
        const error = relativeError(stored, await expected[`gradient ${name}`]!.data());
        if (!(error < 1e-4)) wrong.push([name, error]);
      }
      expect(wrong).toEqual([]);
    });
  });
});
