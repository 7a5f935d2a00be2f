import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/**
 * Eigenvalues, largest first, and eigenvectors (the columns of `vectors`) of a symmetric matrix, in float64. Each vector's
 * largest component is positive, so that the answer is unique where the eigenvalues differ. What is not finite has NaN for
 * an answer.
 */
export function symmetricEigen(matrix: Matrix): { values: number[]; vectors: Matrix } {
  const { rows: n } = matrix;
  const scale = Math.max(...matrix.to1DArray().map(Math.abs));
  if (!Number.isFinite(scale))
    return { values: Array(n).fill(Number.NaN), vectors: Matrix.zeros(n, n).fill(Number.NaN) };
  // Of numbers around 1, whose squares neither overflow nor vanish.
  const unit = Matrix.div(matrix, scale || 1);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(unit, { assumeSymmetric: true });
  const order = realEigenvalues.map((_, index) => index).sort((i, j) => realEigenvalues[j]! - realEigenvalues[i]!);
  const vectors = eigenvectorMatrix.subMatrixColumn(order);
  for (let column = 0; column < n; column++) {
    const largest = vectors
      .getColumn(column)
      .reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    if (largest < 0) vectors.mulColumn(column, -1);
  }
  return { values: order.map((index) => scale * realEigenvalues[index]!), vectors };
}
