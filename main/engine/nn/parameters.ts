import type { WeightForm } from '../../../shared/domain/weight-form.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import * as tf from '../backends/tf.ts';
import { compactWeight, streamedWeight, WeightArrays } from '../backends/weights.ts';
import { requireFinite } from '../formats/finite.ts';
import type { TensorToWrite } from '../formats/safetensors-write.ts';
import type { FloatArray, TensorSource } from '../formats/tensor-file.ts';
import { type Tree, treeEntries, treeFromEntries } from './tree.ts';

/** How a parameter lies in a checkpoint and how in memory. */
export interface ParameterSpec {
  /** Shape in the file. */
  stored: number[];
  /** Shape that the stored one is read as before its axes are moved; unless given, the stored one. */
  view?: number[];
  /** Axes of the view in memory order; unless given, they stay. */
  axes?: number[];
  /** Shape in memory, when it is not simply the moved view. */
  shape?: number[];
}

/** Everything that a model's checkpoint must hold, by name. */
export type ParameterSpecs = Map<string, ParameterSpec>;

/** Matrices that are held otherwise than as float32: those whose names match. */
export interface HeldWeights {
  form: WeightForm;
  names: RegExp;
}

/** A dense layer: PyTorch's [out, in] becomes [in, out]. */
export function linearSpecs(path: string, inSize: number, outSize: number, bias = true): [string, ParameterSpec][] {
  return [
    [`${path}.weight`, { stored: [outSize, inSize], axes: [1, 0] }],
    ...(bias ? [[`${path}.bias`, { stored: [outSize] }] as [string, ParameterSpec]] : []),
  ];
}

/**
 * Reads a model's parameters tensor by tensor. Every name in `specs` must be there with its shape, and no other unless `ignore`
 * matches it: otherwise a `damaged-file` error names file and tensor. The caller owns the tree. Matrices that `held` names lie in memory in
 * its form; for those that are streamed the source stays open as long as the tree is used. `arrays` lets trees of equal specs that are read
 * one after the other share their memory: each must be disposed of, and what was made of it computed, before the next is read.
 */
export async function loadParameters(
  source: TensorSource,
  specs: ParameterSpecs,
  {
    ignore,
    prefix = '',
    held,
    arrays = new WeightArrays(),
  }: { ignore?: RegExp; prefix?: string; held?: HeldWeights; arrays?: WeightArrays } = {},
): Promise<Tree> {
  for (const [name, { stored }] of specs) checkShape(source, prefix + name, stored);
  for (const name of source.names()) {
    if (name.startsWith(prefix) && !specs.has(name.slice(prefix.length)) && !ignore?.test(name))
      throw new AppError('damaged-file', `${source.path}: tensor "${name}" does not belong to this model`, {
        hint: 'The weights and config.json are of different models.',
      });
  }
  const entries: [string, tf.Tensor][] = [];
  try {
    for (const [name, spec] of specs) {
      const form = held?.names.test(name) && spec.stored.length === 2 ? held.form : 'float32';
      entries.push([name, tf.keep(await loadParameter(source, prefix + name, spec, form, arrays))]);
    }
  } catch (error) {
    tf.dispose(entries.map(([, tensor]) => tensor));
    throw error;
  }
  return treeFromEntries(entries);
}

/** Throws `damaged-file` unless the stored tensor has this shape. */
export function checkShape(source: TensorSource, name: string, expected: readonly number[]): void {
  const { file, shape } = source.info(name);
  if (`${shape}` !== `${expected}`)
    throw new AppError('damaged-file', `${file}: tensor "${name}" is [${shape}], the model needs [${expected}]`, {
      hint: 'The weights and config.json are of different models.',
    });
}

/** The stored tensor in its memory layout, kept until its owner disposes it. */
async function loadParameter(
  source: TensorSource,
  name: string,
  spec: ParameterSpec,
  form: WeightForm,
  arrays: WeightArrays,
): Promise<tf.Tensor> {
  const shape = memoryShape(spec);
  const length = shape.reduce((product, size) => product * size, 1);
  const read = async (target: FloatArray) => {
    const { view = spec.stored, axes } = spec;
    const values = axes ? arrays.take(length) : target;
    await source.readFloats(name, 0, length, values);
    requireFinite(source.path, name, values);
    if (!axes) return target;
    permute(values, view, axes, target);
    arrays.give(values);
    return target;
  };
  if (form === 'streamed') return streamedWeight(shape, async (target) => void (await read(target)), arrays);
  if (form === 'float32') return tf.tensor(await read(arrays.take(length)), shape, 'float32');
  return compactWeight(await read(new Float32Array(length)), shape, form);
}

function memoryShape({ stored, view = stored, axes, shape }: ParameterSpec): number[] {
  return shape ?? (axes ? axes.map((axis) => view[axis]!) : view);
}

/** The parameters as a checkpoint stores them, read from the backend when their turn comes. Inverse of `loadParameters`. */
export function parametersToWrite(
  tree: Tree,
  specs: ParameterSpecs,
  type: TensorToWrite['type'] = 'F32',
): TensorToWrite[] {
  const tensors = new Map(treeEntries(tree));
  return [...specs].map(([name, spec]) => {
    const tensor = tensors.get(name);
    const expected = memoryShape(spec);
    if (!tensor || `${tensor.shape}` !== `${expected}`)
      throw new Error(`parameter "${name}" is [${tensor?.shape ?? 'missing'}], expected [${expected}]`);
    return {
      name,
      shape: spec.stored,
      type,
      values: async () => {
        const values = (await tensor.data()) as Float32Array;
        const { view = spec.stored, axes } = spec;
        if (!axes) return values;
        const moved = axes.map((axis) => view[axis]!);
        return permute(
          values,
          moved,
          view.map((_, axis) => axes.indexOf(axis)),
        );
      },
    };
  });
}

/** Moves axes: value [shape] -> [shape[axes[0]], shape[axes[1]], ...], in `result`. */
function permute(
  values: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
  result = new Float32Array(values.length),
): Float32Array {
  if (shape.length === 2 && axes[0] === 1) return transposed(values, shape[0]!, shape[1]!, result);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1));
  const lengths = axes.map((axis) => shape[axis]!);
  const steps = axes.map((axis) => strides[axis]!);
  const innerLength = lengths.at(-1) ?? 1;
  const innerStep = steps.at(-1) ?? 1;
  const index = new Array<number>(lengths.length).fill(0);
  let source = 0;
  for (let position = 0; position < values.length; position += innerLength) {
    for (let i = 0; i < innerLength; i++) result[position + i] = values[source + i * innerStep]!;
    for (let axis = lengths.length - 2; axis >= 0; axis--) {
      source += steps[axis]!;
      if (++index[axis]! < lengths[axis]!) break;
      source -= steps[axis]! * lengths[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** So many rows and columns at once stay in the processor's cache. */
const tile = 32;

/** [rows, columns] -> [columns, rows] */
function transposed(values: Float32Array, rows: number, columns: number, result: Float32Array): Float32Array {
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(rows, top + tile);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(columns, left + tile);
      for (let column = left; column < right; column++)
        for (let row = top; row < bottom; row++) result[column * rows + row] = values[row * columns + column]!;
    }
  }
  return result;
}
