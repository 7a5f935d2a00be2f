import type { Recipe } from '../../../shared/domain/recipe.ts';
import { type Method, stage, withTokens } from './method.ts';
import { conceptPart } from './set-and-sequence.ts';

/**
 * W' = W + A B, all of it learned in one stage, from the clip and, in a share of the steps, from its frames;
 * a picture is all that a clip of one frame has.
 */
export function oneLora(pictureShare: (recipe: Recipe) => number): Method {
  return {
    parts: (model, recipe) => ({ concept: conceptPart(model, recipe) }),
    stages(recipe, material) {
      const { moving } = material;
      return [
        stage(recipe, {
          label: 'identity',
          steps: moving ? recipe.stepsMotion : recipe.stepsIdentity,
          trains: withTokens({ concept: ['basis', 'coefficients'] }, material),
          pictureShare: moving ? pictureShare(recipe) : 1,
        }),
      ];
    },
  };
}

/**
 * A plain LoRA, W' = W + A B with A [m, r] and B [r, n], learned from the whole clip (from its picture, where
 * it has one frame) with a class prior: DB-LoRA in the table of Set-and-Sequence (arXiv 2502.14844), after
 * DreamBooth (arXiv 2208.12242).
 */
export const lora: Method = oneLora(() => 0);
