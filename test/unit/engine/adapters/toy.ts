import '@tensorflow/tfjs-backend-cpu/dist/index.js';
import type { ConceptShape, ConceptValues, ConceptWeights } from '../../../../main/engine/adapters/set-and-sequence.ts';
import { conceptSizes, sum } from '../../../../main/engine/adapters/set-and-sequence.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { type Hooks, hookedLinear } from '../../../../main/engine/nn/hooks.ts';
import { Random } from '../../../../main/engine/nn/random.ts';

/** A model of two linear layers of unequal sizes, enough to tell the sides of a basis apart. */
export function toyModel() {
  const random = new Random('toy');
  const parameters = {
    first: { weight: tf.tensor2d(random.normals(12), [3, 4]) },
    second: { weight: tf.tensor2d(random.normals(20), [4, 5]) },
  };
  const input = tf.tensor2d(random.normals(6), [2, 3]);
  return {
    parameters,
    input,
    /** [rows, 3] -> [rows, 5] */
    forward: (x: tf.Tensor, hooks?: Hooks) =>
      tf.tidy(() =>
        hookedLinear(hooks, 'second', parameters.second, tf.tanh(hookedLinear(hooks, 'first', parameters.first, x))),
      ),
  };
}

export function toyShape(basisSide: 'output' | 'input', rank = 2): ConceptShape {
  return {
    layers: [
      { path: 'first', inSize: 3, outSize: 4 },
      { path: 'second', inSize: 4, outSize: 5 },
    ],
    rank,
    basisSide,
  };
}

/** A concept in which all three matrices are random. */
export function randomConcept(shape: ConceptShape, seed = 'concept'): ConceptWeights {
  const random = new Random(seed);
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const [rows, columns] = [sum(basisSizes), sum(coefficientSizes)];
  return {
    basis: tf.tensor2d(random.normals(rows * shape.rank), [rows, shape.rank]),
    coefficients: tf.tensor2d(random.normals(shape.rank * columns), [shape.rank, columns]),
    residual: tf.tensor2d(random.normals(shape.rank * columns), [shape.rank, columns]),
  };
}

/** The concept's numbers. */
export function values({ basis, coefficients, residual }: ConceptWeights): ConceptValues {
  const [a, b, c] = [basis, coefficients, residual].map((tensor) => tensor.dataSync() as Float32Array);
  return { basis: a!, coefficients: b!, residual: c! };
}

export function difference(a: tf.Tensor, b: tf.Tensor): number {
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!);
}
