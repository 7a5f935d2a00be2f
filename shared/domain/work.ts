import type { Clip, RawFrames } from './clip.ts';
import type { EditSettings } from './edit.ts';
import { learningSizeOf, planLearning } from './learning-plan.ts';
import { largestTokens, type ModelInfo } from './model.ts';
import { plannedStages, type Recipe } from './recipe.ts';
import { passesOf, type SampledBy, windowsOf } from './sampling-plan.ts';
import { toNumber } from './time.ts';

/**
 * What has to be computed, before any of it is: floating-point operations of matrix products and convolutions, two for each multiplication
 * with its addition. Learning is counted as of a method of low rank in all layers; reading prompts is not counted, nor what is element-wise.
 */
export interface Work {
  learning: number;
  sampling: number;
  /** By the autoencoder. */
  coding: number;
}

/** What a learning consists of. A step of `identity` is one of the stages before the motion. */
export interface LearningPhases<T> {
  prepare: T;
  identity: T;
  motion: T;
  measure: T;
}

const no: Work = { learning: 0, sampling: 0, coding: 0 };

/** Multiplications of a forward pass, of its matrices and of its attention, under so many prompts, with a low-rank change of this rank. */
function forward(
  { work, layers }: ModelInfo,
  { prompts, tokens, rank }: { prompts: number; tokens: number; rank: number },
) {
  const { clip, prompt, promptTokens, width } = work;
  // A change A B is added to its matrix once in a pass.
  const products = (prompts * tokens + rank) * clip.numbers + (prompts * promptTokens + rank) * prompt.numbers;
  return { products, attention: 2 * layers * width * prompts * tokens * (tokens + promptTokens) };
}

interface Step {
  /** Clips or pictures, and tokens of each. */
  rows: number;
  tokens: number;
  rank: number;
  /** Whether the basis learns, or only coefficients in it. */
  learnsBasis: boolean;
  /** Whether the blocks are computed again for the backward pass. */
  recomputes: boolean;
  /** With what probability the model first predicts what it is then given. */
  conditioned: number;
}

/** Operations of a step of learning. */
export function stepWork(model: ModelInfo, step: Step): number {
  const { rows, tokens, rank, learnsBasis, recomputes, conditioned } = step;
  const { products, attention } = forward(model, { prompts: rows, tokens, rank });
  const { clip, prompt, promptTokens } = model.work;
  // The gradient of a matrix' input, and of A and B through their thin products; attention computes its weights again.
  const thin = rank * rows * (tokens * clip.sides + promptTokens * prompt.sides) * (learnsBasis ? 2 : 1);
  const passes = 1 + conditioned + (recomputes ? 1 : 0);
  return 2 * (passes * (products + attention) + products + thin + 2.5 * attention);
}

/** Of a clip of a model's length and largest size. */
function largestClip(model: ModelInfo): Pick<RawFrames, 'width' | 'height' | 'frameCount'> {
  const [width, height] = model.sizes.reduce((largest, size) =>
    size[0] * size[1] > largest[0] * largest[1] ? size : largest,
  );
  return { width, height, frameCount: model.frameCount };
}

/** Operations of coding a clip. */
export function codingWorkOf(
  { first, next }: ModelInfo['work']['coding']['encode'],
  { width, height, frameCount }: Pick<RawFrames, 'width' | 'height' | 'frameCount'>,
): number {
  return 2 * width * height * (first + (frameCount - 1) * next);
}

/** Operations of sampling a clip of that size as the model's card says. */
function sampledWork(model: ModelInfo, prompts: number, rank: number): number {
  const { products, attention } = forward(model, { prompts, tokens: largestTokens(model).clip, rank });
  return 2 * model.work.sampling.steps * (products + attention);
}

/** What giving a clip back from what was learned takes. */
export function measuringWork(model: ModelInfo, rank: number): Work {
  const coding = codingWorkOf(model.work.coding.decode, largestClip(model));
  return { learning: 0, sampling: sampledWork(model, 1, rank), coding };
}

/** At most this many of a clip's frames are pictures of stage I, evenly spread. */
export const mostPictures = 64;

