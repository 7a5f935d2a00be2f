import { largestTokens, type ModelInfo, processBytes, usedShare, weightSizeOf } from './model.ts';
import { remarkOnForm, type WeightForm, type WeightSize, weightBytes } from './weight-form.ts';

/** What the memory of a learning depends on. */
export interface LearningSize extends WeightSize {
  /** Tokens of one picture, and of a whole clip. */
  pictureTokens: number;
  clipTokens: number;
  /** About how many values the backward pass needs of each token, of all blocks together. */
  activationsPerToken: number;
  /** Numbers that learn, in all stages. */
  learnedNumbers: number;
  /** Whether most steps first predict without gradient, and condition on that. */
  selfConditioning: boolean;
}

interface Batches {
  batchSize: number;
  batchSizeMotion: number;
}

export interface LearningPlan extends Batches {
  /** How the weights of the blocks are held. */
  form: WeightForm;
  /** What it takes at most. */
  bytes: number;
  /** Bytes of activations that a step may keep; one that has more computes its blocks again in the backward pass. */
  activationBytes: number;
  /** Whether the larger stage does. */
  recomputes: boolean;
  /** Whether there is so much. */
  fits: boolean;
}

/*
 * What memory goes to, found by measuring models of several widths, depths and batches (test/bench/plan.ts, test/bench/history.md).
 */

/** Of the bytes of activations, with their gradients: not all are alive at once. */
const perActivation = 1.7;
/** Each number that learns: itself and AdamW's two moments, before and after a step, and its gradient. */
const perLearned = 7;
/** Compiled programs, for each layer of a model that is compiled whole. */
const programBytesPerLayer = 12e6;
/**
 * Graphs of more nodes are compiled in pairs of blocks that share their programs (main/engine/backends/lazy/plan.ts). A step has about so many
 * for each layer, and more where the model predicts twice, to condition on its own prediction.
 */
const [nodesCompiledWhole, nodesPerLayer, nodesPerConditionedLayer] = [8000, 500, 850];
/** From so many rows on a program does not keep the changed weights W + A B for its backward pass (low-rank-linear.ts). */
const manyRows = 2048;
/** What a block is given, of all that its backward pass needs. */
const inputShare = 1 / 25;

/**
 * How a learning goes on with so much memory: with float32 weights and its activations kept, else with blocks computed again, else with
 * weights in fewer bits or streamed, else with smaller batches besides.
 */
export function planLearning(size: LearningSize, recipe: Batches, memoryBytes: number): LearningPlan {
  let { batchSize, batchSizeMotion } = recipe;
  for (;;) {
    const plans = size.forms.map((form) => planOf(size, { batchSize, batchSizeMotion }, form, memoryBytes));
    const fitting = plans.find(({ fits }) => fits);
    if (fitting) return fitting;
    if (batchSize === 1 && batchSizeMotion === 1) return plans.at(-1)!;
    // The larger stage first, and both where they are alike.
    const [pictures, clips] = [batchSize * size.pictureTokens, batchSizeMotion * size.clipTokens];
    if (batchSize > 1 && (pictures >= clips || batchSizeMotion === 1)) batchSize = Math.ceil(batchSize / 2);
    else batchSizeMotion = Math.ceil(batchSizeMotion / 2);
  }
}

function planOf(size: LearningSize, batches: Batches, form: WeightForm, memoryBytes: number): LearningPlan {
  const stages = [batches.batchSize * size.pictureTokens, batches.batchSizeMotion * size.clipTokens];
  const kept = bytesOf(size, Math.max(...stages), form, false);
  const activationBytes = Math.max(0, usedShare * memoryBytes - kept.fixed) / perActivation;
  const recomputes = kept.activations > activationBytes;
  const { fixed, activations } = recomputes ? bytesOf(size, Math.max(...stages), form, true) : kept;
  const bytes = fixed + activations * perActivation;
  return { ...batches, form, bytes, activationBytes, recomputes, fits: bytes <= usedShare * memoryBytes };
}

/** Bytes of the activations of so many tokens, and of everything else. */
function bytesOf(size: LearningSize, tokens: number, form: WeightForm, recomputes: boolean) {
  const { layers, blockParameters, learnedNumbers, activationsPerToken } = size;
  const whole = nodesCompiledWhole / (size.selfConditioning ? nodesPerConditionedLayer : nodesPerLayer);
  const isWhole = form === 'float32' && !recomputes && layers <= whole;
  const block = (4 * blockParameters) / layers;
  // W + A B, and in fewer bits also W, are there in float32 while they are used.
  const unit = form === 'float32' && recomputes ? block : 2 * block;
  const changed = isWhole ? (tokens < manyRows ? 4 * blockParameters : 0) : unit;
  const programs = programBytesPerLayer * Math.min(layers, whole);
  const fixed = processBytes + programs + weightBytes(size, form) + 4 * learnedNumbers * perLearned + changed;
  const all = 4 * tokens * activationsPerToken;
  return { fixed, activations: recomputes ? all / layers + all * inputShare : all };
}

/** The size of a learning on whole clips of the largest size that a model was trained on, by a method of low rank. */
export function learningSizeOf(model: ModelInfo, rank: number): LearningSize {
  const { picture, clip } = largestTokens(model);
  return {
    ...weightSizeOf(model),
    pictureTokens: picture,
    clipTokens: clip,
    activationsPerToken: model.activationsPerToken,
    learnedNumbers: rank * model.numbersPerRank,
    selfConditioning: model.selfConditioning,
  };
}

/** What a plan does otherwise than was asked for, for whoever waits. */
export function remarksOn(plan: LearningPlan, recipe: Batches): string[] {
  const remarks: string[] = [];
  if (plan.recomputes)
    remarks.push('Parts of the model are computed twice in each step, because their results do not fit into memory.');
  const form = remarkOnForm(plan.form);
  if (form !== undefined) remarks.push(form);
  if (plan.batchSize < recipe.batchSize)
    remarks.push(
      `Pictures are learned ${plan.batchSize} at a time instead of ${recipe.batchSize}, for want of memory.`,
    );
  if (plan.batchSizeMotion < recipe.batchSizeMotion)
    remarks.push(
      `Clips are learned ${plan.batchSizeMotion} at a time instead of ${recipe.batchSizeMotion}, for want of memory.`,
    );
  return remarks;
}
