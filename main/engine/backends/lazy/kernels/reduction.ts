import type { Kernel, Kernels } from './kernel.ts';
import { normalAxes } from './kernel.ts';

const reduction =
  (op: string): Kernel =>
  (record, { x }, { axis, keepDims }) =>
    record.reduce(op, x!, normalAxes(axis, x!.shape.length), Boolean(keepDims));

/** Over truth values, as numbers. */
const logical =
  (op: string): Kernel =>
  (record, { x }, { axis, keepDims }) =>
    record.cast(
      record.reduce(op, record.cast(x!, 'int32'), normalAxes(axis, x!.shape.length), Boolean(keepDims)),
      'bool',
    );

const position =
  (op: string): Kernel =>
  (record, { x }, { axis }) => {
    const [along] = normalAxes(axis, x!.shape.length) as [number];
    const shape = x!.shape.filter((_, index) => index !== along);
    return record.cast(record.op(op, [x!], shape, 'int64', { axis: along, keepdims: 0 }), 'int32');
  };

export const reductionKernels: Kernels = {
  Sum: reduction('ReduceSum'),
  Mean: (record, { x }, { axis, keepDims }) =>
    record.reduce('ReduceMean', record.cast(x!, 'float32'), normalAxes(axis, x!.shape.length), Boolean(keepDims)),
  Max: (record, { x }, { reductionIndices, keepDims }) =>
    record.reduce('ReduceMax', x!, normalAxes(reductionIndices, x!.shape.length), Boolean(keepDims)),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: position('ArgMax'),
  ArgMin: position('ArgMin'),
  Softmax: (record, { logits }, { dim }) => record.elementwise('Softmax', [logits!], 'float32', { axis: dim }),
  Cumsum: (record, { x }, { axis, exclusive, reverse }) =>
    record.op('CumSum', [x!, record.literal([axis], [], 'int64')], x!.shape, x!.type, {
      exclusive: +exclusive,
      reverse: +reverse,
    }),
};
