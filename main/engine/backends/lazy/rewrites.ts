import { AppError } from '../../../../shared/ipc/result.ts';
import { fusedKernels } from '../fused-names.ts';
import { type Operation, sameShape, sizeOf, type Value } from './graph.ts';
import type { Recorder, Rewrite } from './recorder.ts';

/**
 * Every rewrite by its name, which `MOTIF_REWRITES` switches. Of those that look at the same operation the
 * first that applies is taken. Each leaves shape, type and values as they were; only fused sums may round
 * otherwise.
 */
export const rewrites = {
  /** What changes nothing is left out. */
  identities: {
    of: ['Cast', 'Reshape', 'Expand', 'Transpose', 'Slice', 'Pad'],
    apply: (_, operation) => (changesNothing(operation) ? operation.inputs[0] : undefined),
  },

  /** A reshaped constant is a constant, a reshape of a reshape one reshape. */
  reshapes: {
    of: ['Reshape'],
    apply(record, { inputs: [x], outputs: [y] }) {
      if (x!.literal) return record.literal(x!.literal, y!.shape, y!.type);
      return x!.node?.op === 'Reshape' ? record.reshape(x!.node.inputs[0]!, y!.shape) : undefined;
    },
  },

  /** A transpose of a transpose is one transpose. */
  transposes: {
    of: ['Transpose'],
    apply(record, { inputs: [x], attributes }) {
      if (x!.node?.op !== 'Transpose') return undefined;
      const [first, second] = [x!.node.attributes.perm, attributes.perm] as [number[], number[]];
      return record.transpose(
        x!.node.inputs[0]!,
        second.map((axis) => first[axis]!),
      );
    },
  },

  /** Moving axes of length 1 moves nothing in memory: a reshape. */
  'unit-transposes': {
    of: ['Transpose'],
    apply(record, { inputs: [x], outputs: [y], attributes }) {
      const moving = (attributes.perm as readonly number[]).filter((axis) => x!.shape[axis] !== 1);
      return isAscending(moving) ? record.reshape(x!, y!.shape) : undefined;
    },
  },

  /** Over axes of length 1 there is nothing to sum: a reshape. */
  'unit-reductions': {
    of: ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd'],
    apply: (record, { inputs: [x, axes], outputs: [y] }) =>
      integersOf(axes).every((axis) => x!.shape[axis] === 1) ? record.reshape(x!, y!.shape) : undefined,
  },

  /** Parts without elements are left out of a concatenation, and one part is the whole. */
  concats: {
    of: ['Concat'],
    apply(record, { inputs, outputs: [y], attributes }) {
      const full = inputs.filter((part) => part!.shape[attributes.axis as number]! > 0);
      if (full.length === 1) return full[0];
      if (full.length === 0 || full.length === inputs.length) return undefined;
      return record.op('Concat', full, y!.shape, y!.type, attributes);
    },
  },

  /** A convolution takes a sum with one number per channel along. */
  bias: {
    of: ['Add'],
    apply: (record, { inputs: [a, b], outputs: [y] }) =>
      convolvedWithBias(record, a!, b!, y!.shape) ?? convolvedWithBias(record, b!, a!, y!.shape),
  },

  /** What was blown up only to meet the shape of the others stays small. */
  broadcasts: {
    of: [
      ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Mod', 'And', 'Or', 'Where'],
      ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'],
    ],
    apply(record, operation) {
      const { inputs, outputs } = operation;
      const isBlownUp = (x: Value | undefined) => x!.node?.op === 'Expand';
      const meets = inputs.some((x) => !isBlownUp(x) && sameShape(x!.shape, outputs[0]!.shape));
      if (!meets || !inputs.some(isBlownUp)) return undefined;
      return record.node({ ...operation, inputs: inputs.map((x) => (isBlownUp(x) ? x!.node!.inputs[0] : x)) });
    },
  },

  /**
   * Pixels that are repeated, [..., height, 1, width, 1] -> [..., height, n, width, m]: a resize copies them
   * far faster.
   */
  repeats: { of: ['Expand'], apply: (record, { inputs: [x], outputs: [y] }) => resized(record, x!, y!.shape) },

  /** A slice that leaves all of the padding away is one of what was padded. */
  slices: {
    of: ['Slice'],
    apply(record, { inputs: [x, begins, , axes, strides], outputs: [y] }) {
      const padding = paddingOf(x!.node);
      if (!padding || strides) return undefined;
      const starts = x!.shape.map((_, axis) => {
        const place = integersOf(axes).indexOf(axis);
        return (place < 0 ? 0 : integersOf(begins)[place]!) - padding.before[axis]!;
      });
      const within = starts.every(
        (start, axis) => start >= 0 && start + y!.shape[axis]! <= padding.source.shape[axis]!,
      );
      return within ? record.slice(padding.source, starts, y!.shape) : undefined;
    },
  },

  /** Padding around padding of the same value is one. */
  pads: {
    of: ['Pad'],
    apply(record, operation) {
      const outer = paddingOf(operation)!;
      const inner = paddingOf(operation.inputs[0]!.node);
      if (!inner || inner.value !== outer.value) return undefined;
      return record.pad(inner.source, sums(outer.before, inner.before), sums(outer.after, inner.after), outer.value);
    },
  },

  /** Zeros around the input of a convolution cost nothing inside it. */
  'convolution-pads': {
    of: ['Conv'],
    apply(record, { inputs: [x, ...weights], outputs: [y], attributes }) {
      const padding = paddingOf(x!.node);
      if (padding?.value !== 0) return undefined;
      const { source, before, after } = padding;
      // Zeros around batch and channels are no zeros around pixels.
      if ([before, after].some((counts) => counts[0] !== 0 || counts[1] !== 0)) return undefined;
      const pads = sums(attributes.pads as readonly number[], [...before.slice(2), ...after.slice(2)]);
      return record.op('Conv', [source, ...weights], y!.shape, y!.type, { ...attributes, pads });
    },
  },

  /** A product of matrices that are transposed or scaled is one operation. */
  gemm: {
    of: ['ScaledProduct'],
    apply: (record, { inputs, outputs: [y], attributes }) =>
      y!.shape.length === 2 ? record.op('Gemm', inputs, y!.shape, y!.type, attributes) : undefined,
  },

  /** So is one of many matrices, where the executor has an operation of its own for it. */
  'batched-gemm': {
    of: ['ScaledProduct'],
    needs: 'fusedMatMul',
    apply: (record, { inputs, outputs: [y], attributes }) =>
      record.op('FusedMatMul', inputs, y!.shape, y!.type, attributes, 'com.microsoft'),
  },

  /** One pass over memory instead of one for each function that it is made of. */
  gelu: {
    of: [fusedKernels.gelu],
    needs: 'gelu',
    apply: (record, { inputs: [x], attributes: { approximate } }) =>
      record.op('Gelu', [x], x!.shape, x!.type, { approximate: approximate! }),
  },

  'layer-norm': {
    of: [fusedKernels.layerNorm],
    needs: 'layerNormalizationStatistics',
    apply(record, { inputs: [x], attributes: { epsilon } }) {
      const size = x!.shape.at(-1)!;
      const ones = record.literal(new Float32Array(size).fill(1), [size], 'float32');
      const statistics = { shape: x!.shape.with(-1, 1), type: 'float32' } as const;
      const outputs = [{ shape: x!.shape, type: 'float32' } as const, statistics, statistics];
      const [normal, , inverse] = record.ops('LayerNormalization', [x, ones], outputs, { axis: -1, epsilon: epsilon! });
      return [normal!, inverse!];
    },
  },

  'rms-norm': {
    of: [fusedKernels.rmsNorm],
    needs: 'simplifiedLayerNormalization',
    apply(record, { inputs, attributes: { epsilon } }) {
      const { shape, type } = inputs[0]!;
      const outputs = [shape, shape.with(-1, 1)].map((own) => ({ shape: own, type }));
      return record.ops('SimplifiedLayerNormalization', inputs, outputs, { axis: -1, epsilon: epsilon! });
    },
  },

  rotary: {
    of: [fusedKernels.rotary],
    needs: 'rotaryEmbedding',
    apply(record, { inputs: [x, cos, sin], attributes: { heads, inverse } }) {
      const first = record.literal([0], [1], 'int64'); // position of the first token; the others follow
      const sine = inverse ? record.elementwise('Neg', [sin!]) : sin;
      const attributes = { num_heads: heads!, interleaved: 1, rotary_embedding_dim: 0 };
      return record.op('RotaryEmbedding', [x, first, cos, sine], x!.shape, x!.type, attributes, 'com.microsoft');
    },
  },

  attention: {
    of: [fusedKernels.attention, fusedKernels.biasedAttention],
    needs: 'multiHeadAttention',
    apply(record, { inputs: [q, k, v, bias], attributes: { heads, scale } }) {
      const others = bias ? [undefined, undefined, fullBias(record, bias, q!, k!, heads as number)] : [];
      const attributes = { num_heads: heads!, scale: scale! };
      return record.op('MultiHeadAttention', [q, k, v, ...others], q!.shape, q!.type, attributes, 'com.microsoft');
    },
  },
} satisfies Record<string, Rewrite>;

