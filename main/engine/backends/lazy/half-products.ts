import type { OnnxGraph } from './onnx-encoder.ts';

type EncodedNode = OnnxGraph['nodes'][number];

/** Floating-point numbers of 16 bits that matrix products may be computed in. */
export type HalfType = 'bfloat16' | 'float16';

/** Operations of two matrices or more whose float32 operands may be rounded to 16 bits. */
const products = new Set(['MatMul', 'Gemm', 'FusedMatMul']);
const attention = 'MultiHeadAttention';

export const isProduct = ({ op }: { op: string }): boolean => products.has(op) || op === attention;

/** ONNX TensorProto.DataType */
const onnxTypes = { float32: 1, float16: 10, bfloat16: 16 } as const;

/**
 * One product of float32 operands as nodes that round them to 16 bits, multiply, and hand on float32. Sums inside are float32 on graphics
 * processors. float16 ends at 65,504 and loses gradients below 1e-7, so that a product's operands are divided by their largest values
 * first; what attention takes has been normalised already. `name` is a prefix that no other node's values have.
 */
export function inHalf(node: EncodedNode, type: HalfType, name: string): EncodedNode[] {
  const made: EncodedNode[] = [];
  const add = (op: string, inputs: readonly string[], attributes: EncodedNode['attributes'] = {}, output?: string) => {
    const result = output ?? `${name}_${made.length}`;
    made.push({ op, domain: '', inputs, outputs: [result], attributes });
    return result;
  };
  const isScaled = type === 'float16' && node.op !== attention;
  const scales: string[] = [];
  const halves = new Map<string, string>([['', '']]);
  const rounded = (operand: string): string => {
    const known = halves.get(operand);
    if (known !== undefined) return known;
    let scaled = operand;
    if (isScaled) {
      // Of nothing but zeros the largest is taken to be tiny instead.
      const largest = add('ReduceMax', [add('Abs', [operand])], { keepdims: 0 });
      const scale = add('Max', [largest, 'tiny']);
      scales.push(scale);
      scaled = add('Div', [operand, scale]);
    }
    const half = add('Cast', [scaled], { to: onnxTypes[type] });
    halves.set(operand, half);
    return half;
  };
  const inputs = node.inputs.map(rounded);
  const product = `${name}_product`;
  made.push({ ...node, inputs, outputs: [product] });
  const [output] = node.outputs as [string];
  if (!isScaled) {
    add('Cast', [product], { to: onnxTypes.float32 }, output);
    return made;
  }
  const [first, second = first] = scales as [string, string?];
  const wide = add('Cast', [product], { to: onnxTypes.float32 });
  add('Mul', [wide, add('Mul', [first, second])], {}, output);
  return made;
}

/** What float16 products divide by instead of zero. */
export const tiny: OnnxGraph['literals'][number] = { name: 'tiny', shape: [], type: 'float32', values: [1e-30] };
