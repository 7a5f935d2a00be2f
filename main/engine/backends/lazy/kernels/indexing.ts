import * as tf from '../../tf.ts';
import type { Value } from '../graph.ts';
import { sizeOf } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import type { Kernel, Kernels } from './kernel.ts';
import { normalAxes } from './kernel.ts';

const gather: Kernel = (record, { x, indices }, { axis, batchDims }) => {
  const [along] = normalAxes(axis, x!.shape.length) as [number];
  if (batchDims > 0) return batchedGather(record, x!, indices!, along, batchDims);
  const shape = [...x!.shape.slice(0, along), ...indices!.shape, ...x!.shape.slice(along + 1)];
  return record.op('Gather', [x!, record.cast(indices!, 'int32')], shape, x!.type, { axis: along });
};

/** The leading axes of x and indices walk together: gathered from rows of one flattened table. */
function batchedGather(record: Recorder, x: Value, indices: Value, axis: number, batchDimensions: number): Value {
  if (axis !== batchDimensions) throw new Error(`gather: axis ${axis} with ${batchDimensions} batch dimensions`);
  const batch = sizeOf(x.shape.slice(0, axis));
  const rows = x.shape[axis]!;
  const rest = x.shape.slice(axis + 1);
  const each = sizeOf(indices.shape) / batch;
  const starts = record.literal(
    Array.from({ length: batch }, (_, index) => index * rows),
    [batch, 1],
    'int32',
  );
  const places = record.add(record.reshape(record.cast(indices, 'int32'), [batch, each]), starts);
  const table = record.reshape(x, [batch * rows, ...rest]);
  const found = record.op('Gather', [table, places], [batch, each, ...rest], x.type, { axis: 0 });
  return record.reshape(found, [...indices.shape, ...rest]);
}

const oneHot: Kernel = (record, { indices }, { depth, onValue, offValue, dtype }) => {
  const classes = record.literal(
    Array.from({ length: depth }, (_, index) => index),
    [depth],
    'int32',
  );
  const hit = record.elementwise('Equal', [record.reshape(indices!, [...indices!.shape, 1]), classes], 'bool');
  if (onValue === 1 && offValue === 0) return record.cast(hit, dtype);
  return record.elementwise('Where', [hit, record.scalar(onValue, dtype), record.scalar(offValue, dtype)], dtype);
};

/** Sums of rows with the same number: x [...ids.shape, ...rest], ids -> [numSegments, ...rest]; rows with a negative number are left out. */
const unsortedSegmentSum: Kernel = (record, { x, segmentIds }, { numSegments }) => {
  const rest = x!.shape.slice(segmentIds!.shape.length);
  const count = sizeOf(segmentIds!.shape);
  // One row more takes what is left out.
  const ids = record.reshape(record.cast(segmentIds!, 'int32'), [count, 1]);
  const outside = record.elementwise('Less', [ids, record.scalar(0, 'int32')], 'bool');
  const places = record.elementwise('Where', [outside, record.scalar(numSegments, 'int32'), ids], 'int32');
  const sums = record.op(
    'ScatterND',
    [
      record.zeros([numSegments + 1, ...rest], x!.type),
      record.cast(places, 'int64'),
      record.reshape(x!, [count, ...rest]),
    ],
    [numSegments + 1, ...rest],
    x!.type,
    { reduction: 'add' },
  );
  return record.slice(sums, Array(rest.length + 1).fill(0), [numSegments, ...rest]);
};

const gatherNd: Kernel = (record, { params, indices }) => {
  const depth = indices!.shape.at(-1)!;
  const shape = [...indices!.shape.slice(0, -1), ...params!.shape.slice(depth)];
  return record.op('GatherND', [params!, record.cast(indices!, 'int64')], shape, params!.type);
};

const scatterNd: Kernel = (record, { indices, updates }, { shape }) =>
  record.op(
    'ScatterND',
    [record.zeros(shape, updates!.type), record.cast(indices!, 'int64'), updates!],
    shape,
    updates!.type,
    {
      reduction: 'add',
    },
  );

const topK: Kernel = (record, { x }, { k, sorted }) => {
  const shape = [...x!.shape.slice(0, -1), k];
  const [values, positions] = record.ops(
    'TopK',
    [x!, record.integers([k])],
    [
      { shape, type: x!.type },
      { shape, type: 'int64' },
    ],
    { axis: -1, largest: 1, sorted: +sorted },
  );
  return [values!, record.cast(positions!, 'int32')];
};

/** Two operands at a time would be more than the models need: ONNX has the same notation. */
const einsum: Kernel = (record, inputs, { equation }) => {
  const operands = Object.values(inputs);
  const { allDims, summedDims } = tf.backend_util.decodeEinsumEquation(equation, operands.length);
  const sizes = new Map<string, number>();
  const [terms, result] = equation.replaceAll(' ', '').split('->') as [string, string];
  for (const [index, term] of terms.split(',').entries())
    for (const [axis, letter] of [...term].entries()) sizes.set(letter, operands[index]!.shape[axis]!);
  if (sizes.size !== allDims.length || summedDims.length > allDims.length) throw new Error(`einsum: ${equation}`);
  const shape = [...result].map((letter) => sizes.get(letter)!);
  return record.op('Einsum', operands, shape, operands[0]!.type, { equation: equation.replaceAll(' ', '') });
};

export const indexingKernels: Kernels = {
  GatherV2: gather,
  GatherNd: gatherNd,
  ScatterNd: scatterNd,
  OneHot: oneHot,
  UnsortedSegmentSum: unsortedSegmentSum,
  TopK: topK,
  Einsum: einsum,
};
