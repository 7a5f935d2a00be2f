import { openWeights, readJson } from '../../main/engine/formats/diffusers.ts';
import type { TransformerParameters } from '../../main/engine/models/wan/transformer.ts';
import { transformerConfigSchema, transformerSpecs } from '../../main/engine/models/wan/transformer-config.ts';
import { createVae } from '../../main/engine/models/wan/vae.ts';
import type { VaeParameters } from '../../main/engine/models/wan/vae-coders.ts';
import { vaeConfigSchema, vaeSpecs } from '../../main/engine/models/wan/vae-config.ts';
import { loadParameters } from '../../main/engine/nn/parameters.ts';
import { golden } from './golden.ts';

/** A transformer alone, from its folder. */
export async function loadTransformer(folder: string) {
  const config = await readJson(`${golden(folder)}/config.json`, transformerConfigSchema);
  const source = await openWeights(golden(folder));
  const parameters = (await loadParameters(source, transformerSpecs(config))) as TransformerParameters;
  await source.close();
  return { config, parameters };
}

/** An autoencoder alone, from its folder. */
export async function loadVae(folder: string) {
  const config = await readJson(`${golden(folder)}/config.json`, vaeConfigSchema);
  const source = await openWeights(golden(folder));
  const parameters = (await loadParameters(source, vaeSpecs(config))) as VaeParameters;
  await source.close();
  return createVae(config, parameters);
}
