import { createHash } from 'node:crypto';
import { type Node, sizeOf, type Value } from './graph.ts';
import { type HalfType, inHalf, isProduct, tiny } from './half-products.ts';
import { encodeModel, type OnnxGraph } from './onnx-encoder.ts';

/** Nodes that are compiled together, with their boundary. */
export interface Segment {
  /** Equal for segments of equal structure: operations, attributes, shapes, topology and literals, never values. */
  readonly signature: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** What its inner values take in memory at most at once, in bytes, computed in order. */
  readonly workingBytes: number;
  /** ONNX bytes, with matrix products in numbers of 16 bits where a type for them is given. */
  encode(products?: HalfType): Uint8Array;
}

/** Operations that hand on the memory of their first input. */
const viewOperations = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Identity']);

const orderedSums = new Set(['ReduceSum', 'ReduceMean']);

type EncodedNode = OnnxGraph['nodes'][number];

/**
 * ONNX Runtime sums in an order that depends on where in memory the summands lie, to 64 bytes; array buffers lie anywhere, so that a
 * run that was resumed would differ from one that was not in the last bits. -sum(-x) is the same number, and -x lies where ONNX
 * Runtime puts it.
 */
function sumOfCopy(node: EncodedNode, name: string): EncodedNode[] {
  const negative = { op: 'Neg', domain: '', attributes: {} };
  return [
    { ...negative, inputs: [node.inputs[0]!], outputs: [`${name}x`] },
    { ...node, inputs: [`${name}x`, ...node.inputs.slice(1)], outputs: [`${name}s`] },
    { ...negative, inputs: [`${name}s`], outputs: node.outputs },
  ];
}

/** Describes nodes, given in order of computation, that hand `outputs` on. */
export function describeSegment(nodes: readonly Node[], outputs: readonly Value[]): Segment {
  const names = new Map<Value, string>();
  const inputs: Value[] = [];
  const graph = { nodes: [] as OnnxGraph['nodes'][number][], literals: [] as OnnxGraph['literals'][number][] };
  const literalNames = new Map<string, string>();
  const text: string[] = [];

  const nameOf = (value: Value | undefined): string => {
    if (!value) return '';
    const known = names.get(value);
    if (known !== undefined) return known;
    let name: string;
    if (value.literal) {
      const key = `${value.type}[${value.shape}]=${value.literal}`;
      name = literalNames.get(key) ?? `c${literalNames.size}`;
      if (!literalNames.has(key)) {
        literalNames.set(key, name);
        graph.literals.push({ name, shape: value.shape, type: value.type, values: value.literal });
        text.push(`${name}:${key}`);
      }
    } else {
      name = `i${inputs.length}`;
      inputs.push(value);
      text.push(`${name}:${value.type}[${value.shape}]`);
    }
    names.set(value, name);
    return name;
  };

  const outputNames = new Map(outputs.map((output, index) => [output, `o${index}`]));
  const outsideViews = new Set<string>();
  const products = new Set<EncodedNode>();
  /** Whether a value lies in memory that this program did not allocate: an input, an output, or a view of one. */
  const isOutside = (name: string) => /^[io]\d/.test(name) || outsideViews.has(name);
  for (const [index, node] of nodes.entries()) {
    const inputNames = node.inputs.map(nameOf);
    // Only outputs at the end can be left out: the first ones of some operations are not optional.
    const used = node.outputs.findLastIndex((output) => outputNames.has(output) || output.references > 0) + 1;
    const resultNames = node.outputs.slice(0, Math.max(1, used)).map((output, position) => {
      const name = outputNames.get(output) ?? `n${index}_${position}`;
      names.set(output, name);
      return name;
    });
    const attributes = Object.entries(node.attributes).map(([name, value]) => `${name}=${value}`);
    text.push(`${resultNames}=${node.domain}${node.op}(${inputNames};${attributes.join(';')})`);
    const encoded = { ...node, inputs: inputNames, outputs: resultNames };
    if (viewOperations.has(node.op) && isOutside(inputNames[0]!)) outsideViews.add(resultNames[0]!);
    if (orderedSums.has(node.op) && node.outputs[0]!.type === 'float32' && isOutside(inputNames[0]!))
      graph.nodes.push(...sumOfCopy(encoded, `a${index}`));
    else graph.nodes.push(encoded);
    if (isProduct(node) && node.outputs[0]!.type === 'float32') products.add(encoded);
  }
  text.push(outputs.map((output) => `${outputNames.get(output)}:${output.type}[${output.shape}]`).join());
  return {
    signature: createHash('sha256').update(text.join('\n')).digest('base64'),
    inputs,
    outputs,
    workingBytes: peakBytes(nodes, outputs),
    encode: (type) =>
      encodeModel({
        nodes: type
          ? graph.nodes.flatMap((node, index) => (products.has(node) ? inHalf(node, type, `h${index}`) : node))
          : graph.nodes,
        literals: type === 'float16' && products.size > 0 ? [...graph.literals, tiny] : graph.literals,
        inputs: inputs.map(({ shape, type }, index) => ({ name: `i${index}`, shape, type })),
        outputs: outputs.map(({ shape, type }, index) => ({ name: `o${index}`, shape, type })),
      }),
  };
}

/** Bytes that values computed by `nodes`, other than `outputs` and views, take at the worst moment when each goes after its last use. */
function peakBytes(nodes: readonly Node[], outputs: readonly Value[]): number {
  const isOutput = new Set(outputs);
  const lastUses = new Map<Value, number>();
  for (const [index, { inputs }] of nodes.entries()) for (const input of inputs) if (input) lastUses.set(input, index);
  const ending = new Map<number, number>();
  let [live, peak] = [0, 0];
  for (const [index, node] of nodes.entries()) {
    for (const output of node.outputs) {
      const last = lastUses.get(output);
      if (last === undefined || isOutput.has(output) || viewOperations.has(node.op)) continue;
      const bytes = sizeOf(output.shape) * (output.type === 'bool' ? 1 : output.type === 'int64' ? 8 : 4);
      live += bytes;
      ending.set(last, (ending.get(last) ?? 0) + bytes);
    }
    peak = Math.max(peak, live);
    live -= ending.get(index) ?? 0;
  }
  return peak;
}
