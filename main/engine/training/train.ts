import type { LossPoint } from '../../../shared/domain/engine.ts';
import type { Recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { kindOf, type Parts } from '../adapters/parts.ts';
import * as tf from '../backends/tf.ts';
import { type DataKind, dataKinds, type StagePlan, trainedNames } from '../methods/method.ts';
import { Random } from '../nn/random.ts';
import { type AdamWOptions, adamW, biasCorrections, type Tensors } from './adamw.ts';
import { type BatchOptions, disposeBatch, drawBatch, type StageData, type TextBank } from './batches.ts';
import type { TrainingState } from './checkpoint.ts';
import type { NoiseLevels } from './flow-matching.ts';
import { learningRateFactor } from './schedule.ts';
import { type ConceptStep, conceptStep, type StepInputs, type TrainableModel } from './step.ts';

/** What one stage needs of one kind of data. */
interface StageMaterial {
  model: TrainableModel;
  data: StageData;
  /** Its encoded texts are freed when the stage ends. */
  bank: TextBank;
}

export interface TrainingRun {
  parts: Parts;
  recipe: Recipe;
  plans: StagePlan[];
  /**
   * Asked when a stage begins, for each kind of data that it learns from; `weights` are those that it begins
   * with.
   */
  stageOf(plan: StagePlan, kind: DataKind, weights: Tensors): Promise<StageMaterial>;
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
 * Trains all stages from where `state` stands to their end, and answers the final state. The given state's
 * tensors are freed as they are replaced. When aborted, saves a checkpoint and throws `cancelled`.
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
  const stepOptions = { parts: run.parts, plan, optimiser, gradientClip: recipe.gradientClip };
  const names = trainedNames(plan);
  if (Object.keys(state.moments.first).length === 0) state.moments = adamW(optimiser).init(pick(state.weights, names));
  const batchOptions: Omit<BatchOptions, 'kind'> = {
    recipe,
    plan,
    noiseLevels: run.noiseLevels,
    timeFeatures: run.timeFeatures,
    weightShapes: weightShapes(run.parts),
  };
  const materials = new Map<DataKind, StageMaterial & Record<'plain' | 'conditioned', ConceptStep>>();
  try {
    for (const kind of dataKinds(plan)) {
      const material = await run.stageOf(plan, kind, state.weights);
      const step = (conditioned: boolean) => conceptStep(material.model, stepOptions, conditioned);
      materials.set(kind, { ...material, plain: step(false), conditioned: step(true) });
    }
    while (state.step < plan.steps && !run.isEnough()) {
      if (run.signal?.aborted) return await stop(run, state);
      const step = state.step + 1;
      const random = new Random(`${recipe.seed}/${plan.label}/${step}`);
      const kind = drawKind(random, plan);
      const { model, data, bank, ...steps } = materials.get(kind)!;
      const conditioned =
        model.selfConditioned &&
        recipe.regularisers.selfConditioning &&
        random.uniform() < recipe.selfConditioningProbability;
      const factor = learningRateFactor(recipe, step);
      const rates = { plan, factor, optimiser };
      const batch = drawBatch(random, data, bank, { ...batchOptions, kind });
      const chosen = conditioned ? steps.conditioned : steps.plain;
      const loss = await runStep(chosen, state, step, { batch, rates, signal: run.signal }).catch((error) => {
        if (run.signal?.aborted) return undefined; // the state is still that of the step before
        throw error;
      });
      if (loss === undefined) return await stop(run, state);
      state.step = step;
      const point: LossPoint = { stage: plan.label, step, loss, learningRate: Object.values(plan.rates)[0]! * factor };
      state.losses.push(point);
      if (!Number.isFinite(loss))
        throw new AppError('invalid-input', `learning diverged at step ${step} (the loss is ${loss})`, {
          hint: 'Use a smaller learning rate.',
        });
      await run.onStep(point, state);
      if (step % recipe.checkpointEvery === 0 && step < plan.steps) await run.save(state);
    }
  } finally {
    for (const { plain, conditioned, bank } of materials.values()) {
      plain.dispose();
      conditioned.dispose();
      bank.encoded.dispose();
    }
  }
}

/** Draws nothing where there is no choice. */
function drawKind(random: Random, plan: StagePlan): DataKind {
  const [only, ...others] = dataKinds(plan);
  if (others.length === 0) return only!;
  return random.uniform() < plan.pictureShare ? 'pictures' : 'clips';
}

function weightShapes(parts: Parts): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([name, part]) =>
      Object.entries(kindOf(part).tensors()).map(([tensor, shape]) => [`${name}.${tensor}`, shape]),
    ),
  );
}

/** Saves where the run stands and throws `cancelled`. */
async function stop(run: TrainingRun, state: TrainingState): Promise<never> {
  await run.save(state);
  throw new AppError('cancelled', 'Learning was stopped; it can be resumed.');
}

interface StepContext {
  signal: AbortSignal | undefined;
  batch: StepInputs['batch'];
  rates: { plan: StagePlan; factor: number; optimiser: AdamWOptions };
}

/** Runs one step and puts its results into the state; answers the loss. */
async function runStep(
  step: ConceptStep,
  state: TrainingState,
  number: number,
  { batch, rates: { plan, factor, optimiser }, signal }: StepContext,
): Promise<number> {
  const [correction1, correction2] = biasCorrections(optimiser, number);
  const rates = {
    learningRate: Object.fromEntries(
      Object.entries(plan.trains).flatMap(([part, tensors]) =>
        tensors.map((tensor) => [`${part}.${tensor}`, tf.scalar(plan.rates[part]! * factor)]),
      ),
    ),
    correction1: tf.scalar(correction1),
    correction2: tf.scalar(correction2),
  };
  try {
    const { weights } = state;
    const { trained, moments, loss } = await step.run({ weights, moments: state.moments, batch, rates }, signal);
    tf.dispose([pick(weights, trainedNames(plan)), state.moments] as unknown as tf.TensorContainer);
    state.weights = { ...weights, ...trained };
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
