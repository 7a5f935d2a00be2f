import type { Capabilities } from './executors/executor.ts';
import {
  type Attributes,
  type ElementType,
  type Graph,
  type HostArray,
  sameShape,
  sizeOf,
  type Value,
} from './graph.ts';

/** Records ONNX operations one by one, leaving out those that change nothing. What kernels are written in. */
export class Recorder {
  readonly capabilities: Capabilities;
  private readonly graph: Graph;

  constructor(graph: Graph, capabilities: Capabilities) {
    this.graph = graph;
    this.capabilities = capabilities;
  }

  /** One operation with one output. */
  op(
    op: string,
    inputs: readonly (Value | undefined)[],
    shape: readonly number[],
    type: ElementType,
    attributes?: Attributes,
    domain?: string,
  ): Value {
    return this.graph.add(op, inputs, [{ shape, type }], attributes, domain)[0]!;
  }

  /** One operation with several outputs. */
  ops(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly { shape: readonly number[]; type: ElementType }[],
    attributes?: Attributes,
    domain?: string,
  ): readonly Value[] {
    return this.graph.add(op, inputs, outputs, attributes, domain);
  }

  /** A constant that is part of the graph's structure. */
  literal(values: readonly number[] | HostArray, shape: readonly number[], type: ElementType): Value {
    return { shape, type, literal: values, references: 0, tensors: 0 };
  }

  scalar(value: number, type: ElementType = 'float32'): Value {
    return this.literal([value], [], type);
  }

  /** A list of whole numbers, as ONNX wants axes, shapes and positions. */
  integers(values: readonly number[]): Value {
    return this.literal(values, [values.length], 'int64');
  }

  /** An operation on each element, or pair of elements with broadcasting; the result has the type of the first input unless given. */
  elementwise(
    op: string,
    inputs: readonly Value[],
    type: ElementType = inputs[0]!.type,
    attributes?: Attributes,
  ): Value {
    const shape = inputs.map((input) => input.shape).reduce(broadcastShape);
    const shrunk = inputs.map((input, index) => this.withoutExpand(input, inputs, index, shape));
    return this.op(op, shrunk, shape, type, attributes);
  }

  /** A value that was blown up only to meet the shape of the others may as well stay small. */
  private withoutExpand(input: Value, inputs: readonly Value[], position: number, shape: readonly number[]): Value {
    const source = input.node?.op === 'Expand' ? input.node.inputs[0]! : undefined;
    if (!source) return input;
    return inputs.some(
      (other, index) => index !== position && sameShape(other.shape, shape) && other.node?.op !== 'Expand',
    )
      ? source
      : input;
  }

  add(a: Value, b: Value): Value {
    return this.withBias(a, b) ?? this.withBias(b, a) ?? this.elementwise('Add', [a, b]);
  }

  /** A convolution takes a sum with one number per channel along. */
  private withBias({ node, shape }: Value, bias: Value): Value | undefined {
    if (node?.op !== 'Conv' || node.inputs.length !== 2) return undefined;
    const channels = shape[1]!;
    const perChannel = bias.shape.at(1 - shape.length) === channels && sizeOf(bias.shape) === channels;
    if (!perChannel) return undefined;
    const inputs = [...node.inputs, this.reshape(bias, [channels])];
    return this.op('Conv', inputs, shape, 'float32', node.attributes);
  }

  sub = (a: Value, b: Value) => this.elementwise('Sub', [a, b]);
  mul = (a: Value, b: Value) => this.elementwise('Mul', [a, b]);
  div = (a: Value, b: Value) => this.elementwise('Div', [a, b]);

  reshape(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    if (x.literal) return this.literal(x.literal, shape, x.type);
    const source = x.node?.op === 'Reshape' ? x.node.inputs[0]! : x;
    if (sameShape(source.shape, shape)) return source;
    return this.op('Reshape', [source, this.integers(shape)], shape, x.type);
  }