export type RewriteName = keyof typeof rewrites;

const names = Object.keys(rewrites) as RewriteName[];

/** The rewrites that a text names: all, none, some of them (`bias,pads`) or all but some (`-bias,-pads`). */
export function rewritesNamed(text = 'all'): Rewrite[] {
  const words = text.split(',').map((word) => word.trim());
  const chosen = new Set<string>(words[0] === 'all' || words[0]!.startsWith('-') ? names : []);
  for (const word of words.filter((word) => word !== 'all' && word !== 'none')) {
    const name = word.replace(/^-/, '');
    if (!Object.hasOwn(rewrites, name))
      throw new AppError('invalid-input', `MOTIF_REWRITES names an unknown rewrite, "${name}".`, {
        hint: `Choose all, none, or from ${names.join(', ')}; with - before a name, all but that one.`,
      });
    if (word === name) chosen.add(name);
    else chosen.delete(name);
  }
  return names.filter((name) => chosen.has(name)).map((name) => rewrites[name]);
}

const integersOf = (value: Value | undefined) => value!.literal as readonly number[];
const isAscending = (axes: readonly number[]) => axes.every((axis, place) => place === 0 || axis > axes[place - 1]!);
const sums = (a: readonly number[], b: readonly number[]) => a.map((count, place) => count + b[place]!);

