import * as tf from '../../tf.ts';
import type { Value } from '../graph.ts';
import { sizeOf } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import type { Kernel, Kernels } from './kernel.ts';
import { normalAxes } from './kernel.ts';

const concat: Kernel = (record, inputs, { axis }) => {
  const parts = Object.values(inputs);
  const [along] = normalAxes(axis, parts[0]!.shape.length) as [number];
  return record.concat(parts, along);
};

const slice: Kernel = (record, { x }, { begin, size }) => {
  const [starts, sizes] = tf.slice_util.parseSliceParams(asShaped(x!) as tf.Tensor, begin, size);
  return record.slice(x!, starts!, sizes!);
};

/** Only the shape is looked at. */
const asShaped = ({ shape }: Value) => ({ shape, rank: shape.length });

const stridedSlice: Kernel = (record, { x }, attributes) => {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
  const info = tf.slice_util.sliceInfo(
    [...x!.shape],
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  if (info.isIdentity) return record.reshape(x!, info.finalShape);
  const sizes = tf.slice_util.computeOutShape(info.begin, info.end, info.strides);
  if (sizes.some((size) => size === 0)) return record.literal([], info.finalShape, x!.type);
  const reversed = info.strides.flatMap((stride, axis) => (stride < 0 ? [axis] : []));
  const turned = record.reverse(x!, reversed);
  const starts = info.begin.map((start, axis) => (info.strides[axis]! < 0 ? x!.shape[axis]! - 1 - start : start));
  const steps = info.strides.map(Math.abs);
  return record.reshape(record.slice(turned, starts, sizes, steps), info.finalShape);
};

const split: Kernel = (record, { x }, { numOrSizeSplits, axis }) => {
  const [along] = normalAxes(axis, x!.shape.length) as [number];
  const sizes = tf.backend_util.prepareSplitSize(asShaped(x!) as tf.Tensor, numOrSizeSplits, along);
  let start = 0;
  return sizes.map((size) => {
    const begin = x!.shape.map((_, index) => (index === along ? start : 0));
    start += size;
    return record.slice(
      x!,
      begin,
      x!.shape.map((length, index) => (index === along ? size : length)),
    );
  });
};

function mirrorPad(record: Recorder, x: Value, paddings: [number, number][], mode: 'reflect' | 'symmetric'): Value {
  const offset = mode === 'reflect' ? 1 : 0;
  // Gathered axis by axis: ONNX has no symmetric padding, and reflects whole numbers on some devices only.
  return paddings.reduce((padded, [before, after], axis) => {
    if (before === 0 && after === 0) return padded;
    const length = x.shape[axis]!;
    const period = 2 * (length - offset);
    const positions = Array.from({ length: before + length + after }, (_, index) => {
      const place = (((index - before) % period) + period) % period;
      return place < length ? place : period - place - 1 + offset;
    });
    const shape = padded.shape.map((size, index) => (index === axis ? positions.length : size));
    return record.op('Gather', [padded, record.integers(positions)], shape, x.type, { axis });
  }, x);
}

const tile: Kernel = (record, { x }, { reps }: { reps: number[] }) => {
  const lead = reps.length - x!.shape.length;
  const source = record.reshape(x!, [...Array(Math.max(0, lead)).fill(1), ...x!.shape]);
  const shape = source.shape.map((size, axis) => size * reps[axis]!);
  // A broadcast can stay small where it is used: see the rewrite `broadcasts`.
  if (source.shape.every((size, axis) => size === 1 || reps[axis] === 1)) return record.expand(source, shape);
  return record.op('Tile', [source, record.integers(reps)], shape, x!.type);
};

const pack: Kernel = (record, inputs, { axis }) => {
  const parts = Object.values(inputs);
  const rank = parts[0]!.shape.length + 1;
  const [along] = normalAxes(axis, rank) as [number];
  const shape = parts[0]!.shape.toSpliced(along, 0, 1);
  return record.concat(
    parts.map((part) => record.reshape(part, shape)),
    along,
  );
};

const unpack: Kernel = (record, { value }, { axis }) => {
  const [along] = normalAxes(axis, value!.shape.length) as [number];
  const shape = value!.shape.toSpliced(along, 1);
  return Array.from({ length: value!.shape[along]! }, (_, index) =>
    record.reshape(
      record.slice(
        value!,
        value!.shape.map((_, position) => (position === along ? index : 0)),
        value!.shape.map((size, position) => (position === along ? 1 : size)),
      ),
      shape,
    ),
  );
};

/** x [batch, height, width, channels], block -> [batch, height * block, width * block, channels / block^2] */
const depthToSpace: Kernel = (record, { x }, { blockSize, dataFormat }) => {
  if (dataFormat !== 'NHWC') throw new Error(`depthToSpace: layout ${dataFormat} instead of NHWC`);
  const [batch, height, width, channels] = x!.shape as [number, number, number, number];
  const depth = channels / blockSize ** 2;
  const blocks = record.reshape(x!, [batch, height, width, blockSize, blockSize, depth]);
  return record.reshape(record.transpose(blocks, [0, 1, 3, 2, 4, 5]), [
    batch,
    height * blockSize,
    width * blockSize,
    depth,
  ]);
};

const batchToSpace: Kernel = (record, { x }, { blockShape, crops }) => {
  const product = sizeOf(blockShape);
  const reshaped = tf.backend_util.getReshaped([...x!.shape], blockShape, product);
  const order = tf.backend_util.getPermuted(reshaped.length, blockShape.length);
  const merged = tf.backend_util.getReshapedPermuted([...x!.shape], blockShape, product);
  const crop = (axis: number, side: 0 | 1) => (crops[axis - 1]?.[side] ?? 0) as number;
  const begin = merged.map((_, axis) => crop(axis, 0));
  const size = merged.map((length, axis) => length - crop(axis, 0) - crop(axis, 1));
  return record.slice(record.reshape(record.transpose(record.reshape(x!, reshaped), order), merged), begin, size);
};

const spaceToBatch: Kernel = (record, { x }, { blockShape, paddings }) => {
  const product = sizeOf(blockShape);
  const all = [[0, 0], ...paddings] as [number, number][];
  while (all.length < x!.shape.length) all.push([0, 0]);
  const padded = record.pad(
    x!,
    all.map(([before]) => before),
    all.map(([, after]) => after),
  );
  const reshaped = tf.backend_util.getReshaped([...padded.shape], blockShape, product, false);
  const order = tf.backend_util.getPermuted(reshaped.length, blockShape.length, false);
  const merged = tf.backend_util.getReshapedPermuted([...padded.shape], blockShape, product, false);
  return record.reshape(record.transpose(record.reshape(padded, reshaped), order), merged);
};

export const shapeKernels: Kernels = {
  Transpose: (record, { x }, { perm }) => record.transpose(x!, perm),
  Concat: concat,
  Slice: slice,
  StridedSlice: stridedSlice,
  SplitV: split,
  PadV2: (record, { x }, { paddings, constantValue }) =>
    record.pad(
      x!,
      paddings.map(([before]: [number, number]) => before),
      paddings.map(([, after]: [number, number]) => after),
      constantValue,
    ),
  MirrorPad: (record, { x }, { paddings, mode }) => mirrorPad(record, x!, paddings, mode),
  Tile: tile,
  Pack: pack,
  Unpack: unpack,
  Reverse: (record, { x }, { dims }) => record.reverse(x!, normalAxes(dims, x!.shape.length)),
  DepthToSpace: depthToSpace,
  BatchToSpaceND: batchToSpace,
  SpaceToBatchND: spaceToBatch,
};
