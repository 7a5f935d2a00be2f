import { beforeAll, expect, it } from 'vitest';
import { freshWeights, type Parts } from '../../../../main/engine/adapters/parts.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { adamW, type Tensors } from '../../../../main/engine/training/adamw.ts';
import { conceptStep, type TrainableModel } from '../../../../main/engine/training/step.ts';
import { toyLayers, toyModel, toyRecipe } from './toy.ts';

beforeAll(() => tf.setBackend('cpu'));

/** What one step learns of the same weights and data with this model. */
function learned(model: TrainableModel, selfConditioning: boolean) {
  const random = new Random('step');
  const normals = (...shape: number[]) => tf.tensor(random.normals(shape.reduce((a, b) => a * b)), shape);
  const recipe = toyRecipe();
  const shape = { layers: toyLayers, rank: 2, basisSide: recipe.basisSide };
  const parts: Parts = { concept: { kind: 'basis', shape } };
  const plan = { trains: { concept: ['basis', 'coefficients'], words: ['rows'] }, acts: [] };
  const options = { parts, plan, optimiser: recipe, gradientClip: 1e9 };
  const fresh: Tensors = { ...freshWeights(parts, random), 'words.rows': normals(2, 2) };
  const coefficients = normals(...fresh['concept.coefficients']!.shape);
  const weights: Tensors = { ...fresh, 'concept.coefficients': coefficients };
  const names = ['concept.basis', 'concept.coefficients', 'words.rows'];
  return conceptStep(model, options, selfConditioning).run({
    weights,
    moments: adamW(recipe).init(Object.fromEntries(names.map((name) => [name, weights[name]!]))),
    batch: {
      clean: normals(2, 3, 1, 1, 1),
      noise: normals(2, 3, 1, 1, 1),
      level: tf.tensor([0.3, 0.6], [2, 1, 1, 1, 1]),
      timestep: normals(2, 1),
      texts: normals(1, 2, 2),
      choice: tf.tensor2d([1, 0, 0, 0, 1, 0], [2, 3]),
      kept: tf.ones([2, 2, 1]),
      weight: tf.ones([2, 1, 1, 1, 1]),
      masks: {},
    },
    rates: {
      learningRate: Object.fromEntries(names.map((name) => [name, tf.scalar(0.1)])),
      correction1: tf.scalar(0.1),
      correction2: tf.scalar(0.01),
    },
  });
}

it('feeds back what the model itself predicts without learning through it, and reads the captions once', async () => {
  const toy = toyModel();
  const seen: tf.Tensor[] = [];
  let encodings = 0;
  const watched: TrainableModel = {
    ...toy,
    denoise(noisy, previous, ...rest) {
      seen.push(tf.keep(tf.tensor(previous!.arraySync() as number[][][][][])));
      return toy.denoise(noisy, previous, ...rest);
    },
    encodeLearned(tokens) {
      encodings++;
      return toy.encodeLearned!(tokens);
    },
  };
  const conditioned = await learned(watched, true);
  expect(encodings).toBe(1);
  expect(seen).toHaveLength(2);
  expect(seen[0]!.dataSync().every((value) => value === 0)).toBe(true);
  expect(seen[1]!.dataSync().every((value) => value !== 0)).toBe(true);

  const given = await learned({ ...toy, denoise: (noisy, _, ...rest) => toy.denoise(noisy, seen[1]!, ...rest) }, false);
  const plain = await learned(toy, false);
  // The first moments are the gradients' tenth, before AdamW makes steps of equal length of them.
  for (const name of ['concept.basis', 'concept.coefficients', 'words.rows']) {
    const values = ({ moments }: typeof given) => Array.from(moments.first[name]!.dataSync());
    for (const [index, value] of values(given).entries()) expect(values(conditioned)[index]).toBeCloseTo(value, 6);
    expect(values(plain)).not.toEqual(values(given));
  }
});
