import { AppError } from '../../../shared/ipc/result.ts';
import type { LoraLayer } from '../formats/lora.ts';
import type { LinearLayer } from '../nn/linear-layers.ts';
import { conceptLayers, conceptValues } from './concept-values.ts';
import type { Gains } from './part-kind.ts';
import { type ConceptShape, type ConceptValues, mixCoefficients } from './set-and-sequence.ts';

/** Bakes one slider setting into a plain LoRA of the concept's rank: A1 (G B1 + g_motion B2), layer by layer. */
export function bakeLora(shape: ConceptShape, values: ConceptValues, gains: Gains): LoraLayer[] {
  const { rank, basisSide } = shape;
  const mixed = mixCoefficients(values, rank, gains);
  const baked = conceptLayers(shape, { ...values, coefficients: mixed });
  return shape.layers.map((layer, index) => {
    const { basis, coefficients } = baked[index]!; // [m, r] and [r, n]
    // W [out, in] as files have it: 'output' is (A)(B) as it stands, 'input' is its transpose (B^T)(A^T).
    return basisSide === 'output'
      ? { ...layer, rank, down: coefficients, up: basis }
      : { ...layer, rank, down: transpose(basis, rank), up: transpose(coefficients, layer.outSize) };
  });
}

/**
 * A LoRA as a concept without motion: its `up` is the basis, its `down` the coefficients; lower ranks are filled with zeros.
 * Throws `invalid-input` when a layer is not the model's or has other sizes there.
 */
export function conceptFromLora(
  lora: readonly LoraLayer[],
  model: readonly LinearLayer[],
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
  const layers = lora.map((layer) => {
    const basis = new Float32Array(layer.outSize * rank);
    for (let row = 0; row < layer.outSize; row++)
      basis.set(layer.up.subarray(row * layer.rank, (row + 1) * layer.rank), row * rank);
    const coefficients = new Float32Array(rank * layer.inSize);
    coefficients.set(layer.down);
    return { path: layer.path, basis, coefficients, residual: new Float32Array(coefficients.length) };
  });
  return conceptValues({ layers, rank, basisSide: 'output' }, model);
}

/** [rows, columns] -> [columns, rows] */
function transpose(matrix: Float32Array, columns: number): Float32Array {
  const rows = matrix.length / columns;
  return Float32Array.from({ length: matrix.length }, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!);
}
