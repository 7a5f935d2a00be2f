import type { RecipeInput } from '../../../shared/domain/recipe.ts';

export type PresetName = 'quick' | 'standard' | 'thorough';

/** How long to learn, and how often to look at what it makes; everything else stays as the recipe's defaults say. */
export const presets: Record<PresetName, RecipeInput> = {
  quick: { stepsIdentity: 150, stepsMotion: 250, priorClips: 4, sampleEvery: 125 },
  standard: { sampleEvery: 150 },
  thorough: { stepsIdentity: 1200, stepsMotion: 2000, sampleEvery: 400 },
};
