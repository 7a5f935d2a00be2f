import type { RecipeInput } from '../../../shared/domain/recipe.ts';

export type PresetName = 'quick' | 'standard' | 'thorough';

/** How long to learn; everything else stays as the recipe's defaults say. */
export const presets: Record<PresetName, RecipeInput> = {
  quick: { stepsIdentity: 150, stepsMotion: 250, priorClips: 4 },
  standard: {},
  thorough: { stepsIdentity: 1200, stepsMotion: 2000 },
};
