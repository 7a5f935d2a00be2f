import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshWeights } from '../../../../main/engine/adapters/parts.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { dataKinds, trainedNames } from '../../../../main/engine/methods/method.ts';
import { methodOf } from '../../../../main/engine/methods/registry.ts';
import { wanShape } from '../../../../main/engine/models/wan/denoiser.ts';
import { openWanPipeline, type WanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import { timeFeatures } from '../../../../main/engine/models/wan/transformer.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { adamW, biasCorrections, type Tensors } from '../../../../main/engine/training/adamw.ts';
import { type BatchOptions, drawBatch } from '../../../../main/engine/training/batches.ts';
import { learnableModel } from '../../../../main/engine/training/learnable-model.ts';
import { conceptStep } from '../../../../main/engine/training/step.ts';
import { train } from '../../../../main/engine/training/train.ts';
import type { RecipeInput } from '../../../../shared/domain/recipe.ts';
import { referenceStep } from './reference-step.ts';
import { toyRecipe, toyRun } from './toy.ts';

/** TensorFlow.js' plain backend computes in JavaScript alone, whose results no processor changes, so these hashes hold everywhere. */

async function learnedHash(changes: RecipeInput): Promise<string> {
  const { run, state } = toyRun(toyRecipe(changes));
  const { weights, losses } = await train(run, state);
  const hash = createHash('sha256');
  for (const name of Object.keys(weights).sort()) {
    const { buffer, byteOffset, byteLength } = weights[name]!.dataSync() as Float32Array;
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  hash.update(Float64Array.from(losses, ({ loss }) => loss));
  return hash.digest('hex').slice(0, 16);
}

describe('what is learned is what was learned before', () => {
  const cases: [string, RecipeInput, string][] = [
    ['by Set-and-Sequence', {}, '506b5a25fe8400b5'],
    ['with the basis on the input side', { basisSide: 'input' }, '6a865970e784fb1e'],
    ['with frozen tokens', { tokenLearningRate: 0 }, 'a2d8e3a35e563d90'],
    [
      'with tokens that learn fast, after a warm-up',
      { tokenLearningRate: 0.1, schedule: 'warmup', warmupSteps: 4 },
      '2e53f94fd9464e68',
    ],
    [
      'without regularisers',
      {
        regularisers: {
          priorPreservation: false,
          coefficientDropout: false,
          textTokenMasking: false,
          selfConditioning: false,
        },
      },
      '2717d05152b0217e',
    ],
    ['by plain LoRA', { method: 'lora' }, '9d7ae6363ce5e88e'],
  ];
  beforeAll(() => tf.setBackend('cpu'));
  it.each(cases)('%s', async (_, changes, expected) => {
    expect(await learnedHash(changes)).toBe(expected);
  });
});

/**
 * ONNX Runtime chooses its kernels by the processor, so that hashes of what it computes would hold on one machine only. There, the step is
 * compared with one written out as the equations stand, on a whole transformer.
 */
describe('on ONNX Runtime a step learns to the bit what the equations written out learn', () => {
  let pipeline: WanPipeline;
  beforeAll(async () => {
    await selectBackend({ device: 'onnxruntime', threads: 1 });
    pipeline = await openWanPipeline(fileURLToPath(new URL('../../../golden/model', import.meta.url)));
  });
  afterAll(() => pipeline.dispose());

  it.each([
    ['set-and-sequence', 0, true],
    ['set-and-sequence', 1, true],
    ['set-and-sequence', 1, false],
    ['lora', 0, true],
  ] as const)('%s, stage %i, self-conditioned: %s', async (method, index, conditioned) => {
    const recipe = toyRecipe({ method, learningRate: 1e-2, tokenLearningRate: 1e-3 });
    const plan = methodOf(recipe).stages(recipe, { moving: true, tokensLearn: true })[index]!;
    const [kind] = dataKinds(plan);
    const { transformerConfig: config, extras, textEncoderConfig } = pipeline;
    const captions = ['a [v] dog on the beach runs in [u] motion'];
    const model = await learnableModel(pipeline, captions, ['v', 'u'], 64e9);
    const parts = methodOf(recipe).parts(wanShape(config), recipe);
    const { kind: partKind, shape } = parts.concept!;
    if (partKind !== 'basis') throw new Error(`expected a basis, found ${partKind}`);
    const options = { parts, plan, optimiser: recipe, gradientClip: recipe.gradientClip };
    const names = trainedNames(plan);
    const frames = kind === 'pictures' ? 1 : 2;
    const random = new Random('micro');
    const size = [config.out_channels, frames, 4, 4];
    const example = { latents: random.normals(size.reduce((a, b) => a * b)), shape: size, text: 0 };
    const bank = {
      learned: 1,
      encoded: tf.zeros([1, extras.maxTextTokens, config.text_dim]) as tf.Tensor3D,
      lengths: [8, 0],
      empty: 1,
    };
    const startingAt = () => {
      const weights = freshWeights(parts, new Random('weights'));
      const name = 'concept.coefficients';
      const width = textEncoderConfig.d_model;
      const tokens = tf.tensor2d(new Random('tokens').normals(2 * width), [2, width]);
      const coefficients = tf.tensor(new Random('B1').normals(weights[name]!.size), weights[name]!.shape);
      return { ...weights, [name]: coefficients, 'words.rows': tokens };
    };
    const batchOptions: BatchOptions = {
      recipe,
      plan,
      noiseLevels: { distribution: 'uniform', shift: 3 },
      timeFeatures: (levels) => timeFeatures(config, [...levels]),
      kind: kind!,
      weightShapes: Object.fromEntries(Object.entries(startingAt()).map(([name, { shape }]) => [name, shape])),
    };
    const data = { concept: [[example]], stitched: [], prior: [] };
    const afterThree = async (step: typeof reference) => {
      let weights: Tensors = startingAt();
      let moments = adamW(recipe).init(pick(weights, names));
      for (const number of [1, 2, 3]) {
        const [correction1, correction2] = biasCorrections(recipe, number);
        const { trained, moments: next } = await step.run({
          weights,
          moments,
          batch: drawBatch(new Random(number), data, bank, batchOptions),
          rates: {
            learningRate: Object.fromEntries(names.map((name) => [name, tf.scalar(recipe.learningRate)])),
            correction1: tf.scalar(correction1),
            correction2: tf.scalar(correction2),
          },
        });
        weights = { ...weights, ...trained };
        moments = next;
      }
      return Promise.all(names.map((name) => weights[name]!.data()));
    };
    const reference = referenceStep(model, { shape, names, recipe }, conditioned);
    const expected = await afterThree(reference);
    const found = await afterThree(conceptStep(model, options, conditioned));
    for (const [at, values] of expected.entries()) expect(found[at]).toEqual(values);
  });
});

const pick = (tensors: Tensors, names: readonly string[]): Tensors =>
  Object.fromEntries(names.map((name) => [name, tensors[name]!]));
