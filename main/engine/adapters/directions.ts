import { Matrix } from 'ml-matrix';
import { symmetricEigen } from '../nn/symmetric-eigen.ts';
import { orthonormalise } from './orthonormalise.ts';
import { type ConceptShape, type ConceptValues, conceptSizes } from './set-and-sequence.ts';

/**
 * Turns the basis so that its directions come in the order of how much they matter, without changing A1 B1 or A1 B2 at all.
 *
 * A singular value decomposition of every layer's own A1 B1 = U S V gives A1' = U, B1' = S V, B2' = U^T A1 B2; direction K is the K-th
 * singular direction of every layer, and its strength is sqrt(sum over the layers of S_K^2), which falls with K. One shared rotation for all
 * layers would be the other reading of a "joint SVD", but nothing ties column k of one layer's learned factors to column k of another's
 * (each layer's A1 and B1 may be turned freely against each other), whereas each layer's K-th strongest direction is well defined, and
 * no other choice of K directions per layer carries more of the change.
 *
 * The factors are r wide, so the decomposition is of r x r matrices: A1 = Q R, then the eigenvectors of (R B1)(R B1)^T, in float64.
 */
export function orderDirections(
  shape: ConceptShape,
  values: ConceptValues,
): { values: ConceptValues; strengths: number[] } {
  const { rank } = shape;
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const width = values.coefficients.length / rank;
  const ordered = {
    basis: new Float32Array(values.basis.length),
    coefficients: new Float32Array(values.coefficients.length),
    residual: new Float32Array(values.residual.length),
  };
  const squares = new Array<number>(rank).fill(0);
  let row = 0;
  let column = 0;
  for (const [index, m] of basisSizes.entries()) {
    const n = coefficientSizes[index]!;
    const { q, r } = orthonormalise(Float64Array.from(values.basis.subarray(row * rank, (row + m) * rank)), m, rank);
    const identity = multiply(r, columns(values.coefficients, rank, width, column, n), rank, rank, n); // R B1 [r, n]
    const motion = multiply(r, columns(values.residual, rank, width, column, n), rank, rank, n); // R B2 [r, n]
    const eigen = symmetricEigen(Matrix.from1DArray(rank, rank, gram(identity, rank, n)));
    const vectors = Float64Array.from(eigen.vectors.to1DArray());
    const turned = transpose(vectors, rank, rank);
    ordered.basis.set(multiply(q, vectors, m, rank, rank), row * rank);
    putColumns(ordered.coefficients, multiply(turned, identity, rank, rank, n), rank, width, column, n);
    putColumns(ordered.residual, multiply(turned, motion, rank, rank, n), rank, width, column, n);
    for (let k = 0; k < rank; k++) squares[k]! += Math.max(0, eigen.values[k]!);
    row += m;
    column += n;
  }
  return { values: ordered, strengths: squares.map(Math.sqrt) };
}

/** Columns [column, column + n) of a [rows, width] matrix. */
function columns(matrix: Float32Array, rows: number, width: number, column: number, n: number): Float64Array {
  const part = new Float64Array(rows * n);
  for (let k = 0; k < rows; k++) part.set(matrix.subarray(k * width + column, k * width + column + n), k * n);
  return part;
}

function putColumns(into: Float32Array, part: Float64Array, rows: number, width: number, column: number, n: number) {
  for (let k = 0; k < rows; k++) into.set(part.subarray(k * n, (k + 1) * n), k * width + column);
}

/** a [m, k] b [k, n] -> [m, n] */
function multiply(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Float64Array {
  const product = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < k; j++) {
      const factor = a[i * k + j]!;
      if (factor === 0) continue;
      for (let l = 0; l < n; l++) product[i * n + l]! += factor * b[j * n + l]!;
    }
  }
  return product;
}

function transpose(a: Float64Array, m: number, n: number): Float64Array {
  return Float64Array.from({ length: m * n }, (_, index) => a[(index % m) * n + Math.floor(index / m)]!);
}

/** c [r, n] -> c c^T [r, r] */
function gram(c: Float64Array, r: number, n: number): Float64Array {
  return multiply(c, transpose(c, r, n), r, n, r);
}
