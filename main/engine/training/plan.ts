import type { Recipe } from '../../../shared/domain/recipe.ts';
import type { Stage } from './step.ts';

/** One stage of learning: what it trains, on what, how long. */
export type StagePlan = {
  /** Under which name it is reported. */
  label: Stage;
  /** 'identity': A1 and B1; 'motion': B2 alone. */
  trains: Stage;
  /** Pictures are the clip's frames, each encoded alone, in no order. */
  data: 'pictures' | 'clips';
  steps: number;
  batchSize: number;
  /** Probability with which a weight of the trained B is dropped in a step. */
  dropout: number;
};

/**
 * The stages of a recipe. Set-and-Sequence learns the identity from pictures, then the motion from the clip; plain LoRA
 * (DB-LoRA in the paper) learns one pair of matrices from the clip. `moving` says whether there is a clip of more than one frame.
 */
export function planStages(recipe: Recipe, moving: boolean): StagePlan[] {
  const dropout = (probability: number) => (recipe.regularisers.coefficientDropout ? probability : 0);
  const { stepsIdentity, stepsMotion, batchSize, batchSizeMotion } = recipe;
  switch (recipe.method) {
    case 'set-and-sequence': {
      const identity: StagePlan = {
        label: 'identity',
        trains: 'identity',
        data: 'pictures',
        steps: stepsIdentity,
        batchSize,
        dropout: dropout(recipe.dropoutIdentity),
      };
      const motion: StagePlan = {
        label: 'motion',
        trains: 'motion',
        data: 'clips',
        steps: moving ? stepsMotion : 0,
        batchSize: batchSizeMotion,
        dropout: dropout(recipe.dropoutMotion),
      };
      return [identity, motion];
    }
    case 'lora':
      return [
        {
          label: 'identity',
          trains: 'identity',
          data: moving ? 'clips' : 'pictures',
          steps: moving ? stepsMotion : stepsIdentity,
          batchSize: moving ? batchSizeMotion : batchSize,
          dropout: 0,
        },
      ];
    default:
      throw new Error(`unknown method ${recipe.method satisfies never}`);
  }
}
