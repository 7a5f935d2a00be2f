import * as tf from '../../backends/tf.ts';
import { openWeights, readJson } from '../../formats/diffusers.ts';
import { loadParameters } from '../../nn/parameters.ts';
import { type JudgeConfig, judgeConfigSchema, stageSpecs } from './judge-config.ts';
import { convolve, type JudgeParameters } from './judge-network.ts';

/** What is needed of a judge to compare pictures: its convolutions. */
export interface Perceptual {
  config: Pick<JudgeConfig, 'stages' | 'layerNormEpsilon'>;
  parameters: { stages: JudgeParameters['stages'] };
}

/** The convolutions of a judge's folder. The caller disposes of the parameters. Throws `not-found` or `damaged-file`. */
export async function openPerceptual(folder: string): Promise<Perceptual> {
  const config = await readJson(`${folder}/config.json`, judgeConfigSchema);
  const weights = await openWeights(folder);
  try {
    const parameters = await loadParameters(weights, stageSpecs(config.stages), { ignore: /^(?!stages\.)/ });
    return { config, parameters: parameters as Perceptual['parameters'] };
  } finally {
    await weights.close();
  }
}

/** Keeps lengths above zero. */
const epsilon = 1e-6;

/**
 * Perceptual distance, as LPIPS measures it (arXiv 1801.03924) but by the judge's own features, so that its numbers are not
 * comparable with LPIPS: features of each stage divided by their length over the channels, squared differences summed over channels, averaged
 * over places, frames and stages. 0 for equal pictures, at most 4. made and real [frames, 3, height, width] in -1..1 -> scalar, differentiable
 * in `made` alone. Each frame stands by itself: the change since the frame before counts as none. An odd row or column is left out.
 */
export function perceptualDistance(perceptual: Perceptual, made: tf.Tensor, real: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const wanted = pictureFeatures(perceptual, real);
    const found = pictureFeatures(perceptual, made);
    const distances = found.map((features, index) => {
      const difference = tf.squaredDifference(unit(features), unit(wanted[index]!));
      return tf.mean(tf.sum(difference, -1));
    });
    return tf.div(tf.addN(distances), distances.length) as tf.Scalar;
  });
}

function unit(features: tf.Tensor): tf.Tensor {
  return tf.div(features, tf.sqrt(tf.add(tf.sum(tf.square(features), -1, true), epsilon)));
}

/** frames [n, 3, height, width] in -1..1 -> features of each stage [n, rows, columns, channels] */
function pictureFeatures({ config, parameters }: Perceptual, frames: tf.Tensor): tf.Tensor[] {
  const found: tf.Tensor[] = [];
  let x = prepared(frames);
  for (const [index, { into, residuals }] of Object.entries(parameters.stages)) {
    x = convolve(config, into, x, config.stages[Number(index)]!.stride);
    for (const residual of Object.values(residuals ?? {})) x = tf.add(x, convolve(config, residual, x, 1));
    found.push(x);
  }
  return found;
}

/** [n, 3, height, width] -> [n, height / 2, width / 2, 17]: 2 x 2 pixels of each colour, no change, and the place x, y in -1..1 */
function prepared(frames: tf.Tensor): tf.Tensor {
  const [count, , height, width] = frames.shape as [number, number, number, number];
  const [rows, columns] = [height >> 1, width >> 1];
  const even = tf.slice(frames, [0, 0, 0, 0], [count, 3, 2 * rows, 2 * columns]);
  const apart = tf.reshape(even, [count, 3, rows, 2, columns, 2]);
  const pixels = tf.reshape(tf.transpose(apart, [0, 2, 4, 1, 3, 5]), [count, rows, columns, 12]);
  const place = new Float32Array(count * rows * columns * 5);
  for (let index = 0; index < count * rows * columns; index++) {
    place[index * 5 + 3] = ((index % columns) * 2 + 1) / columns - 1;
    place[index * 5 + 4] = ((Math.floor(index / columns) % rows) * 2 + 1) / rows - 1;
  }
  return tf.concat([pixels, tf.tensor(place, [count, rows, columns, 5])], -1);
}
