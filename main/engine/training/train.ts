import type { LossPoint } from '../../../shared/domain/engine.ts';
import type { Recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { kindOf, type Parts } from '../adapters/parts.ts';
import * as tf from '../backends/tf.ts';
import { type DataKind, dataKinds, type StagePlan, stageOn, trainedNames } from '../methods/method.ts';
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
  /** Asked when a stage begins: of which weights only some numbers learn, 1 there, else 0. */
  masksOf?(plan: StagePlan): Promise<Readonly<Record<string, Float32Array>>>;
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
  const optimiser: AdamWOptions = plan.weightDecay === null ? recipe : { ...recipe, weightDecay: plan.weightDecay };
  const stepOptions = { parts: run.parts, optimiser, gradientClip: recipe.gradientClip };
  const names = trainedNames(plan);
  if (Object.keys(state.moments.first).length === 0) state.moments = adamW(optimiser).init(pick(state.weights, names));
  const batchOptions: Omit<BatchOptions, 'kind'> = {
    recipe,
    plan,
    noiseLevels: run.noiseLevels,
    timeFeatures: run.timeFeatures,
    weightShapes: weightShapes(run.parts),
    fixedMasks: (await run.masksOf?.(plan)) ?? {},
  };
  const materials = new Map<DataKind, StageMaterial & Record<'plain' | 'conditioned', ConceptStep>>();
  try {
    for (const kind of dataKinds(plan)) {
      const material = await run.stageOf(plan, kind, state.weights);
      const own = { ...stepOptions, plan: stageOn(plan, kind) };
      const step = (conditioned: boolean) => conceptStep(material.model, own, conditioned);
      materials.set(kind, { ...material, plain: step(false), conditioned: step(true) });
    }
    while (state.step < plan.steps && !run.isEnough()) {
      if (run.signal?.aborted) return await stop(run, state);
      const step = state.step + 1;
      const random = randomOf(recipe.seed, plan, step);
      const kind = drawKind(random, plan);
      const { model, data, bank, ...steps } = materials.get(kind)!;
      const conditioned =
        model.selfConditioned &&
        recipe.regularisers.selfConditioning &&
        random.uniform() < recipe.selfConditioningProbability;
      const factor = learningRateFactor(recipe, step);
      const rates = { plan: stageOn(plan, kind), factor, optimiser };
      const updates = plan.trainsFrom ? stepsOn(kind, plan, recipe.seed, step) : step;
      const batch = drawBatch(random, data, bank, { ...batchOptions, kind });
      const chosen = conditioned ? steps.conditioned : steps.plain;
      const loss = await runStep(chosen, state, updates, { batch, rates, signal: run.signal }).catch((error) => {
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

/** How many of the steps up to this one were on a kind of data: so often what learns from that alone was updated. */
function stepsOn(kind: DataKind, plan: StagePlan, seed: number, step: number): number {
  const kinds = Array.from({ length: step }, (_, before) => drawKind(randomOf(seed, plan, before + 1), plan));
  return kinds.filter((each) => each === kind).length;
}

/** Everything that is drawn in a step comes from its own generator, so that a run goes on exactly. */
function randomOf(seed: number, { label }: StagePlan, step: number): Random {
  return new Random(`${seed}/${label}/${step}`);
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

/** Runs one step, the `number`-th of what it trains, and puts its results into the state; answers the loss. */
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
    const names = trainedNames(plan);
    const { first, second } = state.moments;
    const before = { first: pick(first, names), second: pick(second, names) };
    const { trained, moments, loss } = await step.run({ weights, moments: before, batch, rates }, signal);
    tf.dispose([pick(weights, names), before] as unknown as tf.TensorContainer);
    state.weights = { ...weights, ...trained };
    state.moments = { first: { ...first, ...moments.first }, second: { ...second, ...moments.second } };
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
