import { Matrix } from 'ml-matrix';
import { beforeAll, describe, expect, it } from 'vitest';
import { hooksOf } from '../../../../main/engine/adapters/additions.ts';
import { orderDirections } from '../../../../main/engine/adapters/directions.ts';
import { orthonormalise } from '../../../../main/engine/adapters/orthonormalise.ts';
import { conceptSizes, lowRankAdditions } from '../../../../main/engine/adapters/set-and-sequence.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { symmetricEigen } from '../../../../main/engine/nn/symmetric-eigen.ts';
import { difference, randomConcept, toyModel, toyShape, values } from './toy.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function order(rank: number) {
  const shape = toyShape('output', rank);
  const weights = randomConcept(shape);
  const { values: turned, strengths } = orderDirections(shape, values(weights));
  const ordered = {
    basis: tf.tensor2d(turned.basis, weights.basis.shape),
    coefficients: tf.tensor2d(turned.coefficients, weights.coefficients.shape),
    residual: tf.tensor2d(turned.residual, weights.residual.shape),
  };
  return { shape, weights, ordered, strengths };
}

describe('ordering the directions of a basis', () => {
  for (const rank of [1, 2, 3, 6]) {
    it(`changes neither the identity nor the motion at rank ${rank}`, () => {
      const { shape, weights, ordered } = order(rank);
      const { forward, input } = toyModel();
      for (const factor of ['coefficients', 'residual'] as const) {
        const before = forward(input, hooksOf([lowRankAdditions(shape, weights.basis, weights[factor])]));
        const after = forward(input, hooksOf([lowRankAdditions(shape, ordered.basis, ordered[factor])]));
        expect(difference(before, after)).toBeLessThan(2e-5);
      }
    });
  }

  it('puts the strongest direction of every layer first, with its singular value as its strength', () => {
    const { shape, ordered, strengths } = order(3);
    const { coefficientSizes } = conceptSizes(shape);
    const rows = tf.split(ordered.coefficients, coefficientSizes, 1).map((part) => tf.norm(part, 2, 1).dataSync());
    for (const norms of rows) expect([...norms]).toEqual([...norms].sort((a, b) => b - a));
    for (const [k, strength] of strengths.entries()) {
      expect(strength).toBeCloseTo(Math.hypot(...rows.map((norms) => norms[k]!)), 4);
    }
  });

  it('makes the directions of a layer orthonormal', () => {
    const { shape, ordered } = order(3);
    const [first] = tf.split(ordered.basis, conceptSizes(shape).basisSizes, 0);
    expect(difference(tf.matMul(first!, first!, true, false), tf.eye(3))).toBeLessThan(1e-5);
  });
});

describe('decompositions of small matrices', () => {
  it('Q R gives the matrix back although columns depend on each other', () => {
    const a = Float64Array.from([1, 2, 2, 4, 3, 6]); // [3, 2], the second column twice the first
    const { q, r } = orthonormalise(a, 3, 2);
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 2; j++) expect(q[i * 2]! * r[j]! + q[i * 2 + 1]! * r[2 + j]!).toBeCloseTo(a[i * 2 + j]!, 12);
    expect(r[3]).toBe(0);
  });

  it('eigenvectors reproduce the symmetric matrix', () => {
    const n = 7;
    const half = new Random(2).normals(n * n);
    const matrix = Float64Array.from({ length: n * n }, (_, k) => half[k]! + half[(k % n) * n + Math.floor(k / n)]!);
    const { values, vectors } = symmetricEigen(Matrix.from1DArray(n, n, matrix));
    expect(values).toEqual([...values].sort((a, b) => b - a));
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let entry = 0;
        for (let k = 0; k < n; k++) entry += vectors.get(i, k) * values[k]! * vectors.get(j, k);
        expect(entry).toBeCloseTo(matrix[i * n + j]!, 10);
      }
    }
  });

  it('scales eigenvalues with the matrix up to the largest numbers, and answers NaN for what is not finite', () => {
    const small = Matrix.from1DArray(2, 2, [2, 1, 1, 2]);
    expect(symmetricEigen(Matrix.mul(small, 1e300)).values.map((value) => Math.round(value / 1e300))).toEqual([3, 1]);
    expect(symmetricEigen(Matrix.zeros(3, 3)).values.map(Math.abs)).toEqual([0, 0, 0]);
    const { values, vectors } = symmetricEigen(Matrix.from1DArray(2, 2, [Number.POSITIVE_INFINITY, 0, 0, 1]));
    expect([...values, ...vectors.to1DArray()].every(Number.isNaN)).toBe(true);
  });
});
