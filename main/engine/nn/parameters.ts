import { AppError } from '../../../shared/ipc/result.ts';
import * as tf from '../backends/tf.ts';
import { requireFinite } from '../formats/finite.ts';
import type { TensorToWrite } from '../formats/safetensors-write.ts';
import type { TensorSource } from '../formats/tensor-file.ts';
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

/** A dense layer: PyTorch's [out, in] becomes [in, out]. */
export function linearSpecs(path: string, inSize: number, outSize: number, bias = true): [string, ParameterSpec][] {
  return [
    [`${path}.weight`, { stored: [outSize, inSize], axes: [1, 0] }],
    ...(bias ? [[`${path}.bias`, { stored: [outSize] }] as [string, ParameterSpec]] : []),
  ];
}

/**
 * Reads a model's parameters tensor by tensor. Every name in `specs` must be there with its shape, and no other unless `ignore`
 * matches it: otherwise a `damaged-file` error names file and tensor. The caller owns the tree.
 */
export async function loadParameters(
  source: TensorSource,
  specs: ParameterSpecs,
  { ignore, prefix = '' }: { ignore?: RegExp; prefix?: string } = {},
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
    for (const [name, spec] of specs) entries.push([name, await loadParameter(source, prefix + name, spec)]);
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
async function loadParameter(source: TensorSource, name: string, spec: ParameterSpec): Promise<tf.Tensor> {
  const values = await source.readFloats(name);
  requireFinite(source.path, name, values);
  const { view = spec.stored, axes } = spec;
  const shape = memoryShape(spec);
  return tf.keep(tf.tensor(axes ? permute(values, view, axes) : values, shape, 'float32'));
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

/** Moves axes: value [shape] -> [shape[axes[0]], shape[axes[1]], ...] */
function permute(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
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