function changesNothing({ op, inputs: [x, ...lists], outputs: [y], attributes }: Operation): boolean {
  if (x!.type !== y!.type || !sameShape(x!.shape, y!.shape)) return false;
  if (op === 'Transpose') return isAscending(attributes.perm as readonly number[]);
  if (op === 'Pad') return integersOf(lists[0]).every((count) => count === 0);
  // A slice of everything may turn it around.
  return op !== 'Slice' || !lists[3] || integersOf(lists[3]).every((stride) => stride > 0);
}

/** What a value that is about to be padded, sliced or convolved was padded with. */
function paddingOf(node: Operation | undefined) {
  if (node?.op !== 'Pad') return undefined;
  const source = node.inputs[0]!;
  const counts = integersOf(node.inputs[1]);
  const rank = source.shape.length;
  return { source, before: counts.slice(0, rank), after: counts.slice(rank), value: node.inputs[2]!.literal![0]! };
}

function convolvedWithBias(record: Recorder, convolved: Value, bias: Value, sum: readonly number[]): Value | undefined {
  const { node, shape } = convolved;
  if (node?.op !== 'Conv' || node.inputs.length !== 2 || !sameShape(shape, sum)) return undefined;
  const channels = shape[1]!;
  const isPerChannel = bias.shape.at(1 - shape.length) === channels && sizeOf(bias.shape) === channels;
  if (!isPerChannel) return undefined;
  return record.op('Conv', [...node.inputs, record.reshape(bias, [channels])], shape, 'float32', node.attributes);
}

function resized(record: Recorder, x: Value, shape: readonly number[]): Value | undefined {
  const [height, one, width, other] = x.shape.slice(-4);
  const [rows, columns] = [shape.at(-3)!, shape.at(-1)!];
  if (one !== 1 || other !== 1 || rows < 2 || columns < 2 || x.type !== 'float32' || x.shape.length !== shape.length)
    return undefined;
  if (x.shape.some((size, axis) => size !== shape[axis] && axis !== shape.length - 3 && axis !== shape.length - 1))
    return undefined;
  const source = x.node?.op === 'Reshape' ? x.node.inputs[0]! : x;
  const isVideo = record.capabilities.videoResize && sameShape(source.shape.slice(3), [height!, width!]);
  const pictures = isVideo ? source : record.reshape(x, [1, sizeOf(x.shape.slice(0, -4)), height!, width!]);
  const lead = pictures.shape.slice(0, -2);
  const scales = [...lead.map(() => 1), rows, columns];
  const resized = record.op(
    'Resize',
    [pictures, undefined, record.literal(scales, [scales.length], 'float32')],
    [...lead, height! * rows, width! * columns],
    x.type,
    { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' },
  );
  return record.reshape(resized, shape);
}

/** MultiHeadAttention broadcasts batch and heads of a bias, not its queries and keys. */
function fullBias(record: Recorder, bias: Value, q: Value, k: Value, heads: number): Value {
  const [batch = 1, biasHeads = 1] = [bias.shape.at(-4), bias.shape.at(-3)];
  if (biasHeads !== 1 && biasHeads !== heads) throw new Error(`attention: bias [${bias.shape}] for ${heads} heads`);
  return record.expand(bias, [batch, biasHeads, q.shape[1]!, k.shape[1]!]);
}
