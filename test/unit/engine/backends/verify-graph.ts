import {
  type Node,
  type Operation,
  sameShape,
  sizeOf,
  type Value,
} from '../../../../main/engine/backends/lazy/graph.ts';

type Typed = Operation['outputs'][number];
type Inputs = readonly (Value | undefined)[];
/**
 * What ONNX' definition of an operation makes of its inputs; the outputs that may be left out at the end are
 * missing.
 */
// biome-ignore lint/suspicious/noExplicitAny: the attributes differ from operation to operation
type Rule = (inputs: Inputs, attributes: any, operation: Operation) => Typed[];

const integers = (value: Value | undefined): number[] => {
  if (!value?.literal || value.type !== 'int64') throw new Error('expected a list of whole numbers');
  return Array.from(value.literal);
};
const broadcast = (shapes: readonly (readonly number[])[]) => {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = new Set(shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((size) => size !== 1));
    if (sizes.size > 1) throw new Error(`shapes ${shapes.map((shape) => `[${shape}]`)} do not broadcast`);
    return [...sizes][0] ?? 1;
  });
};
const oneType = (values: Inputs) => {
  const types = new Set(values.map((value) => value!.type));
  if (types.size !== 1) throw new Error(`types ${[...types]} are mixed`);
  return values[0]!.type;
};
const shapes = (values: Inputs) => values.map((value) => value!.shape);

const asFirst: Rule = ([x]) => [x!];
const elementwise: Rule = (inputs) => [{ shape: broadcast(shapes(inputs)), type: oneType(inputs) }];
const comparison: Rule = (inputs, ...rest) =>
  elementwise(inputs, ...rest).map(({ shape }) => ({ shape, type: 'bool' }));
const reduction: Rule = ([x, axes], { keepdims }) => [
  {
    shape: x!.shape.flatMap((size, axis) => (!integers(axes).includes(axis) ? [size] : keepdims ? [1] : [])),
    type: x!.type,
  },
];
const position: Rule = ([x], { axis }) => [{ shape: x!.shape.toSpliced(axis, 1), type: 'int64' }];
const product: Rule = ([a, b], { transA = 0, transB = 0 }) => {
  const [left, right] = [a!.shape, b!.shape];
  const [rows, inner] = transA ? [left.at(-1), left.at(-2)] : [left.at(-2), left.at(-1)];
  const [same, columns] = transB ? [right.at(-1), right.at(-2)] : [right.at(-2), right.at(-1)];
  if (inner !== same) throw new Error(`inner sizes ${inner} and ${same}`);
  return [{ shape: [...broadcast([left.slice(0, -2), right.slice(0, -2)]), rows!, columns!], type: oneType([a, b]) }];
};
const steps = (x: Value, size: readonly number[], { strides, pads, dilations }: Record<string, readonly number[]>) =>
  size.map((length, axis) => {
    const reach = (length - 1) * (dilations?.[axis] ?? 1) + 1;
    const room = x.shape[axis + 2]! + pads![axis]! + pads![axis + size.length]!;
    return Math.floor((room - reach) / strides![axis]!) + 1;
  });
const pool: Rule = ([x], attributes) => [
  { shape: [...x!.shape.slice(0, 2), ...steps(x!, attributes.kernel_shape!, attributes)], type: x!.type },
];
const statistics: Rule = ([x], _, { outputs }) =>
  outputs.map((_, index) => ({ shape: index === 0 ? x!.shape : x!.shape.with(-1, 1), type: x!.type }));

const unary = `Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Elu Erf Exp Floor Gelu Identity LeakyRelu Log Neg Not Reciprocal Relu
  Round Sigmoid Sign Sin Sinh Softmax Softplus Sqrt Tan Tanh CumSum Clip ScatterND RotaryEmbedding MultiHeadAttention`;

