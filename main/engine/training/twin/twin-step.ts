import type { TwinTraining } from '../../../../shared/domain/twin.ts';
import * as tf from '../../backends/tf.ts';
import { type Traced, traced } from '../../backends/traced.ts';
import { type AdamWState, adamW, biasCorrections, clipGlobalNorm, type Tensors } from '../adamw.ts';
import { type TwinBatch, type TwinObjective, type TwinPhase, twinGradients } from './twin-gradients.ts';

type Rates = { learningRate: tf.Tensor; correction1: tf.Tensor; correction2: tf.Tensor };

export type TwinStepInputs = {
  weights: Tensors;
  moments: AdamWState;
  judge: Tensors;
  judgeMoments: AdamWState;
  batch: TwinBatch;
  rates: Rates;
  /** Of the discriminator, which begins to learn later. */
  judgeRates: Rates;
};

export type TwinStepOutputs = {
  weights: Tensors;
  moments: AdamWState;
  /** Empty unless the discriminator learns. */
  judge: Tensors;
  judgeMoments: AdamWState;
  terms: Record<string, tf.Tensor>;
};

/** As the paper's table of settings, but for betas that suit a short training. */
const betas = { beta1: 0.9, beta2: 0.99 };
const judgeLearningRate = 1e-4;
const judgeGradientClip = 1;

/** One step of a phase: gradients, clipping, AdamW of the network, and of the discriminator where it learns. */
export function twinStep(
  objective: TwinObjective,
  training: TwinTraining,
  phase: TwinPhase,
): Traced<TwinStepInputs, TwinStepOutputs> {
  return traced(({ weights, moments, judge, judgeMoments, batch, rates, judgeRates }): TwinStepOutputs => {
    const found = twinGradients(objective, phase, weights, judge, batch);
    const { gradients } = clipGlobalNorm(found.gradients, training.gradientClip);
    // Biases and norms do not decay.
    const isMatrix = (name: string) => weights[name]!.shape.length > 1;
    const matrices = update(training.weightDecay, filter(weights, isMatrix), gradients, moments, rates);
    const others = update(
      0,
      filter(weights, (name) => !isMatrix(name)),
      gradients,
      moments,
      rates,
    );
    const judged = phase.judges
      ? update(
          training.weightDecay,
          judge,
          clipGlobalNorm(found.judging, judgeGradientClip).gradients,
          judgeMoments,
          judgeRates,
        )
      : { parameters: {}, state: { first: {}, second: {} } };
    // In the order in which they came: the next step is the same recording, and sums are summed as before.
    const joined = (some: Tensors, rest: Tensors) =>
      Object.fromEntries(Object.keys(weights).map((name) => [name, some[name] ?? rest[name]!]));
    return {
      weights: joined(matrices.parameters, others.parameters),
      moments: {
        first: joined(matrices.state.first, others.state.first),
        second: joined(matrices.state.second, others.state.second),
      },
      judge: judged.parameters,
      judgeMoments: judged.state,
      terms: { ...found.terms, ...nameAdversarial(found.adversarial) },
    };
  });
}

function nameAdversarial({ network, balance, discriminator }: ReturnType<typeof twinGradients>['adversarial']) {
  return {
    ...(network && balance ? { adversarial: network, balance } : {}),
    ...(discriminator ? { discriminator } : {}),
  };
}

function update(weightDecay: number, weights: Tensors, gradients: Tensors, moments: AdamWState, rates: Rates) {
  const names = Object.keys(weights);
  const own = (tensors: Tensors) => Object.fromEntries(names.map((name) => [name, tensors[name]!]));
  const learningRate = Object.fromEntries(names.map((name) => [name, rates.learningRate]));
  return adamW({ ...betas, weightDecay }).update(
    weights,
    own(gradients),
    { first: own(moments.first), second: own(moments.second) },
    { ...rates, learningRate },
  );
}

function filter(tensors: Tensors, keeps: (name: string) => boolean): Tensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => keeps(name)));
}

export const zeroMoments = (weights: Tensors): AdamWState => adamW({ ...betas, weightDecay: 0 }).init(weights);

/** The rates of step 1, 2, ... of the network, and of the discriminator, which has learned for `judged` steps. The caller disposes of them. */
export function ratesOf(
  learningRate: number,
  step: number,
  judged: number,
): Pick<TwinStepInputs, 'rates' | 'judgeRates'> {
  const rates = (rate: number, steps: number): Rates => {
    const [correction1, correction2] = biasCorrections({ ...betas, weightDecay: 0 }, Math.max(1, steps));
    return {
      learningRate: tf.scalar(rate),
      correction1: tf.scalar(correction1),
      correction2: tf.scalar(correction2),
    };
  };
  return { rates: rates(learningRate, step), judgeRates: rates(judgeLearningRate, judged) };
}

/** For a batch of 32, as the Python training has it. */
const referenceRate = 1.5e-3;
const referenceBatch = 32;

/** Rises over the first steps, then falls along a cosine to 0. `step` from 1. */
export function twinLearningRate(training: TwinTraining, isTrainedOn: boolean, step: number): number {
  const { learningRate, batchSize, warmUp, steps } = training;
  const usual = referenceRate * Math.sqrt(batchSize / referenceBatch) * (isTrainedOn ? 1 / 3 : 1);
  const progress = (step - 1) / steps;
  const rising = warmUp > 0 ? Math.min(1, (progress + 1 / steps) / warmUp) : 1;
  const falling = 0.5 + 0.5 * Math.cos(Math.PI * Math.max(0, (progress - warmUp) / (1 - warmUp || 1)));
  return (learningRate ?? usual) * rising * falling;
}

/** The adversarial terms of a step: the discriminator learns first, and counts a twentieth of the steps later. */
export function phaseOf({ adversarial, adversarialFrom, steps }: TwinTraining, step: number): TwinPhase {
  const progress = (step - 1) / steps;
  const isOn = adversarial > 0;
  return { judges: isOn && progress >= adversarialFrom, isJudged: isOn && progress >= adversarialFrom + 0.05 };
}

/** So many steps up to this one did the discriminator learn in. */
export function judgedSteps(training: TwinTraining, step: number): number {
  if (training.adversarial === 0) return 0;
  return Math.max(0, step - Math.ceil(training.adversarialFrom * training.steps - 1e-9));
}
