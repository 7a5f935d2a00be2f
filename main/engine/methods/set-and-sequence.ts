import type { Recipe } from '../../../shared/domain/recipe.ts';
import type { Part } from '../adapters/parts.ts';
import { targetLayers } from '../adapters/target-layers.ts';
import type { ModelShape } from '../models/video-model.ts';
import { type Method, stage, withTokens } from './method.ts';

/**
 * The part of methods that learn one low-rank change: its basis, coefficients and residual in the recipe's
 * layers.
 */
export function conceptPart({ layers }: ModelShape, { targetLayers: names, rank, basisSide }: Recipe): Part {
  return { kind: 'basis', shape: { layers: targetLayers(layers, names), rank, basisSide } };
}

/**
 * Set-and-Sequence (Abdal et al., arXiv 2502.14844). With W [m, n] a frozen weight and r the rank:
 *
 *   stage I, identity, on the clip's frames as an unordered set of pictures:  W' = W + A1 (B1 * M),  A1 [m, r] and B1 [r, n] learn
 *   stage II, motion, on the whole clip:                                      W' = W + A1 B1 + A1 (B2 * M),  only B2 [r, n] learns
 *
 * M is a binary mask on the weights, drawn anew in every step. The special tokens learn in both stages.
 */
export const setAndSequence: Method = {
  parts: (model, recipe) => ({ concept: conceptPart(model, recipe) }),
  stages(recipe, material) {
    const { coefficientDropout } = recipe.regularisers;
    return [
      stage(recipe, {
        label: 'identity',
        steps: recipe.stepsIdentity,
        trains: withTokens({ concept: ['basis', 'coefficients'] }, material),
        pictureShare: 1,
        dropout: coefficientDropout ? { 'concept.coefficients': recipe.dropoutIdentity } : {},
      }),
      stage(recipe, {
        label: 'motion',
        steps: material.moving ? recipe.stepsMotion : 0,
        trains: withTokens({ concept: ['residual'] }, material),
        acts: ['concept'],
        dropout: coefficientDropout ? { 'concept.residual': recipe.dropoutMotion } : {},
      }),
    ];
  },
};
