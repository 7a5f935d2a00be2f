import { beforeAll, expect, it } from 'vitest';
import { freshConcept } from '../../../../main/engine/adapters/set-and-sequence.ts';
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
  const options = { stage: 'identity', shape, optimiser: recipe, gradientClip: 1e9, trainTokens: true } as const;
  const weights = { ...freshConcept(shape, random), tokens: normals(2, 2) as tf.Tensor2D };
  const { basis, tokens } = weights;
  const coefficients = normals(...weights.coefficients.shape) as tf.Tensor2D;
  const trained: Tensors = { basis, coefficients, tokens };
  return conceptStep(model, options, selfConditioning).run({
    weights: { ...weights, coefficients },
    moments: adamW(recipe).init(trained),
    batch: {
      clean: normals(2, 3, 1, 1, 1),
      noise: normals(2, 3, 1, 1, 1),
      level: tf.tensor([0.3, 0.6], [2, 1, 1, 1, 1]),
      time: normals(2, 1),
      texts: normals(1, 2, 2),
      choice: tf.tensor2d([1, 0, 0, 0, 1, 0], [2, 3]),
      kept: tf.ones([2, 2, 1]),
      weight: tf.ones([2, 1, 1, 1, 1]),
    },
    rates: {
      learningRate: { basis: tf.scalar(0.1), coefficients: tf.scalar(0.1), tokens: tf.scalar(0.1) },
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
  for (const name of ['basis', 'coefficients', 'tokens']) {
    const values = ({ moments }: typeof given) => Array.from(moments.first[name]!.dataSync());
    for (const [index, value] of values(given).entries()) expect(values(conditioned)[index]).toBeCloseTo(value, 6);
    expect(values(plain)).not.toEqual(values(given));
  }
});
