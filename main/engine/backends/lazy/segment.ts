import { createHash } from 'node:crypto';
import type { Node, Value } from './graph.ts';
import { encodeModel, type OnnxGraph } from './onnx-encoder.ts';

/** Nodes that are compiled together, with their boundary. */
export interface Segment {
  /** Equal for segments of equal structure: operations, attributes, shapes, topology and literals, never values. */
  readonly signature: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  encode(): Uint8Array;
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
  for (const [index, node] of nodes.entries()) {
    const inputNames = node.inputs.map(nameOf);
    const resultNames = node.outputs.map((output, position) => {
      const name = outputNames.get(output) ?? (output.references > 0 ? `n${index}_${position}` : '');
      names.set(output, name);
      return name;
    });
    while (resultNames.at(-1) === '') resultNames.pop();
    const attributes = Object.entries(node.attributes).map(([name, value]) => `${name}=${value}`);
    text.push(`${resultNames}=${node.domain}${node.op}(${inputNames};${attributes.join(';')})`);
    graph.nodes.push({ ...node, inputs: inputNames, outputs: resultNames });
  }
  text.push(outputs.map((output) => `${outputNames.get(output)}:${output.type}[${output.shape}]`).join());
  return {
    signature: createHash('sha256').update(text.join('\n')).digest('base64'),
    inputs,
    outputs,
    encode: () =>
      encodeModel({
        ...graph,
        inputs: inputs.map(({ shape, type }, index) => ({ name: `i${index}`, shape, type })),
        outputs: outputs.map(({ shape, type }, index) => ({ name: `o${index}`, shape, type })),
      }),
  };
}
