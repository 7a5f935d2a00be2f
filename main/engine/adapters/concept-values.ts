import { AppError } from '../../../shared/ipc/result.ts';
import type { ConceptFile, ConceptLayer } from '../formats/concept.ts';
import type { LinearLayer } from '../nn/linear-layers.ts';
import { basisShape } from './additions.ts';
import { type ConceptShape, type ConceptValues, conceptSizes, sum } from './set-and-sequence.ts';

/**
 * The layers of a concept file as the three matrices that computing works with.
 * Throws `invalid-input` when a layer is not the model's or has other sizes there.
 */
export function conceptValues(
  concept: Pick<Extract<ConceptFile, { version: 1 }>, 'layers' | 'rank' | 'basisSide'>,
  model: readonly LinearLayer[],
): { shape: ConceptShape; values: ConceptValues } {
  const byPath = new Map(model.map((layer) => [layer.path, layer]));
  const { rank, basisSide } = concept;
  const layers = concept.layers.map(({ path, basis, coefficients }) => {
    const layer = byPath.get(path);
    const [m, n] = layer ? basisShape(layer.inSize, layer.outSize, basisSide) : [0, 0];
    if (!layer || basis.length !== m * rank || coefficients.length !== rank * n)
      throw new AppError('invalid-input', `the concept belongs to another model: its layer "${path}" does not fit`, {
        hint: 'Choose the model that it was learned on.',
      });
    return layer;
  });
  const shape = { layers, rank, basisSide };
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const width = sum(coefficientSizes);
  const values = {
    basis: new Float32Array(sum(basisSizes) * rank),
    coefficients: new Float32Array(rank * width),
    residual: new Float32Array(rank * width),
  };
  let row = 0;
  let column = 0;
  for (const [index, layer] of concept.layers.entries()) {
    const n = coefficientSizes[index]!;
    values.basis.set(layer.basis, row * rank);
    for (let k = 0; k < rank; k++) {
      values.coefficients.set(layer.coefficients.subarray(k * n, (k + 1) * n), k * width + column);
      values.residual.set(layer.residual.subarray(k * n, (k + 1) * n), k * width + column);
    }
    row += basisSizes[index]!;
    column += n;
  }
  return { shape, values };
}

/** The inverse: one entry per layer, as a concept file holds them. */
export function conceptLayers(shape: ConceptShape, values: ConceptValues): ConceptLayer[] {
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const { rank } = shape;
  const width = values.coefficients.length / rank;
  let row = 0;
  let column = 0;
  return shape.layers.map(({ path }, index) => {
    const [m, n] = [basisSizes[index]!, coefficientSizes[index]!];
    const columns = (matrix: Float32Array) => {
      const part = new Float32Array(rank * n);
      for (let k = 0; k < rank; k++) part.set(matrix.subarray(k * width + column, k * width + column + n), k * n);
      return part;
    };
    const layer = {
      path,
      basis: values.basis.slice(row * rank, (row + m) * rank),
      coefficients: columns(values.coefficients),
      residual: columns(values.residual),
    };
    row += m;
    column += n;
    return layer;
  });
}