  transpose(x: Value, order: readonly number[]): Value {
    if (order.every((axis, position) => axis === position)) return x;
    if (x.node?.op === 'Transpose') {
      const first = x.node.attributes.perm as readonly number[];
      return this.transpose(
        x.node.inputs[0]!,
        order.map((axis) => first[axis]!),
      );
    }
    const shape = order.map((axis) => x.shape[axis]!);
    // Moving axes of length 1 moves nothing in memory.
    const moving = order.filter((axis) => x.shape[axis] !== 1);
    if (moving.every((axis, position) => position === 0 || axis > moving[position - 1]!)) return this.reshape(x, shape);
    return this.op('Transpose', [x], shape, x.type, { perm: order });
  }

  cast(x: Value, type: ElementType): Value {
    if (x.type === type) return x;
    const to = { float32: 1, int32: 6, int64: 7, bool: 9 }[type];
    return this.op('Cast', [x], x.shape, type, { to });
  }

  expand(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    return this.enlarge(x, shape) ?? this.op('Expand', [x, this.integers(shape)], shape, x.type);
  }

  /** Pixels that are repeated, [..., height, 1, width, 1] -> [..., height, n, width, m]: a resize copies them far faster. */
  private enlarge(x: Value, shape: readonly number[]): Value | undefined {
    const [height, one, width, other] = x.shape.slice(-4);
    const [rows, columns] = [shape.at(-3)!, shape.at(-1)!];
    if (one !== 1 || other !== 1 || rows < 2 || columns < 2 || x.type !== 'float32' || x.shape.length !== shape.length)
      return undefined;
    if (x.shape.some((size, axis) => size !== shape[axis] && axis !== shape.length - 3 && axis !== shape.length - 1))
      return undefined;
    const source = x.node?.op === 'Reshape' ? x.node.inputs[0]! : x;
    const video = this.capabilities.videoResize && sameShape(source.shape.slice(3), [height!, width!]);
    const pictures = video ? source : this.reshape(x, [1, sizeOf(x.shape.slice(0, -4)), height!, width!]);
    const lead = pictures.shape.slice(0, -2);
    const scales = [...lead.map(() => 1), rows, columns];
    const resized = this.op(
      'Resize',
      [pictures, undefined, this.literal(scales, [scales.length], 'float32')],
      [...lead, height! * rows, width! * columns],
      x.type,
      { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' },
    );
    return this.reshape(resized, shape);
  }

  /** From begin (inclusive) to end (exclusive) on every axis. */
  slice(x: Value, begin: readonly number[], size: readonly number[], strides?: readonly number[]): Value {
    if (!strides && sameShape(x.shape, size)) return x;
    const padding = strides ? undefined : paddingOf(x);
    const within = padding?.before.every(
      (count, axis) => begin[axis]! >= count && begin[axis]! + size[axis]! <= count + padding.source.shape[axis]!,
    );
    if (padding && within)
      return this.slice(
        padding.source,
        begin.map((start, axis) => start - padding.before[axis]!),
        size,
      );
    const axes = x.shape.flatMap((length, axis) =>
      begin[axis] === 0 && size[axis] === length && (strides?.[axis] ?? 1) === 1 ? [] : [axis],
    );
    const ends = axes.map((axis) => begin[axis]! + (size[axis]! - 1) * (strides?.[axis] ?? 1) + 1);
    return this.op(
      'Slice',
      [
        x,
        this.integers(axes.map((axis) => begin[axis]!)),
        this.integers(ends),
        this.integers(axes),
        ...(strides ? [this.integers(axes.map((axis) => strides[axis]!))] : []),
      ],
      size,
      x.type,
    );
  }

  /** Reversed along the given axes. */
  reverse(x: Value, axes: readonly number[]): Value {
    const turned = axes.filter((axis) => x.shape[axis]! > 1);
    if (turned.length === 0) return x;
    const every = (value: number) => this.integers(turned.map(() => value));
    return this.op('Slice', [x, every(-1), every(-(2 ** 31)), this.integers(turned), every(-1)], x.shape, x.type);
  }

  concat(parts: readonly Value[], axis: number): Value {
    const full = parts.filter(({ shape }) => shape[axis]! > 0);
    if (full.length === 1) return full[0]!;
    const first = (full[0] ?? parts[0])!;
    const length = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
    const shape = first.shape.map((size, index) => (index === axis ? length : size));
    return this.op('Concat', full.length > 0 ? full : parts, shape, first.type, { axis });
  }

  /** Filled with one value, before and after each axis. */
  pad(x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
    if ([...before, ...after].every((count) => count === 0)) return x;
    const inner = paddingOf(x);
    if (inner && inner.value === value) {
      const more = (counts: readonly number[], own: readonly number[]) =>
        counts.map((count, axis) => count + own[axis]!);
      return this.pad(inner.source, more(before, inner.before), more(after, inner.after), value);
    }
    const shape = x.shape.map((size, axis) => before[axis]! + size + after[axis]!);
    return this.op('Pad', [x, this.integers([...before, ...after]), this.scalar(value, x.type)], shape, x.type);
  }

  /** ReduceSum, ReduceMean, ReduceMax, ReduceMin or ReduceProd over some axes. */
  reduce(op: string, x: Value, axes: readonly number[], keepDimensions: boolean): Value {
    if (axes.length === 0) return x;
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const shape = keepDimensions ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
    if (axes.every((axis) => x.shape[axis] === 1)) return this.reshape(x, shape);
    return this.op(op, [x, this.integers(axes)], shape, x.type, { keepdims: keepDimensions ? 1 : 0 });
  }

  /** Summed down to a shape that broadcasts to its own. */
  sumTo(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    const lead = x.shape.length - shape.length;
    const axes = x.shape.flatMap((size, axis) =>
      axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : [],
    );
    return this.reshape(this.reduce('ReduceSum', x, axes, false), shape);
  }

  /** a [..., m, k] (or [..., k, m]) times b [..., k, n] (or [..., n, k]) -> [..., m, n], leading axes broadcast. */
  matMul(a: Value, b: Value, transposeA = false, transposeB = false, scale = 1): Value {
    const [rows, columns] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
    const shape = [...broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
    if (shape.length === 2 && (transposeA || transposeB || scale !== 1))
      return this.op('Gemm', [a, b], shape, a.type, { transA: +transposeA, transB: +transposeB, alpha: scale });
    if ((transposeA || transposeB || scale !== 1) && this.capabilities.fusedMatMul)
      return this.op(
        'FusedMatMul',
        [a, b],
        shape,
        a.type,
        { transA: +transposeA, transB: +transposeB, alpha: scale },
        'com.microsoft',
      );
    const left = transposeA ? this.transpose(a, swapLast(a.shape.length)) : a;
    const right = transposeB ? this.transpose(b, swapLast(b.shape.length)) : b;
    const product = this.op('MatMul', [left, right], shape, a.type);
    return scale === 1 ? product : this.mul(product, this.scalar(scale));
  }

  zeros(shape: readonly number[], type: ElementType): Value {
    return this.fill(shape, 0, type);
  }

  fill(shape: readonly number[], value: number, type: ElementType): Value {
    return sizeOf(shape) === 1 ? this.literal([value], shape, type) : this.expand(this.scalar(value, type), shape);
  }
}

/** What a value that is about to be padded, sliced or convolved was padded with. */
export function paddingOf({ node }: Value) {
  if (node?.op !== 'Pad') return undefined;
  const source = node.inputs[0]!;
  const counts = node.inputs[1]!.literal as readonly number[];
  const rank = source.shape.length;
  return { source, before: counts.slice(0, rank), after: counts.slice(rank), value: node.inputs[2]!.literal![0]! };
}

const swapLast = (rank: number) => [...Array(rank - 2).keys(), rank - 1, rank - 2];

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const [left, right] = [a[index - rank + a.length] ?? 1, b[index - rank + b.length] ?? 1];
    if (left !== right && left !== 1 && right !== 1) throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return left === 1 ? right : left;
  });
}
