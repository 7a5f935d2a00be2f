import { type Method, stage, withWords } from './method.ts';
import { conceptPart } from './set-and-sequence.ts';

/**
 * A plain LoRA, W' = W + A B with A [m, r] and B [r, n], learned from the whole clip (from its picture, where it has one frame) with a
 * class prior: DB-LoRA in the table of Set-and-Sequence (arXiv 2502.14844), after DreamBooth (arXiv 2208.12242).
 */
export const lora: Method = {
  parts: (model, recipe) => ({ concept: conceptPart(model, recipe) }),
  stages(recipe, material) {
    const { moving } = material;
    return [
      stage(recipe, {
        label: 'identity',
        steps: moving ? recipe.stepsMotion : recipe.stepsIdentity,
        trains: withWords({ concept: ['basis', 'coefficients'] }, material),
        pictureShare: moving ? 0 : 1,
      }),
    ];
  },
};
