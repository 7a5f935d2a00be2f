import { appendFileSync } from 'node:fs';
import type { Attributes, Inspect, Node, Value } from './graph.ts';

/** Constants of more values are cut. */
const valuesShown = 8;

/**
 * A recorded graph for people, a node a line: `%3 float32[2,4] = Conv(%0, %1) strides=1,1`, with a blank line
 * at every cut.
 */
function graphText(nodes: readonly Node[], wanted: readonly Value[]): string {
  const lines: string[] = [];
  const names = new Map<Value, string>();
  const typed = ({ shape, type }: Value) => `${type}[${shape}]`;
  const define = (value: Value) => {
    const name = `%${names.size}`;
    names.set(value, name);
    return `${name} ${typed(value)}`;
  };
  const use = (value: Value | undefined): string => {
    if (!value) return '-';
    if (value.literal) return literalText(value.literal);
    if (!names.has(value))
      lines.push(`${define(value)} = ${value.placeholder === undefined ? 'held' : `input ${value.placeholder}`}`);
    return names.get(value)!;
  };
  let cut = nodes[0]?.segment;
  for (const { op, inputs, outputs, attributes, segment } of nodes) {
    if (segment !== cut) lines.push('');
    cut = segment;
    const operands = inputs.map(use).join(', ');
    lines.push(`${outputs.map(define).join(', ')} = ${op}(${operands})${attributesText(attributes)}`);
  }
  return [...lines, `result ${wanted.map(use).join(', ')}`].join('\n');
}

const literalText = (values: NonNullable<Value['literal']>) =>
  `[${values.slice(0, valuesShown).join(' ')}${values.length > valuesShown ? ` … ${values.length} in all` : ''}]`;

const attributesText = (attributes: Attributes) =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}=${value}`)
    .join('');

/** Adds every graph of a new structure to a file. */
export function dumpGraphs(file: string): Inspect {
  const written = new Set<string>();
  return (nodes, wanted) => {
    const text = graphText(nodes, wanted);
    if (!written.has(text)) appendFileSync(file, `${text}\n\n\n`);
    written.add(text);
  };
}