/** What one learning from a clip of the model's largest size takes in so much memory; of its stages a step. */
export function learningWork(model: ModelInfo, recipe: Recipe, memoryBytes: number): LearningPhases<Work> {
  const { coding, sampling } = model.work;
  const { rank, regularisers } = recipe;
  const plan = planLearning(learningSizeOf(model, rank), recipe, memoryBytes);
  const { picture, clip } = largestTokens(model);
  const frames = largestClip(model);
  const conditioned = model.selfConditioning && regularisers.selfConditioning ? recipe.selfConditioningProbability : 0;
  const onData = (rows: number, tokens: number, learnsBasis: boolean): number => {
    const recomputes = 4 * rows * tokens * model.activationsPerToken > plan.activationBytes;
    return stepWork(model, { rows, tokens, rank, learnsBasis, recomputes, conditioned });
  };
  const stages = plannedStages(recipe);
  // After pictures, in the basis that they made.
  const inBasis = recipe.method === 'set-and-sequence' || recipe.method === 'two-stage';
  const stepOf = (isMotion: boolean): Work => {
    const stage = stages.find(({ label }) => (label === 'motion') === isMotion);
    if (!stage) return no;
    const learnsBasis = !(isMotion && inBasis);
    const [pictures, clips] = [
      onData(plan.batchSize, picture, learnsBasis),
      onData(plan.batchSizeMotion, clip, learnsBasis),
    ];
    return { ...no, learning: stage.pictureShare * pictures + (1 - stage.pictureShare) * clips };
  };
  const prior = regularisers.priorPreservation ? recipe.priorClips : 0;
  const alone = Math.min(frames.frameCount, mostPictures);
  return {
    prepare: {
      learning: 0,
      sampling: prior * sampledWork(model, sampling.guidance > 1 ? 2 : 1, 0),
      coding: codingWorkOf(coding.encode, frames) + alone * codingWorkOf(coding.encode, { ...frames, frameCount: 1 }),
    },
    identity: stepOf(false),
    motion: stepOf(true),
    measure: measuringWork(model, rank),
  };
}

/** What an edit is made of: from a clip, or of its size from noise. */
export interface EditSize {
  settings: SampledBy;
  frames: Pick<RawFrames, 'width' | 'height' | 'frameCount'>;
  /** Ranks of all concepts that act, added up; 0 without one. */
  rank: number;
}

/** Of what an edit of a clip is made: its frames, at twice their size, or those of its whole file. */
export function editedFrames(
  { source, frames: { width, height, frameCount, rate } }: Pick<Clip, 'source' | 'frames'>,
  { fine, whole }: Pick<EditSettings, 'fine' | 'whole'>,
): EditSize['frames'] {
  const scale = fine ? 2 : 1;
  const all = Math.round(source.durationSeconds * toNumber(rate));
  return { width: scale * width, height: scale * height, frameCount: whole ? Math.max(frameCount, all) : frameCount };
}

/** What making an edit takes; of a clip longer than the model's, in windows. */
export function editWork(model: ModelInfo, { settings, frames, rank }: EditSize): Work {
  const { coding, sampling } = model.work;
  const windows = windowsOf(frames.frameCount, model.frameCount).length;
  const window = { ...frames, frameCount: Math.min(frames.frameCount, model.frameCount) };
  const tokens =
    ((window.width * window.height) / model.spatialStride ** 2) * ((window.frameCount - 1) / model.temporalStride + 1);
  const passes = passesOf(settings, sampling.shift, rank > 0).map((prompts) =>
    forward(model, { prompts, tokens, rank }),
  );
  const multiplied = passes.reduce((sum, { products, attention }) => sum + products + attention, 0);
  const decoded = codingWorkOf(coding.decode, window);
  // The clip is encoded, and decoded again beside the edit, which is compared with that.
  const coded = settings.fidelity > 0 ? codingWorkOf(coding.encode, window) + 2 * decoded : decoded;
  return { learning: 0, sampling: windows * 2 * multiplied, coding: windows * coded };
}
