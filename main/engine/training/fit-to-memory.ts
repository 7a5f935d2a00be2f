import type { LearnRequest } from '../../../shared/domain/engine.ts';
import { type LearningPlan, learningSizeOf, planLearning, remarksOn } from '../../../shared/domain/learning-plan.ts';
import type { Recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { VideoModel } from '../models/video-model.ts';

/** How a learning goes on in the memory that there is. */
export interface FittedLearning {
  recipe: Recipe;
  plan: LearningPlan;
  /** What there is to say of it. */
  remarks: string[];
}

/**
 * The recipe with batches, and weights in a form, that so much memory can take, where so many numbers learn. Throws `out-of-memory` where one
 * clip at a time is too much.
 */
export async function fitToMemory(
  pipeline: VideoModel,
  { recipe, clips }: Pick<LearnRequest, 'recipe' | 'clips'>,
  learnedNumbers: number,
  memoryBytes: number,
): Promise<FittedLearning> {
  const info = await pipeline.describe();
  const tokens = ({ width, height, frameCount }: LearnRequest['clips'][number]['frames']) => {
    const picture = (width * height) / info.spatialStride ** 2;
    return { picture, clip: picture * ((frameCount - 1) / info.temporalStride + 1) };
  };
  const all = clips.map(({ frames }) => tokens(frames));
  const size = {
    ...learningSizeOf(info, recipe.rank),
    learnedNumbers,
    pictureTokens: Math.max(...all.map(({ picture }) => picture)),
    clipTokens: Math.max(...all.map(({ clip }) => clip)),
  };
  const plan = planLearning(size, recipe, memoryBytes);
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  if (!plan.fits)
    throw new AppError(
      'out-of-memory',
      `Learning on ${info.name} takes about ${gigabytes(plan.bytes)} of memory, one clip at a time, and it can have ${gigabytes(memoryBytes)}.`,
      { hint: 'Close other programs, choose a shorter or smaller clip, or a smaller model.' },
    );
  const { batchSize, batchSizeMotion } = plan;
  const remarks = remarksOn(plan, recipe);
  if (info.learnsBelow !== null)
    remarks.push(
      `${info.name} has two transformers: the concept is learned for noise below ${info.learnsBelow}, and acts there.`,
    );
  return { recipe: { ...recipe, batchSize, batchSizeMotion }, plan, remarks };
}
