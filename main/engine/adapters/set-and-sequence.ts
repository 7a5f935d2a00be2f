import * as tf from '../backends/tf.ts';
import type { LinearLayer } from '../nn/linear-layers.ts';
import type { Random } from '../nn/random.ts';
import { type Additions, type BasisSide, basisShape, type LowRank } from './additions.ts';
import type { Gains } from './part-kind.ts';

/** Which layers a concept changes, with what rank, and which way round (Set-and-Sequence, arXiv 2502.14844). */
export type ConceptShape = { layers: readonly LinearLayer[]; rank: number; basisSide: BasisSide };

/**
 * The weights of a concept, all layers in one matrix each so that a step of the optimiser is one operation:
 * every layer's basis A1 [m, r] one below the other, every layer's coefficients B1 and motion residual B2 [r, n] side by side.
 */
export type ConceptWeights = {
  basis: tf.Tensor2D /* [sum of m, r] */;
  coefficients: tf.Tensor2D /* [r, sum of n] */;
  residual: tf.Tensor2D /* [r, sum of n] */;
};

/** The size along the layers of the basis (sum of m) and of the coefficients (sum of n). */
export function conceptSizes({ layers, basisSide }: ConceptShape): {
  basisSizes: number[];
  coefficientSizes: number[];
} {
  const shapes = layers.map(({ inSize, outSize }) => basisShape(inSize, outSize, basisSide));
  return { basisSizes: shapes.map(([m]) => m), coefficientSizes: shapes.map(([, n]) => n) };
}

/**
 * A fresh concept, which changes nothing: B1 and B2 are zero. The paper states no initialisation of A1; normal numbers of variance
 * 1 / m make its columns nearly orthonormal, so that the rate at which B1 learns does not depend on a layer's width.
 */
export function freshConcept(shape: ConceptShape, random: Random): ConceptWeights {
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const { rank } = shape;
  const values = basisSizes.map((m) => random.normals(m * rank).map((value) => value / Math.sqrt(m)));
  const basis = new Float32Array(sum(basisSizes) * rank);
  let offset = 0;
  for (const layer of values) {
    basis.set(layer, offset);
    offset += layer.length;
  }
  return {
    basis: tf.tensor2d(basis, [sum(basisSizes), rank]),
    coefficients: tf.zeros([rank, sum(coefficientSizes)]),
    residual: tf.zeros([rank, sum(coefficientSizes)]),
  };
}

/**
 * Every layer's change A1 B, with B [r, sum of n] as given (any mixture of B1 and B2). Differentiable in both; tensors are the caller's
 * (inside a tidy) to free.
 */
export function lowRankAdditions(shape: ConceptShape, basis: tf.Tensor2D, mixed: tf.Tensor2D): Additions {
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const bases = splitRows(basis, basisSizes); // each [m, r]
  const coefficients = tf.split(mixed, coefficientSizes, 1) as tf.Tensor2D[]; // each [r, n]
  const side = shape.basisSide;
  const lowRank = new Map<string, LowRank>(
    shape.layers.map(({ path }, index) => [path, { basis: bases[index]!, coefficients: coefficients[index]!, side }]),
  );
  return { lowRank };
}

function splitRows(matrix: tf.Tensor2D, sizes: number[]): tf.Tensor2D[] {
  return tf.split(matrix, sizes, 0) as tf.Tensor2D[];
}

/** The three matrices of a concept as plain numbers, row-major: basis [sum of m, r], coefficients and residual [r, sum of n]. */
export type ConceptValues = { basis: Float32Array; coefficients: Float32Array; residual: Float32Array };

/**
 * The coefficients of one slider setting, G B1 + g_motion B2 with G the identity gain times each direction's own [r, sum of n]:
 * with the basis they are exactly one LoRA of the concept's rank. Throws RangeError for a direction that is not there.
 */
export function mixCoefficients(
  { coefficients, residual }: Pick<ConceptValues, 'coefficients' | 'residual'>,
  rank: number,
  gains: Gains,
): Float32Array {
  const ofDirection = new Float64Array(rank).fill(gains.identity);
  for (const [index, gain] of Object.entries(gains.directions ?? {})) {
    const direction = Number(index);
    if (!(Number.isInteger(direction) && direction >= 0 && direction < rank))
      throw new RangeError(`direction ${index} does not exist: the concept has directions 0 to ${rank - 1}`);
    ofDirection[direction]! *= gain;
  }
  const mixed = new Float32Array(coefficients.length);
  const width = coefficients.length / rank;
  for (const [direction, gain] of ofDirection.entries())
    for (let index = direction * width; index < (direction + 1) * width; index++)
      mixed[index] = gain * coefficients[index]! + gains.motion * residual[index]!;
  return mixed;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
