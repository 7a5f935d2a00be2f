import { Matrix } from 'ml-matrix';
import { symmetricEigen } from '../nn/symmetric-eigen.ts';

/**
 * Fréchet distance between two sets of feature vectors, each taken as a Gaussian: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))
 * (Heusel et al. 2017; FVD when the features are of clips). Rows are samples. Needs at least two samples a set; with fewer samples than
 * features it stays defined but is biased upwards, so compare only equal counts.
 */
export function frechetDistance(a: Float32Array[], b: Float32Array[]): number {
  const first = gaussian(a);
  const second = gaussian(b);
  const size = first.mean.length;
  if (second.mean.length !== size) throw new RangeError(`expected ${size} features, found ${second.mean.length}`);
  let distance = first.covariance.trace() + second.covariance.trace();
  for (let i = 0; i < size; i++) distance += (first.mean[i]! - second.mean[i]!) ** 2;
  // tr((C1 C2)^(1/2)) = tr((S C2 S)^(1/2)) with S = C1^(1/2): symmetric, so a symmetric eigensolver is enough.
  const root = squareRoot(first.covariance);
  const inner = root.mmul(second.covariance).mmul(root);
  for (const value of symmetricEigen(inner).values) distance -= 2 * Math.sqrt(Math.max(value, 0));
  return Math.max(distance, 0);
}

function gaussian(samples: Float32Array[]): { mean: number[]; covariance: Matrix } {
  if (samples.length < 2)
    throw new RangeError(`a Fréchet distance needs at least 2 samples a set, found ${samples.length}`);
  const rows = new Matrix(samples.map((sample) => Array.from(sample)));
  const mean = rows.mean('column');
  const centred = rows.subRowVector(mean);
  return {
    mean,
    covariance: centred
      .transpose()
      .mmul(centred)
      .div(samples.length - 1),
  };
}

function squareRoot(matrix: Matrix): Matrix {
  const { values, vectors } = symmetricEigen(matrix);
  const roots = Matrix.diag(values.map((value) => Math.sqrt(Math.max(value, 0))));
  return vectors.mmul(roots).mmul(vectors.transpose());
}
