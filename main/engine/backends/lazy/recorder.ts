import type { Capabilities } from './executors/executor.ts';
import {
  type Attributes,
  type ElementType,
  type Graph,
  type HostArray,
  type Operation,
  sameShape,
  sizeOf,
  type Value,
} from './graph.ts';
import { onnxTypes } from './onnx-encoder.ts';

/** Something cheaper, or faster, to record than the operation that was asked for. */
export interface Rewrite {
  /** The operations that it looks at, ONNX' or those that are only `fused`. */
  readonly of: readonly string[];
  /** What the executor must do well. */
  readonly needs?: keyof Capabilities;
  /** The outputs recorded instead, or undefined where the pattern is not there. */
  apply(record: Recorder, operation: Operation): Value | Value[] | undefined;
}

/**
 * Records ONNX operations one by one, each as the first rewrite that knows better has it. What kernels are
 * written in.
 */
export class Recorder {
  readonly capabilities: Capabilities;
  private readonly graph: Graph;
  private readonly rewrites = new Map<string, readonly Rewrite[]>();

  constructor(graph: Graph, capabilities: Capabilities, rewrites: readonly Rewrite[]) {
    this.graph = graph;
    this.capabilities = capabilities;
    for (const rewrite of rewrites)
      if (rewrite.needs === undefined || capabilities[rewrite.needs])
        for (const op of rewrite.of) this.rewrites.set(op, [...(this.rewrites.get(op) ?? []), rewrite]);
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
    return this.ops(op, inputs, [{ shape, type }], attributes, domain)[0]!;
  }

  /** One operation with several outputs. */
  ops(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: Operation['outputs'],
    attributes: Attributes = {},
    domain = '',
  ): Value[] {
    const operation = { op, domain, inputs, attributes, outputs };
    const made = this.rewritten(operation);
    return made ? [made].flat() : this.node(operation);
  }

  /** An operation as it is, whatever the rewrites say. */
  node(operation: Operation): Value[] {
    return this.graph.add(operation);
  }

  /**
   * What a rewrite makes of an operation that has no node of its own; undefined where it is left to be
   * composed of others.
   */
  fused(
    op: string,
    inputs: readonly Value[],
    attributes: Attributes,
    outputs: Operation['outputs'] = [],
  ): Value | Value[] | undefined {
    return this.rewritten({ op, domain: '', inputs, attributes, outputs });
  }

  private rewritten(operation: Operation): Value | Value[] | undefined {
    for (const rewrite of this.rewrites.get(operation.op) ?? []) {
      const made = rewrite.apply(this, operation);
      if (made) return made;
    }
    return undefined;
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

  /**
   * An operation on each element, or pair of elements with broadcasting; the result has the type of the first
   * input unless given.
   */
  elementwise(
    op: string,
    inputs: readonly Value[],
    type: ElementType = inputs[0]!.type,
    attributes?: Attributes,
  ): Value {
    const shape = inputs.map((input) => input.shape).reduce(broadcastShape);
    return this.op(op, inputs, shape, type, attributes);
  }

  add = (a: Value, b: Value) => this.elementwise('Add', [a, b]);
  sub = (a: Value, b: Value) => this.elementwise('Sub', [a, b]);
  mul = (a: Value, b: Value) => this.elementwise('Mul', [a, b]);
  div = (a: Value, b: Value) => this.elementwise('Div', [a, b]);

  reshape(x: Value, shape: readonly number[]): Value {
    return this.op('Reshape', [x, this.integers(shape)], shape, x.type);
  }

  transpose(x: Value, order: readonly number[]): Value {
    const shape = order.map((axis) => x.shape[axis]!);
    return this.op('Transpose', [x], shape, x.type, { perm: order });
  }

  cast(x: Value, type: ElementType): Value {
    const to = onnxTypes[type];
    return this.op('Cast', [x], x.shape, type, { to });
  }

  expand(x: Value, shape: readonly number[]): Value {
    return this.op('Expand', [x, this.integers(shape)], shape, x.type);
  }

  /** From begin (inclusive) to end (exclusive) on every axis. */
  slice(x: Value, begin: readonly number[], size: readonly number[], strides?: readonly number[]): Value {
    const cut = x.shape.flatMap((length, axis) =>
      begin[axis] === 0 && size[axis] === length && (strides?.[axis] ?? 1) === 1 ? [] : [axis],
    );
    const axes = cut.length > 0 ? cut : [0]; // OpenVINO refuses empty lists
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
    const length = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
    return this.op('Concat', parts, parts[0]!.shape.with(axis, length), parts[0]!.type, { axis });
  }

  /** Filled with one value, before and after each axis. */
  pad(x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
    const shape = x.shape.map((size, axis) => before[axis]! + size + after[axis]!);
    return this.op('Pad', [x, this.integers([...before, ...after]), this.scalar(value, x.type)], shape, x.type);
  }

  /** ReduceSum, ReduceMean, ReduceMax, ReduceMin or ReduceProd over some axes. */
  reduce(op: string, x: Value, axes: readonly number[], keepDimensions: boolean): Value {
    if (axes.length === 0) return x; // which ONNX takes for all of them
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const shape = keepDimensions ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
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

  /**
   * a [..., m, k] (or [..., k, m]) times b [..., k, n] (or [..., n, k]) -> [..., m, n], leading axes
   * broadcast.
   */
  matMul(a: Value, b: Value, transposeA = false, transposeB = false, scale = 1): Value {
    const [rows, columns] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
    const shape = [...broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
    if (!transposeA && !transposeB && scale === 1) return this.op('MatMul', [a, b], shape, a.type);
    const attributes = { transA: +transposeA, transB: +transposeB, alpha: scale };
    const fused = this.fused('ScaledProduct', [a, b], attributes, [{ shape, type: a.type }]);
    if (fused) return [fused].flat()[0]!;
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

const swapLast = (rank: number) => [...Array(rank - 2).keys(), rank - 1, rank - 2];

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const [left, right] = [a[index - rank + a.length] ?? 1, b[index - rank + b.length] ?? 1];
    if (left !== right && left !== 1 && right !== 1) throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return left === 1 ? right : left;
  });
}
