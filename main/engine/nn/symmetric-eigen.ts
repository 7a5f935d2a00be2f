import { EigenvalueDecomposition, type Matrix } from 'ml-matrix';

/**
 * Eigenvalues, largest first, and eigenvectors (the columns of `vectors`) of a symmetric matrix, in float64. Each vector's largest
 * component is positive, so that the answer is unique where the eigenvalues differ.
 */
export function symmetricEigen(matrix: Matrix): { values: number[]; vectors: Matrix } {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const order = realEigenvalues.map((_, index) => index).sort((i, j) => realEigenvalues[j]! - realEigenvalues[i]!);
  const vectors = eigenvectorMatrix.subMatrixColumn(order);
  for (let column = 0; column < vectors.columns; column++) {
    const values = vectors.getColumn(column);
    const largest = values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    if (largest < 0) vectors.mulColumn(column, -1);
  }
  return { values: order.map((index) => realEigenvalues[index]!), vectors };
}
