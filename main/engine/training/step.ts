import {
  type ConceptShape,
  type ConceptWeights,
  identityAdapter,
  motionAdapter,
} from '../adapters/set-and-sequence.ts';
import * as tf from '../backends/tf.ts';
import { type Traced, traced } from '../backends/traced.ts';
import type { Hooks } from '../nn/hooks.ts';
import { type AdamWOptions, type AdamWRates, type AdamWState, adamW, clipGlobalNorm, type Tensors } from './adamw.ts';
import { addNoise, predictedClean, velocityLoss } from './flow-matching.ts';

export type Stage = 'identity' | 'motion';

/** A frozen model as training sees it. All tensors of one batch; differentiable in what the hooks compute with. */
export interface TrainableModel {
  /** Whether the model takes its own previous prediction as further input. */
  selfConditioned: boolean;
  /**
   * noisy and previous [batch, channels, frames, height, width], time [batch, time features], text [batch, tokens, width] -> the
   * predicted velocity, as noisy. `previous` is null for a model without self-conditioning.
   */
  denoise(noisy: tf.Tensor, previous: tf.Tensor | null, time: tf.Tensor, text: tf.Tensor, hooks: Hooks): tf.Tensor;
  /** The captions that hold learned tokens [captions, tokens, width], from those tokens' embeddings [count, text width]. */
  encodeLearned?(tokens: tf.Tensor2D): tf.Tensor;
}

/** Everything about one step that comes from its data. */
export type Batch = {
  clean: tf.Tensor /* [batch, channels, frames, height, width] */;
  noise: tf.Tensor /* as clean */;
  /** Noise level s of each row [batch, 1, 1, 1, 1] and its features for the model [batch, time features]. */
  level: tf.Tensor;
  time: tf.Tensor;
  /** Encoded texts [texts, tokens, width], and which of them each row has, as ones and zeros [batch, texts (learned ones first)]. */
  texts: tf.Tensor;
  choice: tf.Tensor;
  /** 0 where a prompt token is dropped [batch, tokens, 1]. */
  kept: tf.Tensor;
  /** How much each row's loss counts [batch, 1, 1, 1, 1]. */
  weight: tf.Tensor;
  /** On the weights of the trained coefficients, as they; absent without dropout. */
  mask?: tf.Tensor;
};

export type StepInputs = {
  /** `tokens` [count, text width]; without learned tokens absent. */
  weights: ConceptWeights & { tokens?: tf.Tensor2D };
  moments: AdamWState;
  batch: Batch;
  rates: AdamWRates;
};

export type StepOutputs = {
  /** The trained ones among the weights. */
  trained: Tensors;
  moments: AdamWState;
  loss: tf.Tensor;
};

export interface StepOptions {
  stage: Stage;
  shape: ConceptShape;
  optimiser: AdamWOptions;
  gradientClip: number;
  /** Learn the special tokens' embeddings too. */
  trainTokens: boolean;
}

/** Names of the weights that a stage trains: A1 and B1, or B2 alone (method.md), and the tokens if they learn. */
export function trainedNames({ stage, trainTokens }: Pick<StepOptions, 'stage' | 'trainTokens'>): string[] {
  return [...(stage === 'identity' ? ['basis', 'coefficients'] : ['residual']), ...(trainTokens ? ['tokens'] : [])];
}

/**
 * One step of a stage: forward, backward, clipping and AdamW, recorded once per shape of its batch.
 * With `selfConditioning` the model first predicts without gradient, and that prediction is fed back (method.md, regulariser 4).
 */
export function conceptStep(model: TrainableModel, options: StepOptions, selfConditioning: boolean) {
  const optimiser = adamW(options.optimiser);
  const names = trainedNames(options);
  return traced(({ weights, moments, batch, rates }: StepInputs): StepOutputs => {
    const noisy = addNoise(batch.clean, batch.noise, batch.level);
    const predict = (given: StepInputs['weights'], text: tf.Tensor, previous: tf.Tensor | null) =>
      model.denoise(noisy, previous, batch.time, text, adapterOf(options, given, batch.mask));
    const start = model.selfConditioned ? tf.zerosLike(noisy) : null;
    const ownPrediction = withoutGradient((text) => predictedClean(noisy, predict(weights, text, start), batch.level));

    const trainable = names.map((name) => (weights as Tensors)[name]!);
    const { value: loss, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const given = { ...weights, ...Object.fromEntries(names.map((name, index) => [name, values[index]!])) };
      const text = textOf(model, given, batch); // once for both passes
      const previous = start && selfConditioning ? ownPrediction(text) : start;
      return velocityLoss(predict(given, text, previous), batch.clean, batch.noise, batch.weight);
    })(trainable);
    const named = (values: tf.Tensor[]): Tensors =>
      Object.fromEntries(names.map((name, index) => [name, values[index]!]));
    const { gradients } = clipGlobalNorm(named(grads), options.gradientClip);
    const { parameters, state } = optimiser.update(named(trainable), gradients, moments, rates);
    return { trained: parameters, moments: state, loss };
  });
}

/** A function whose result counts as a constant, whatever it is computed from. */
const withoutGradient = (compute: (x: tf.Tensor) => tf.Tensor) =>
  tf.customGrad((x) => {
    const given = x as tf.Tensor;
    return { value: compute(given), gradFunc: () => tf.fill(given.shape, 0) };
  });

export type ConceptStep = Traced<StepInputs, StepOutputs>;

function adapterOf({ stage, shape }: StepOptions, weights: ConceptWeights, mask: tf.Tensor | undefined): Hooks {
  switch (stage) {
    case 'identity':
      return identityAdapter(shape, weights, mask as tf.Tensor2D | undefined);
    case 'motion':
      return motionAdapter(shape, weights, mask as tf.Tensor2D | undefined);
    default:
      throw new Error(`unknown stage ${stage satisfies never}`);
  }
}

/** Each row's text, with dropped tokens as zeros, which is what padding is to the model: -> [batch, tokens, width] */
function textOf(model: TrainableModel, weights: StepInputs['weights'], { texts, choice, kept }: Batch): tf.Tensor {
  const learned = weights.tokens && model.encodeLearned?.(weights.tokens);
  const all = learned ? tf.concat([learned, texts], 0) : texts;
  const [count, tokens, width] = all.shape as [number, number, number];
  const rows = tf.matMul(choice, tf.reshape(all, [count, tokens * width])); // [batch, tokens * width]
  return tf.mul(tf.reshape(rows, [choice.shape[0]!, tokens, width]), kept);
}
