import { describe, expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWeights, readJson } from '../../main/engine/formats/diffusers.ts';
import { openTwinAutoencoder } from '../../main/engine/models/autoencoders.ts';
import { generatorConfigSchema, generatorSpecs } from '../../main/engine/models/twin-generator/generator-config.ts';
import {
  cellsOf,
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
  test.each(['twin-generator', 'twin-generator-path'])(
    'the latents of %s are cut into tokens and back',
    async (name) => {
      const { config, expected } = await open(name);
      const tokens = toTokens({ structure: expected.z_s!, dynamics: expected.z_d! });
      await expectGolden(tokens.structure, expected.structure!);
      await expectGolden(tokens.dynamics, expected.dynamics!);
      const back = fromTokens(config, tokens, grid);
      await expectGolden(back.structure, expected.z_s!);
      await expectGolden(back.dynamics, expected.z_d!);
    },
  );

  describe.each(['twin-generator', 'twin-generator-path', 'twin-generator-common'])('%s', (name) => {
    test('a generator predicts the flow of both latents as its reference does', async () => {
      const { config, parameters, expected, given } = await open(name);
      const tokens = { structure: expected.structure!, dynamics: expected.dynamics! };
      const flow = tf.tidy(
        () => generatorFlow(config, parameters, tokens, given, grid) as unknown as tf.TensorContainer,
      );
      const { structure, dynamics } = flow as unknown as typeof tokens;
      await expectGolden(structure, expected['flow of structure']!);
      await expectGolden(dynamics, expected['flow of dynamics']!);
    });

    test('it has the gradient of every weight', async () => {
      const { config, parameters, expected, given } = await open(name);
      const entries = treeEntries(parameters).filter(([path]) => !path.startsWith('common'));
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
      const learned = new Map([...generatorSpecs(config)].filter(([path]) => !path.startsWith('common')));
      for (const { name, values } of parametersToWrite(gradients, learned)) {
        const stored = typeof values === 'function' ? await values() : values;
        const error = relativeError(stored, await expected[`gradient ${name}`]!.data());
        if (!(error < 1e-4)) wrong.push([name, error]);
      }
      expect(wrong).toEqual([]);
    });
  });

  test('a place that was made is coded as the kind of cells that suits it best, as its reference does', async () => {
    const { parameters, expected } = await open('twin-generator-common');
    const twin = await openTwinAutoencoder(golden('vidtwin/direct'));
    const tokens = tf.split(expected.structure!, 2, 0);
    const coded = await Promise.all(tokens.map((part) => twin.cells!.code(cellsOf(parameters.common!, part), grid)));
    await expectGolden(tf.concat(coded, 0), expected.coded!);
    await twin.dispose();
  });
});
