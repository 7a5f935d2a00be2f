import { AppError } from '../../../shared/ipc/result.ts';
import type { LoraLayer } from '../formats/lora.ts';
import { basisShape } from './low-rank.ts';
import {
  type ConceptShape,
  type ConceptValues,
  conceptSizes,
  type Gains,
  mixCoefficients,
  sum,
} from './set-and-sequence.ts';
import type { TargetLayer } from './target-layers.ts';

/** Bakes one slider setting into a plain LoRA of the concept's rank: A1 (G B1 + g_motion B2), layer by layer. */
export function bakeLora(shape: ConceptShape, values: ConceptValues, gains: Gains): LoraLayer[] {
  const { rank, basisSide } = shape;
  const mixed = mixCoefficients(values, rank, gains);
  const width = mixed.length / rank;
  let row = 0;
  let column = 0;
  return shape.layers.map((layer) => {
    const [m, n] = basisShape(layer.inSize, layer.outSize, basisSide);
    const basis = values.basis.slice(row * rank, (row + m) * rank); // [m, r]
    const coefficients = takeColumns(mixed, rank, width, column, n); // [r, n]
    row += m;
    column += n;
    // W [out, in] as files have it: 'output' is (A)(B) as it stands, 'input' is its transpose (B^T)(A^T).
    return basisSide === 'output'
      ? { ...layer, rank, down: coefficients, up: basis }
      : { ...layer, rank, down: transpose(basis, m, rank), up: transpose(coefficients, rank, n) };
  });
}

/**
 * A LoRA as a concept without motion: its `up` is the basis, its `down` the coefficients; lower ranks are filled with zeros.
 * Throws `invalid-input` when a layer is not the model's or has other sizes there.
 */
export function conceptFromLora(
  lora: readonly LoraLayer[],
  model: readonly TargetLayer[],
): { shape: ConceptShape; values: ConceptValues } {
  const byPath = new Map(model.map((layer) => [layer.path, layer]));
  for (const { path, inSize, outSize } of lora) {
    const layer = byPath.get(path);
    if (layer?.inSize === inSize && layer.outSize === outSize) continue;
    throw new AppError(
      'invalid-input',
      layer
        ? `the LoRA belongs to another model: its "${path}" is ${outSize} x ${inSize}, here it is ${layer.outSize} x ${layer.inSize}`
        : `the LoRA belongs to another model: there is no layer "${path}" here`,
      { hint: 'Choose the model that the LoRA was trained on.' },
    );
  }
  const rank = Math.max(...lora.map((layer) => layer.rank));
  const shape: ConceptShape = {
    layers: lora.map(({ path, inSize, outSize }) => ({ path, inSize, outSize })),
    rank,
    basisSide: 'output',
  };
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const width = sum(coefficientSizes);
  const basis = new Float32Array(sum(basisSizes) * rank);
  const coefficients = new Float32Array(rank * width);
  let row = 0;
  let column = 0;
  for (const layer of lora) {
    for (let i = 0; i < layer.outSize; i++)
      basis.set(layer.up.subarray(i * layer.rank, (i + 1) * layer.rank), (row + i) * rank);
    for (let k = 0; k < layer.rank; k++)
      coefficients.set(layer.down.subarray(k * layer.inSize, (k + 1) * layer.inSize), k * width + column);
    row += layer.outSize;
    column += layer.inSize;
  }
  return { shape, values: { basis, coefficients, residual: new Float32Array(coefficients.length) } };
}

/** Columns [column, column + n) of a [rows, width] matrix. */
function takeColumns(matrix: Float32Array, rows: number, width: number, column: number, n: number): Float32Array {
  const part = new Float32Array(rows * n);
  for (let k = 0; k < rows; k++) part.set(matrix.subarray(k * width + column, k * width + column + n), k * n);
  return part;
}

function transpose(a: Float32Array, m: number, n: number): Float32Array {
  return Float32Array.from({ length: m * n }, (_, index) => a[(index % m) * n + Math.floor(index / m)]!);
}
