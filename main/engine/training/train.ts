import type { LossPoint } from '../../../shared/domain/engine.ts';
import type { Recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { type ConceptShape, type ConceptWeights, conceptSizes, sum } from '../adapters/set-and-sequence.ts';
import * as tf from '../backends/tf.ts';
import { Random } from '../nn/random.ts';
import { type AdamWOptions, adamW, biasCorrections, type Tensors } from './adamw.ts';
import { type BatchOptions, disposeBatch, drawBatch, type StageData, type TextBank } from './batches.ts';
import type { TrainingState } from './checkpoint.ts';
import type { NoiseLevels } from './flow-matching.ts';
import type { StagePlan } from './plan.ts';
import { learningRateFactor } from './schedule.ts';
import { type ConceptStep, conceptStep, type StepInputs, type TrainableModel, trainedNames } from './step.ts';

/** What one stage needs. */
interface StageMaterial {
  model: TrainableModel;
  data: StageData;
  /** Its encoded texts are freed when the stage ends. */
  bank: TextBank;
}

export interface TrainingRun {
  shape: ConceptShape;
  recipe: Recipe;
  plans: StagePlan[];
  /** Asked when a stage begins. */
  stageOf(plan: StagePlan): Promise<StageMaterial>;
  trainTokens: boolean;
  noiseLevels: NoiseLevels;
  timeFeatures(levels: readonly number[]): tf.Tensor;
  signal?: AbortSignal;
  /** Whether to end now with what was learned so far, as if all steps were done. */
  isEnough(): boolean;
  /** After every step; `state` must be left as it is, and is only valid until this resolves. */
  onStep(point: LossPoint, state: TrainingState): void | Promise<void>;
  save(state: TrainingState): Promise<void>;
}

/** Where a fresh run stands. The state owns the weights. */
export function freshState(weights: Tensors): TrainingState {
  return { stage: 0, step: 0, weights, moments: { first: {}, second: {} }, losses: [] };
}

/**
 * Trains all stages from where `state` stands to their end, and answers the final state. The given state's tensors are freed as they are
 * replaced. When aborted, saves a checkpoint and throws `cancelled`.
 */
export async function train(run: TrainingRun, state: TrainingState): Promise<TrainingState> {
  for (const [index, plan] of run.plans.entries()) {
    if (state.stage !== index) continue;
    await trainStage(run, plan, state);
    tf.dispose(state.moments as unknown as tf.TensorContainer);
    state.moments = { first: {}, second: {} };
    state.stage = index + 1;
    state.step = 0;
    await run.save(state);
  }
  return state;
}

async function trainStage(run: TrainingRun, plan: StagePlan, state: TrainingState): Promise<void> {
  if (state.step >= plan.steps) return;
  const { recipe } = run;
  const optimiser: AdamWOptions = recipe;
  const stepOptions = {
    stage: plan.trains,
    shape: run.shape,
    optimiser,
    gradientClip: recipe.gradientClip,
    trainTokens: run.trainTokens,
  };
  const { model, data, bank } = await run.stageOf(plan);
  const steps = {
    plain: conceptStep(model, stepOptions, false),
    conditioned: conceptStep(model, stepOptions, true),
  };
  const names = trainedNames(stepOptions);
  if (Object.keys(state.moments.first).length === 0) state.moments = adamW(optimiser).init(pick(state.weights, names));
  const { coefficientSizes } = conceptSizes(run.shape);
  const batchOptions: BatchOptions = {
    recipe,
    plan,
    noiseLevels: run.noiseLevels,
    timeFeatures: run.timeFeatures,
    coefficientShape: [run.shape.rank, sum(coefficientSizes)],
  };
  try {
    while (state.step < plan.steps && !run.isEnough()) {
      if (run.signal?.aborted) return await stop(run, state);
      const step = state.step + 1;
      const random = new Random(`${recipe.seed}/${plan.label}/${step}`);
      const conditioned =
        model.selfConditioned &&
        recipe.regularisers.selfConditioning &&
        random.uniform() < recipe.selfConditioningProbability;
      const factor = learningRateFactor(recipe, step);
      const rates = {
        names,
        learningRate: recipe.learningRate * factor,
        tokenLearningRate: recipe.tokenLearningRate * factor,
        optimiser,
      };
      const batch = drawBatch(random, data, bank, batchOptions);
      const chosen = conditioned ? steps.conditioned : steps.plain;
      const loss = await runStep(chosen, state, step, { batch, rates, signal: run.signal }).catch((error) => {
        if (run.signal?.aborted) return undefined; // the state is still that of the step before
        throw error;
      });
      if (loss === undefined) return await stop(run, state);
      state.step = step;
      const point: LossPoint = { stage: plan.label, step, loss, learningRate: recipe.learningRate * factor };
      state.losses.push(point);
      if (!Number.isFinite(loss))
        throw new AppError('invalid-input', `learning diverged at step ${step} (the loss is ${loss})`, {
          hint: 'Use a smaller learning rate.',
        });
      await run.onStep(point, state);
      if (step % recipe.checkpointEvery === 0 && step < plan.steps) await run.save(state);
    }
  } finally {
    steps.plain.dispose();
    steps.conditioned.dispose();
    bank.encoded.dispose();
  }
}

/** Saves where the run stands and throws `cancelled`. */
async function stop(run: TrainingRun, state: TrainingState): Promise<never> {
  await run.save(state);
  throw new AppError('cancelled', 'Learning was stopped; it can go on from where it stands.');
}

interface StepContext {
  signal: AbortSignal | undefined;
  batch: StepInputs['batch'];
  rates: { names: string[]; learningRate: number; tokenLearningRate: number; optimiser: AdamWOptions };
}

/** Runs one step and puts its results into the state; answers the loss. */
async function runStep(
  step: ConceptStep,
  state: TrainingState,
  number: number,
  { batch, rates: { names, learningRate, tokenLearningRate, optimiser }, signal }: StepContext,
): Promise<number> {
  const [correction1, correction2] = biasCorrections(optimiser, number);
  const rates = {
    learningRate: Object.fromEntries(
      names.map((name) => [name, tf.scalar(name === 'tokens' ? tokenLearningRate : learningRate)]),
    ),
    correction1: tf.scalar(correction1),
    correction2: tf.scalar(correction2),
  };
  try {
    const weights = state.weights as ConceptWeights & { tokens?: tf.Tensor2D };
    const { trained, moments, loss } = await step.run({ weights, moments: state.moments, batch, rates }, signal);
    tf.dispose([pick(state.weights, names), state.moments] as unknown as tf.TensorContainer);
    state.weights = { ...state.weights, ...trained };
    state.moments = moments;
    const [value] = await loss.data();
    loss.dispose();
    return value!;
  } finally {
    disposeBatch(batch);
    tf.dispose(rates as unknown as tf.TensorContainer);
  }
}

function pick(tensors: Tensors, names: readonly string[]): Tensors {
  return Object.fromEntries(names.map((name) => [name, tensors[name]!]));
}
