import * as tf from '../../main/engine/backends/tf.ts';
import { openWeights, readJson } from '../../main/engine/formats/diffusers.ts';
import { stageSpecs } from '../../main/engine/models/judge/judge-config.ts';
import type { Perceptual } from '../../main/engine/models/judge/perceptual.ts';
import { twinConfigSchema } from '../../main/engine/models/vidtwin/twin-config.ts';
import { type TwinParameters, twinSpecs } from '../../main/engine/models/vidtwin/twin-parameters.ts';
import { loadParameters } from '../../main/engine/nn/parameters.ts';
import { golden } from './golden.ts';

/** A random network, whole or an ablation. */
export async function openGoldenTwin(name: string) {
  const config = await readJson(golden(`vidtwin/${name}/config.json`), twinConfigSchema);
  const source = await openWeights(golden(`vidtwin/${name}`));
  const parameters = (await loadParameters(source, twinSpecs(config))) as TwinParameters;
  await source.close();
  return { config, parameters };
}

/** A judge's convolutions, random too. */
export async function openGoldenJudge(): Promise<Perceptual> {
  const stages = [0, 2, 2, 1].map((residuals, index) => ({
    channels: [4, 6, 6, 8][index]!,
    stride: index ? 2 : 1,
    residuals,
  }));
  const source = await openWeights(golden('vidtwin/judge'));
  const parameters = (await loadParameters(source, stageSpecs(stages))) as Perceptual['parameters'];
  await source.close();
  return { config: { stages, layerNormEpsilon: 1e-5 }, parameters };
}

/** uint8 [frames, height, width, 3] -> [1, 3, frames, height, width] in -1..1 */
export const toClip = (pictures: tf.Tensor) =>
  tf.tidy(() => tf.expandDims(tf.sub(tf.div(tf.transpose(pictures, [3, 0, 1, 2]), 127.5), 1), 0));
