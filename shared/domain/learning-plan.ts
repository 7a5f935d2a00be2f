import { keepsActivations, type ModelInfo } from './model.ts';

/** What the memory of a learning depends on. */
export interface LearningSize {
  /** Numbers of the weights that are held in memory, 32 bits each. */
  heldParameters: number;
  /** Tokens of one picture, and of a whole clip. */
  pictureTokens: number;
  clipTokens: number;
  /** About how many values the backward pass needs of each token, of all blocks together. */
  activationsPerToken: number;
  layers: number;
}

interface Batches {
  batchSize: number;
  batchSizeMotion: number;
}

export interface LearningPlan extends Batches {
  /** What it takes at most. */
  bytes: number;
  /** Whether blocks are computed again in the backward pass instead of kept, for want of memory. */
  recomputes: boolean;
  /** Whether there is so much. */
  fits: boolean;
}

/*
 * The three numbers below are fitted to three learnings (embedded model, clips 1 and 3 at a time: 525 and 673 MB; 4 layers of 1536, 3 at a time: 2,003 MB),
 * whose memory was looked at between steps. They are first values: test/bench/plan.ts compares a plan with the peak that the system keeps.
 */

/** Node, the runtime and its compiled graphs, before any weight. */
const processBytes = 280e6;
/** Of the bytes of the weights, with what reading them takes. */
const perWeight = 1.15;
/** Of the bytes of activations, with their gradients: not all are alive at once. */
const perActivation = 1.85;
/** Of the free memory, the part that a plan fills. */
const usedShare = 0.9;

/** The memory that is left for activations where so many weights are held. */
export function memoryBesideWeights(heldParameters: number, freeBytes: number): number {
  return Math.max(0, freeBytes - processBytes - 4 * heldParameters * perWeight);
}

/**
 * How a learning goes on with so much free memory: with its activations kept, else with blocks computed again, else with smaller batches
 * besides.
 */
export function planLearning(size: LearningSize, recipe: Batches, freeBytes: number): LearningPlan {
  let { batchSize, batchSizeMotion } = recipe;
  for (;;) {
    const plan = planOf(size, { batchSize, batchSizeMotion }, freeBytes);
    if (plan.fits || (batchSize === 1 && batchSizeMotion === 1)) return plan;
    // The larger stage first, and both where they are alike.
    const [pictures, clips] = [batchSize * size.pictureTokens, batchSizeMotion * size.clipTokens];
    if (batchSize > 1 && (pictures >= clips || batchSizeMotion === 1)) batchSize = Math.ceil(batchSize / 2);
    else batchSizeMotion = Math.ceil(batchSizeMotion / 2);
  }
}

function planOf(size: LearningSize, batches: Batches, freeBytes: number): LearningPlan {
  const tokens = Math.max(batches.batchSize * size.pictureTokens, batches.batchSizeMotion * size.clipTokens);
  const all = tokens * size.activationsPerToken;
  const recomputes = !keepsActivations(all, memoryBesideWeights(size.heldParameters, freeBytes));
  const kept = recomputes ? all / size.layers : all;
  const bytes = processBytes + 4 * size.heldParameters * perWeight + 4 * kept * perActivation;
  return { ...batches, bytes, recomputes, fits: bytes <= usedShare * freeBytes };
}

/** The size of a learning on whole clips of the largest size that a model was trained on. */
export function learningSizeOf(model: ModelInfo): LearningSize {
  const { sizes, frameCount, temporalStride, spatialStride, activationsPerToken, layers, heldParameters } = model;
  const pictureTokens = Math.max(...sizes.map(([width, height]) => (width * height) / spatialStride ** 2));
  const clipTokens = pictureTokens * ((frameCount - 1) / temporalStride + 1);
  return { heldParameters: heldParameters ?? model.parameters, pictureTokens, clipTokens, activationsPerToken, layers };
}

/** What a plan does otherwise than was asked for, for whoever waits. */
export function remarksOn(plan: LearningPlan, recipe: Batches): string[] {
  const remarks: string[] = [];
  if (plan.recomputes)
    remarks.push('Parts of the model are computed twice in each step, because their results do not fit into memory.');
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
