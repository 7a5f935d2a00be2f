import '@tensorflow/tfjs-backend-cpu/dist/index.js';
import { freshWeights, type Parts } from '../../../../main/engine/adapters/parts.ts';
import type { ConceptShape } from '../../../../main/engine/adapters/set-and-sequence.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { methodOf } from '../../../../main/engine/methods/registry.ts';
import { hookedLinear } from '../../../../main/engine/nn/hooks.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import type { StageData, TextBank } from '../../../../main/engine/training/batches.ts';
import type { TrainableModel } from '../../../../main/engine/training/step.ts';
import { freshState, type TrainingRun } from '../../../../main/engine/training/train.ts';
import { type Recipe, type RecipeInput, recipe } from '../../../../shared/domain/recipe.ts';

/** Three channels of one pixel, so that a model of two layers can say what a picture is. */
export const toyLayers: ConceptShape['layers'] = [
  { path: 'first', inSize: 8, outSize: 6 },
  { path: 'second', inSize: 6, outSize: 3 },
];

/** A frozen model: [noisy, previous, text, time] -> velocity, with two layers that a concept can change. */
export function toyModel(selfConditioned = true): TrainableModel {
  const random = new Random('toy denoiser');
  const first = { weight: tf.tensor2d(random.normals(48), [8, 6]) };
  const second = { weight: tf.tensor2d(random.normals(18), [6, 3]) };
  return {
    selfConditioned,
    denoise(noisy, previous, time, text, hooks) {
      const [batch, , frames] = noisy.shape as [number, number, number, number, number];
      const rows = (x: tf.Tensor) => tf.reshape(tf.transpose(x, [0, 2, 1, 3, 4]), [batch * frames, 3]);
      const perFrame = (x: tf.Tensor) =>
        tf.reshape(tf.tile(tf.reshape(x, [batch, 1, 1]), [1, frames, 1]), [batch * frames, 1]);
      const input = tf.concat(
        [
          rows(noisy),
          rows(previous ?? tf.zerosLike(noisy)),
          perFrame(tf.mean(text, [1, 2])),
          perFrame(tf.mean(time, 1)),
        ],
        1,
      ); // [batch * frames, 8]
      const hidden = tf.tanh(hookedLinear(hooks, 'first', first, input));
      const output = hookedLinear(hooks, 'second', second, hidden);
      return tf.transpose(tf.reshape(output, [batch, frames, 3, 1, 1]), [0, 2, 1, 3, 4]);
    },
    // Each of two learned captions is its token's embedding at both of its places.
    encodeLearned: (tokens) => tf.tile(tf.reshape(tokens, [2, 1, 2]), [1, 2, 1]),
  };
}

export const toyRecipe = (changes: RecipeInput = {}): Recipe =>
  recipe.parse({
    rank: 2,
    stepsIdentity: 6,
    stepsMotion: 6,
    batchSize: 4,
    batchSizeMotion: 4,
    learningRate: 0.02,
    checkpointEvery: 4,
    ...changes,
  });

const picture = (...latents: number[]) => ({ latents: Float32Array.from(latents), shape: [3, 1, 1, 1], text: 0 });

const toyData: { pictures: StageData; clips: StageData } = {
  pictures: {
    concept: [[picture(1, -1, 0.5), picture(0.8, -1.2, 0.4)]],
    stitched: [],
    prior: [{ ...picture(-1, 0, 1), text: 3 }],
  },
  clips: {
    concept: [[{ latents: Float32Array.of(1, 0.8, -1, -1.2, 0.5, 0.4), shape: [3, 2, 1, 1], text: 1 }]],
    stitched: [],
    prior: [{ latents: Float32Array.of(-1, -1, 0, 0, 1, 1), shape: [3, 2, 1, 1], text: 3 }],
  },
};

export function toyBank(): TextBank {
  return { learned: 2, encoded: tf.tensor3d([0, 0, 0, 0, 1, 1, -1, 1], [2, 2, 2]), lengths: [2, 2, 1, 2], empty: 2 };
}

/** A run on the toy model, with every checkpoint and loss that it reports. */
export function toyRun(recipe: Recipe, changes: Partial<TrainingRun> = {}) {
  const shape: ConceptShape = { layers: toyLayers, rank: recipe.rank, basisSide: recipe.basisSide };
  const parts: Parts = { concept: { kind: 'basis', shape } };
  const losses: number[] = [];
  const model = toyModel();
  const run: TrainingRun = {
    parts,
    recipe,
    plans: methodOf(recipe).stages(recipe, { moving: true, tokensLearn: recipe.tokenLearningRate > 0 }),
    stageOf: async (_, kind) => ({ model, data: toyData[kind], bank: toyBank() }),
    noiseLevels: { distribution: 'uniform', shift: 2 },
    timeFeatures: (levels) => tf.tensor2d([...levels], [levels.length, 1]),
    isEnough: () => false,
    onStep: ({ loss }) => void losses.push(loss),
    save: async () => {},
    ...changes,
  };
  const state = freshState({ ...freshWeights(parts, new Random(recipe.seed)), 'words.rows': tf.zeros([2, 2]) });
  return { run, state, losses };
}