const rules: Record<string, Rule> = {
  ...Object.fromEntries(unary.split(/\s+/).map((op) => [op, asFirst])),
  ...Object.fromEntries('Add Sub Mul Div Pow Max Min Mod And Or'.split(' ').map((op) => [op, elementwise])),
  ...Object.fromEntries('Equal Greater GreaterOrEqual Less LessOrEqual'.split(' ').map((op) => [op, comparison])),
  ...Object.fromEntries(['Sum', 'Mean', 'Max', 'Min', 'Prod'].map((kind) => [`Reduce${kind}`, reduction])),
  IsInf: ([x]) => [{ shape: x!.shape, type: 'bool' }],
  IsNaN: ([x]) => [{ shape: x!.shape, type: 'bool' }],
  Where: ([condition, ...choices]) => {
    if (condition!.type !== 'bool') throw new Error(`a condition of ${condition!.type}`);
    return [{ shape: broadcast(shapes([condition, ...choices])), type: oneType(choices) }];
  },
  ArgMax: position,
  ArgMin: position,
  MatMul: product,
  Gemm: product,
  FusedMatMul: product,
  AveragePool: pool,
  MaxPool: pool,
  Conv: ([x, weight, bias], attributes) => {
    const channels = weight!.shape[0]!;
    if (weight!.shape[1]! * ((attributes.group as number | undefined) ?? 1) !== x!.shape[1])
      throw new Error(`weights [${weight!.shape}] for x [${x!.shape}]`);
    if (bias && !sameShape(bias.shape, [channels])) throw new Error(`bias [${bias.shape}] for ${channels} channels`);
    return [{ shape: [x!.shape[0]!, channels, ...steps(x!, weight!.shape.slice(2), attributes)], type: oneType([x]) }];
  },
  LayerNormalization: statistics,
  SimplifiedLayerNormalization: statistics,
  Cast: ([x], { to }) => [
    { shape: x!.shape, type: ({ 1: 'float32', 6: 'int32', 7: 'int64', 9: 'bool' } as const)[to as 1] },
  ],
  Reshape: ([x, shape]) => {
    if (sizeOf(integers(shape)) !== sizeOf(x!.shape)) throw new Error(`[${x!.shape}] as [${integers(shape)}]`);
    return [{ shape: integers(shape), type: x!.type }];
  },
  Transpose: ([x], { perm }) => {
    const order = perm as readonly number[];
    if (![...order].sort((a, b) => a - b).every((axis, place) => axis === place) || order.length !== x!.shape.length)
      throw new Error(`axes [${order}] of [${x!.shape}]`);
    return [{ shape: order.map((axis) => x!.shape[axis]!), type: x!.type }];
  },
  Expand: ([x, shape]) => [{ shape: broadcast([x!.shape, integers(shape)]), type: x!.type }],
  Resize: ([x, , scales]) => [
    { shape: x!.shape.map((size, axis) => Math.floor(size * scales!.literal![axis]!)), type: x!.type },
  ],
  Slice: ([x, begins, ends, axes, strides]) => {
    const shape = [...x!.shape];
    for (const [place, axis] of integers(axes).entries()) {
      const [size, stride] = [x!.shape[axis]!, strides ? integers(strides)[place]! : 1];
      const bound = (at: number, low: number, high: number) => Math.min(high, Math.max(low, at < 0 ? at + size : at));
      const [begin, end] = [integers(begins)[place]!, integers(ends)[place]!];
      const reach =
        stride > 0 ? bound(end, 0, size) - bound(begin, 0, size) : bound(begin, 0, size - 1) - bound(end, -1, size - 1);
      shape[axis] = Math.max(0, Math.ceil(reach / Math.abs(stride)));
    }
    return [{ shape, type: x!.type }];
  },
  Pad: ([x, counts, value]) => {
    const rank = x!.shape.length;
    if (integers(counts).length !== 2 * rank) throw new Error(`${integers(counts)} around [${x!.shape}]`);
    const shape = x!.shape.map((size, axis) => size + integers(counts)[axis]! + integers(counts)[axis + rank]!);
    return [{ shape, type: oneType([x, value]) }];
  },
  Concat: (parts, { axis }) => {
    const rest = new Set(parts.map((part) => `${part!.shape.with(axis, 0)}`));
    if (rest.size > 1) throw new Error(`parts ${shapes(parts).map((shape) => `[${shape}]`)} along ${axis}`);
    const length = parts.reduce((sum, part) => sum + part!.shape[axis]!, 0);
    return [{ shape: parts[0]!.shape.with(axis, length), type: oneType(parts) }];
  },
  Tile: ([x, counts]) => [{ shape: x!.shape.map((size, axis) => size * integers(counts)[axis]!), type: x!.type }],
  Gather: ([x, indices], { axis }) => [{ shape: x!.shape.toSpliced(axis, 1, ...indices!.shape), type: x!.type }],
  GatherND: ([x, indices]) => [
    { shape: [...indices!.shape.slice(0, -1), ...x!.shape.slice(indices!.shape.at(-1))], type: x!.type },
  ],
  TopK: ([x, count]) => {
    const shape = x!.shape.with(-1, integers(count)[0]!);
    return [
      { shape, type: x!.type },
      { shape, type: 'int64' },
    ];
  },
  Einsum: (operands, { equation }) => {
    const [terms, result] = (equation as string).split('->') as [string, string];
    const sizes = new Map<string, number>();
    for (const [index, term] of terms.split(',').entries())
      for (const [axis, letter] of [...term].entries()) sizes.set(letter, operands[index]!.shape[axis]!);
    return [{ shape: [...result].map((letter) => sizes.get(letter)!), type: oneType(operands) }];
  },
};

/**
 * Throws where a recorded graph cannot be computed as it says: nodes that nothing needs or that need what
 * comes later, values without a source or with two, and shapes or types that do not follow from the
 * operation's inputs.
 */
export function verifyGraph(nodes: readonly Node[], wanted: readonly Value[]): void {
  const known = new Set<Node>();
  const used = new Set(wanted);
  for (const [place, node] of nodes.entries()) {
    const refuse = (why: string): never => {
      throw new Error(`node ${place}, ${node.op}: ${why}`);
    };
    for (const input of node.inputs) {
      if (!input) continue;
      used.add(input);
      const { node: source, literal, buffer, streamed, placeholder, shape } = input;
      const sources = [source, literal, buffer, streamed, placeholder].filter((from) => from !== undefined);
      if (sources.length !== 1) refuse(`an input [${shape}] has ${sources.length} sources`);
      if (source && !known.has(source)) refuse(`it needs ${source.op}, which does not come before it`);
      if (source && !source.outputs.includes(input)) refuse(`its input is no output of ${source.op}`);
      if (literal && literal.length !== sizeOf(shape)) refuse(`${literal.length} constants for [${shape}]`);
    }
    const rule = rules[node.op] ?? refuse('no rule says what it makes of its inputs');
    let expected: Typed[] = [];
    try {
      expected = rule(node.inputs, node.attributes, node);
    } catch (error) {
      refuse((error as Error).message);
    }
    const text = (outputs: readonly Typed[]) => outputs.map(({ shape, type }) => `${type}[${shape}]`).join();
    if (text(expected) !== text(node.outputs)) refuse(`makes ${text(expected)}, and says ${text(node.outputs)}`);
    known.add(node);
  }
  for (const [place, node] of nodes.entries())
    if (!node.outputs.some((output) => used.has(output)))
      throw new Error(`node ${place}, ${node.op}: nothing needs it`);
  for (const value of wanted)
    if (!value.node || !known.has(value.node)) throw new Error(`a result [${value.shape}] is computed by no node`);
}
