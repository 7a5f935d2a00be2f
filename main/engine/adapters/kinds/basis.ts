import { z } from 'zod';
import { maximumRank } from '../../../../shared/domain/recipe.ts';
import * as tf from '../../backends/tf.ts';
import { orderDirections } from '../directions.ts';
import { bakeLora } from '../lora.ts';
import type { PartKind } from '../part-kind.ts';
import {
  type ConceptShape,
  type ConceptValues,
  conceptSizes,
  freshConcept,
  lowRankAdditions,
  mixCoefficients,
  sum,
} from '../set-and-sequence.ts';
import { requireLayers, targetLayer } from '../target-layers.ts';

/**
 * Set-and-Sequence's concept (arXiv 2502.14844): W' = W + A1 B1 + A1 B2 in every layer, with the basis A1 and the coefficients B1 of the
 * identity and the residual B2 of the motion. Without the residual it is a plain LoRA. Its sliders are inside it: identity gains on B1, as a
 * whole and by direction, and a motion gain on B2.
 */
export const basis: PartKind<ConceptShape> = {
  shape: z.object({
    layers: z.array(targetLayer).min(1),
    rank: z.int().min(1).max(maximumRank),
    basisSide: z.enum(['output', 'input']),
  }),
  requireFit: ({ layers }, model) => requireLayers(layers, model.layers),
  tensors(shape) {
    const { basisSizes, coefficientSizes } = conceptSizes(shape);
    const coefficients = [shape.rank, sum(coefficientSizes)];
    return { basis: [sum(basisSizes), shape.rank], coefficients, residual: coefficients };
  },
  fresh: freshConcept,
  add(shape, { basis, coefficients, residual }) {
    const mixed = residual ? tf.add(coefficients!, residual) : coefficients!;
    return lowRankAdditions(shape, basis as tf.Tensor2D, mixed as tf.Tensor2D);
  },
  mix(shape, values, gains) {
    const concept = values as ConceptValues;
    return { basis: concept.basis, coefficients: mixCoefficients(concept, shape.rank, gains) };
  },
  linearIn: ['coefficients'],
  toLora: (shape, values, gains) => bakeLora(shape, values as ConceptValues, gains),
  order: (shape, values) => orderDirections(shape, values as ConceptValues),
};
