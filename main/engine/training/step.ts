import { type Additions, hooksOf } from '../adapters/additions.ts';
import { kindOf, type Parts } from '../adapters/parts.ts';
import * as tf from '../backends/tf.ts';
import { type Traced, traced } from '../backends/traced.ts';
import { withoutGradient } from '../backends/without-gradient.ts';
import { type StagePlan, tokenRows, trainedNames } from '../methods/method.ts';
import type { Hooks } from '../nn/hooks.ts';
import { type AdamWOptions, type AdamWRates, type AdamWState, adamW, clipGlobalNorm, type Tensors } from './adamw.ts';
import { addNoise, debiasedLoss, predictedClean, velocityLoss } from './flow-matching.ts';

/**
 * A frozen model as training sees it. All tensors of one batch; differentiable in what the hooks compute
 * with.
 */
export interface TrainableModel {
  /** Whether the model takes its own previous prediction as further input. */
  selfConditioned: boolean;
  /**
   * noisy and previous [batch, channels, frames, height, width], time [batch, time features], text [batch,
   * tokens, width] -> the predicted velocity, as noisy. `previous` is null for a model without
   * self-conditioning.
   */
  denoise(noisy: tf.Tensor, previous: tf.Tensor | null, timestep: tf.Tensor, text: tf.Tensor, hooks: Hooks): tf.Tensor;
  /**
   * The captions that hold learned tokens [captions, tokens, width], from those tokens' embeddings [count,
   * text width].
   */
  encodeLearned?(tokens: tf.Tensor2D): tf.Tensor;
}

/** Everything about one step that comes from its data. */
export type Batch = {
  clean: tf.Tensor /* [batch, channels, frames, height, width] */;
  noise: tf.Tensor /* as clean */;
  /** Noise level s of each row [batch, 1, 1, 1, 1] and its features for the model [batch, time features]. */
  level: tf.Tensor;
  timestep: tf.Tensor;
  /**
   * Encoded texts [texts, tokens, width], and which of them each row has, as ones and zeros [batch, texts
   * (learned ones first)].
   */
  texts: tf.Tensor;
  choice: tf.Tensor;
  /** 0 where a prompt token is dropped [batch, tokens, 1]. */
  kept: tf.Tensor;
  /** How much each row's loss counts [batch, 1, 1, 1, 1]. */
  weight: tf.Tensor;
  /**
   * 1 at a random frame of each row, else 0 [batch, 1, frames, 1, 1]; where the error without appearance
   * counts too.
   */
  anchor?: tf.Tensor;
  /** Appearance of a picture of each row [batch, values], for parts that are conditioned on it. */
  appearance?: tf.Tensor;
  /** Weights by name -> what their numbers are multiplied by in this step, of their shape. */
  masks: Tensors;
};

export type StepInputs = {
  /** Of all parts, and the special tokens where they learn. */
  weights: Tensors;
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
  parts: Parts;
  plan: Pick<StagePlan, 'trains' | 'acts'> & Partial<Pick<StagePlan, 'debiased'>>;
  optimiser: AdamWOptions;
  gradientClip: number;
}

/**
 * One step of a stage: forward, backward, clipping and AdamW, recorded once per shape of its batch. With
 * `selfConditioning` the model first predicts without gradient, and that prediction is fed back
 * (docs/method.md, regulariser 4).
 */
export function conceptStep(model: TrainableModel, options: StepOptions, selfConditioning: boolean) {
  const optimiser = adamW(options.optimiser);
  const names = trainedNames(options.plan);
  return traced(({ weights, moments, batch, rates }: StepInputs): StepOutputs => {
    const noisy = addNoise(batch.clean, batch.noise, batch.level);
    const predict = (given: Tensors, text: tf.Tensor, previous: tf.Tensor | null) =>
      model.denoise(noisy, previous, batch.timestep, text, hooksOf(additionsOf(options, given, batch)));
    const start = model.selfConditioned ? tf.zerosLike(noisy) : null;
    const ownPrediction = withoutGradient((text) => predictedClean(noisy, predict(weights, text, start), batch.level));

    const trainable = names.map((name) => weights[name]!);
    const { value: loss, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const given = { ...weights, ...Object.fromEntries(names.map((name, index) => [name, values[index]!])) };
      const text = textOf(model, given, batch); // once for both passes
      const previous = start && selfConditioning ? ownPrediction(text) : start;
      const velocity = predict(given, text, previous);
      const { clean, noise, weight, anchor } = batch;
      const whole = velocityLoss(velocity, clean, noise, weight);
      if (!anchor) return whole;
      const debiased = debiasedLoss(velocity, { clean, noise, weight, anchor });
      return tf.add(whole, tf.mul(debiased, options.plan.debiased ?? 0)) as tf.Scalar;
    })(trainable);
    const named = (values: tf.Tensor[]): Tensors =>
      Object.fromEntries(names.map((name, index) => [name, values[index]!]));
    const { gradients } = clipGlobalNorm(named(grads), options.gradientClip);
    const { parameters, state } = optimiser.update(named(trainable), gradients, moments, rates);
    return { trained: parameters, moments: state, loss };
  });
}

export type ConceptStep = Traced<StepInputs, StepOutputs>;

/** What the parts of a stage add: of those that act everything, of the others what learns. */
function additionsOf({ parts, plan }: StepOptions, weights: Tensors, { masks, appearance }: Batch): Additions[] {
  return Object.entries(parts).flatMap(([name, part]) => {
    const kind = kindOf(part);
    const tensors = plan.acts.includes(name) ? Object.keys(kind.tensors()) : (plan.trains[name] ?? []);
    if (tensors.length === 0) return [];
    const masked = tensors.map((tensor): [string, tf.Tensor] => {
      const [weight, mask] = [weights[`${name}.${tensor}`]!, masks[`${name}.${tensor}`]];
      return [tensor, mask ? tf.mul(weight, mask) : weight];
    });
    return [kind.add(Object.fromEntries(masked), appearance)];
  });
}

/**
 * Each row's text, with dropped tokens as zeros, which is what padding is to the model: -> [batch, tokens,
 * width]
 */
function textOf(model: TrainableModel, weights: Tensors, { texts, choice, kept }: Batch): tf.Tensor {
  const rows = weights[tokenRows] as tf.Tensor2D | undefined;
  const learned = rows && model.encodeLearned?.(rows);
  const all = learned ? tf.concat([learned, texts], 0) : texts;
  const [count, tokens, width] = all.shape as [number, number, number];
  const chosen = tf.matMul(choice, tf.reshape(all, [count, tokens * width])); // [batch, tokens * width]
  return tf.mul(tf.reshape(chosen, [choice.shape[0]!, tokens, width]), kept);
}
