import { createHash } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { hooksOf } from '../../main/engine/adapters/additions.ts';
import { conceptFromLora } from '../../main/engine/adapters/lora.ts';
import { lowRankAdditions } from '../../main/engine/adapters/set-and-sequence.ts';
import { targetLayers } from '../../main/engine/adapters/target-layers.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWeights, readJson } from '../../main/engine/formats/diffusers.ts';
import { readLora, writeLora } from '../../main/engine/formats/lora.ts';
import { type TransformerParameters, timeFeatures, wanTransformer } from '../../main/engine/models/wan/transformer.ts';
import { transformerConfigSchema, transformerSpecs } from '../../main/engine/models/wan/transformer-config.ts';
import { linearLayers } from '../../main/engine/nn/linear-layers.ts';
import { loadParameters } from '../../main/engine/nn/parameters.ts';
import { loraDialect } from '../../shared/domain/export.ts';
import { expectGolden, golden, openCase } from './golden.ts';

const endings = [
  ...['attn1', 'attn2'].flatMap((name) => ['to_q', 'to_k', 'to_v', 'to_out.0'].map((layer) => `${name}.${layer}`)),
  'ffn.net.0.proj',
  'ffn.net.2',
];

beforeAll(() => tf.setBackend('cpu'));

async function load() {
  const config = await readJson(`${golden('model/transformer')}/config.json`, transformerConfigSchema);
  const source = await openWeights(golden('model/transformer'));
  const parameters = (await loadParameters(source, transformerSpecs(config))) as TransformerParameters;
  await source.close();
  return { config, parameters, layers: targetLayers(linearLayers(transformerSpecs(config)), endings) };
}

test('a LoRA that PEFT saved acts as in diffusers', async () => {
  const { config, parameters, layers } = await load();
  const lora = await readLora(golden('lora-peft.safetensors'));
  expect(lora).toMatchObject({ dialect: 'diffusers', rank: 3 });
  expect(lora.layers).toHaveLength(20);
  const { shape, values } = conceptFromLora(lora.layers, layers);
  const basis = tf.tensor2d(values.basis, [values.basis.length / 3, 3]);
  const coefficients = tf.tensor2d(values.coefficients, [3, values.coefficients.length / 3]);
  const { latents, text, timestep, flow } = await openCase('lora');
  const features = timeFeatures(config, Array.from(await timestep!.data()));
  const hooks = hooksOf([lowRankAdditions(shape, basis, coefficients)]);
  await expectGolden(
    wanTransformer(config, parameters, { latents: latents!, text: text!, timestep: features }, { hooks }) as tf.Tensor,
    flow!,
  );
});

describe('what Motif writes was loaded by PEFT with the same outputs', () => {
  for (const dialect of loraDialect.options) {
    test(`in the ${dialect} dialect`, async () => {
      const { layers } = await load();
      const lora = await readLora(golden('lora-peft.safetensors'));
      const folder = process.env.MOTIF_GOLDEN_WRITE ?? (await mkdtemp(join(tmpdir(), 'motif-lora-')));
      const file = join(folder, `${dialect}.safetensors`);
      await writeLora(file, lora.layers, dialect, layers);
      const results = JSON.parse(await readFile(golden('lora-written.json'), 'utf8'));
      expect(
        createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
      ).toBe(results[dialect].sha256);
      expect(results[dialect].relativeError).toBeLessThan(1e-4);
    });
  }
});
