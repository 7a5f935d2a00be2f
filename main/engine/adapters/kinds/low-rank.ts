import type * as tf from '../../backends/tf.ts';
import { bakeLora } from '../lora.ts';
import type { PartKind } from '../part-kind.ts';
import { type ConceptShape, type ConceptValues, freshConcept, lowRankAdditions } from '../set-and-sequence.ts';
import { basis } from './basis.ts';

/** A plain LoRA, W' = W + A B with A [m, r] as `basis` and B [r, n] as `coefficients`, which follows its slider as a whole. */
export const lowRank: PartKind<ConceptShape> = {
  shape: basis.shape,
  requireFit: basis.requireFit,
  tensors(shape) {
    const { basis: a, coefficients } = basis.tensors(shape);
    return { basis: a!, coefficients: coefficients! };
  },
  fresh(shape, random) {
    const { residual, ...own } = freshConcept(shape, random);
    residual.dispose();
    return own;
  },
  add: (shape, { basis: a, coefficients }) => lowRankAdditions(shape, a as tf.Tensor2D, coefficients as tf.Tensor2D),
  mix: (_, { basis: a, coefficients }, __, own) => ({
    basis: a!,
    coefficients: own === 1 ? coefficients! : coefficients!.map((value) => own * value),
  }),
  linearIn: ['coefficients'],
  toLora(shape, values, _, own) {
    const residual = new Float32Array(values.coefficients!.length);
    return bakeLora(shape, { ...values, residual } as ConceptValues, { identity: own, motion: 0 });
  },
};
