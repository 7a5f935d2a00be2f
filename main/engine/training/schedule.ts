import type { Recipe } from '../../../shared/domain/recipe.ts';

/** The factor on the learning rate at step 1, 2, ...: constant, or rising linearly over the first `warmupSteps`. */
export function learningRateFactor(
  { schedule, warmupSteps }: Pick<Recipe, 'schedule' | 'warmupSteps'>,
  step: number,
): number {
  switch (schedule) {
    case 'constant':
      return 1;
    case 'warmup':
      return Math.min(1, step / Math.max(1, warmupSteps));
    default:
      throw new Error(`unknown schedule ${schedule satisfies never}`);
  }
}
