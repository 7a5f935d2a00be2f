import type { Value } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import type { Kernel, Kernels } from './kernel.ts';

const unary =
  (op: string): Kernel =>
  (record, { x }) =>
    record.elementwise(op, [x!]);

/** Rounding leaves whole numbers as they are. */
const rounding =
  (op: string): Kernel =>
  (record, { x }) =>
    x!.type === 'float32' ? record.elementwise(op, [x!]) : record.reshape(x!, x!.shape);

const binary =
  (op: string): Kernel =>
  (record, { a, b }) =>
    record.elementwise(op, [a!, b!]);

const comparison =
  (op: string): Kernel =>
  (record, { a, b }) =>
    record.elementwise(op, [a!, b!], 'bool');

/** ONNX has no quotient rounded down for floats; for whole numbers its division truncates. */
const floorDiv: Kernel = (record, { a, b }) => {
  const quotient = record.div(record.cast(a!, 'float32'), record.cast(b!, 'float32'));
  return record.cast(record.elementwise('Floor', [quotient]), a!.type);
};

/** Remainder with the sign of the divisor, as TensorFlow.js defines it. */
const mod: Kernel = (record, { a, b }) =>
  a!.type === 'int32'
    ? record.elementwise('Mod', [a!, b!])
    : record.sub(a!, record.mul(record.elementwise('Floor', [record.div(a!, b!)]), b!));

function clip(record: Recorder, x: Value, low: number, high: number): Value {
  return record.op('Clip', [x, record.scalar(low, x.type), record.scalar(high, x.type)], x.shape, x.type);
}

export const elementwiseKernels: Kernels = {
  Abs: unary('Abs'),
  Acos: unary('Acos'),
  Acosh: unary('Acosh'),
  Asin: unary('Asin'),
  Asinh: unary('Asinh'),
  Atan: unary('Atan'),
  Atanh: unary('Atanh'),
  Ceil: rounding('Ceil'),
  Cos: unary('Cos'),
  Cosh: unary('Cosh'),
  Elu: unary('Elu'),
  Erf: unary('Erf'),
  Exp: unary('Exp'),
  Floor: rounding('Floor'),
  IsInf: (record, { x }) => record.elementwise('IsInf', [x!], 'bool'),
  IsNan: (record, { x }) => record.elementwise('IsNaN', [x!], 'bool'),
  Log: unary('Log'),
  Neg: unary('Neg'),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Round: rounding('Round'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign'),
  Sin: unary('Sin'),
  Sinh: unary('Sinh'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Tan: unary('Tan'),
  Tanh: unary('Tanh'),
  Expm1: (record, { x }) => record.sub(record.elementwise('Exp', [x!]), record.scalar(1)),
  Log1p: (record, { x }) => record.elementwise('Log', [record.add(x!, record.scalar(1))]),
  Rsqrt: (record, { x }) => record.elementwise('Reciprocal', [record.elementwise('Sqrt', [x!])]),
  Square: (record, { x }) => record.mul(x!, x!),
  LeakyRelu: (record, { x }, { alpha }) => record.elementwise('LeakyRelu', [x!], 'float32', { alpha }),
  Relu6: (record, { x }) => clip(record, x!, 0, 6),
  ClipByValue: (record, { x }, { clipValueMin, clipValueMax }) => clip(record, x!, clipValueMin, clipValueMax),
  EluGrad: (record, { dy, y }) =>
    record.elementwise(
      'Where',
      [
        record.elementwise('GreaterOrEqual', [y!, record.scalar(0)], 'bool'),
        dy!,
        record.mul(dy!, record.add(y!, record.scalar(1))),
      ],
      'float32',
    ),
  Step: (record, { x }, { alpha }) =>
    record.elementwise(
      'Where',
      [
        record.elementwise('Greater', [x!, record.scalar(0, x!.type)], 'bool'),
        record.scalar(1),
        record.scalar(alpha ?? 0),
      ],
      'float32',
    ),
  IsFinite: (record, { x }) =>
    record.elementwise('Less', [record.elementwise('Abs', [x!]), record.scalar(Number.POSITIVE_INFINITY)], 'bool'),

  Add: (record, { a, b }) => record.add(a!, b!),
  Sub: binary('Sub'),
  Multiply: binary('Mul'),
  RealDiv: binary('Div'),
  Pow: binary('Pow'),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  FloorDiv: floorDiv,
  Mod: mod,
  SquaredDifference: (record, { a, b }) => {
    const difference = record.sub(a!, b!);
    return record.mul(difference, difference);
  },
  AddN: (record, inputs) => Object.values(inputs).reduce((sum, item) => record.add(sum, item)),

  Equal: comparison('Equal'),
  NotEqual: (record, { a, b }) => record.elementwise('Not', [record.elementwise('Equal', [a!, b!], 'bool')]),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterOrEqual'),
  Less: comparison('Less'),
  LessEqual: comparison('LessOrEqual'),
  LogicalAnd: comparison('And'),
  LogicalOr: comparison('Or'),
  LogicalNot: unary('Not'),

  Select: (record, { condition, t, e }) => {
    const lead = t!.shape.length - condition!.shape.length;
    const shaped = lead > 0 ? record.reshape(condition!, [...condition!.shape, ...Array(lead).fill(1)]) : condition!;
    return record.elementwise('Where', [shaped, t!, e!], t!.type);
  },
};
