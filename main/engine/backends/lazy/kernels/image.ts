import type { Value } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import { windowPlaces } from './convolution.ts';
import type { Kernel, Kernels } from './kernel.ts';
import { channelsFirst, channelsLast, spread, windowOf } from './window.ts';

const pool =
  (op: 'AveragePool' | 'MaxPool'): Kernel =>
  (record, { x }, { filterSize, strides, pad, dimRoundingMode }) => {
    const axes = x!.shape.length - 2;
    const size = typeof filterSize === 'number' ? Array<number>(axes).fill(filterSize) : filterSize;
    const window = windowOf(x!.shape, size, strides, 1, pad, dimRoundingMode);
    const pooled = record.op(
      op,
      [channelsFirst(record, x!)],
      [x!.shape[0]!, x!.shape.at(-1)!, ...window.steps],
      x!.type,
      { kernel_shape: window.size, strides: window.strides, pads: [...window.before, ...window.after] },
    );
    return channelsLast(record, pooled);
  };

/** Every position gets an equal share of the steps that it took part in. */
const averagePoolGradient: Kernel = (record, { dy, input }, { filterSize, strides, pad, dimRoundingMode }) => {
  const inputs = input!.shape.slice(1, -1);
  const size = typeof filterSize === 'number' ? Array<number>(inputs.length).fill(filterSize) : filterSize;
  const window = windowOf(input!.shape, size, strides, 1, pad, dimRoundingMode);
  // Padding does not count: how many real positions each step saw is a product over the axes.
  const shares = window.steps.map((steps, axis) =>
    Array.from({ length: steps }, (_, step) => {
      const start = step * window.strides[axis]! - window.before[axis]!;
      const end = Math.min(inputs[axis]!, start + window.size[axis]!);
      return 1 / (end - Math.max(0, start));
    }),
  );
  let share = channelsFirst(record, dy!);
  for (const [axis, values] of shares.entries()) {
    const shape = window.steps.map((steps, index) => (index === axis ? steps : 1));
    share = record.mul(share, record.literal(values, shape, 'float32'));
  }
  const spaced = spread(record, share, window, inputs);
  const [batch, channels] = share.shape as [number, number];
  const parts = windowPlaces(window.size).map((place) =>
    record.slice(spaced, [0, 0, ...place], [batch, channels, ...inputs]),
  );
  return channelsLast(
    record,
    parts.reduce((sum, part) => record.add(sum, part)),
  );
};

interface Resizing {
  alignCorners: boolean;
  halfPixelCenters: boolean;
  size: [number, number];
}

/** Where each new position lies on the old axis, by TensorFlow.js' rules. */
function sourcePositions(from: number, to: number, { alignCorners, halfPixelCenters }: Resizing): number[] {
  const ratio = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  return Array.from({ length: to }, (_, index) => (halfPixelCenters ? ratio * (index + 0.5) : ratio * index));
}

function nearest(from: number, to: number, attributes: Resizing): number[] {
  return sourcePositions(from, to, attributes).map((position) =>
    Math.max(0, Math.min(from - 1, attributes.alignCorners ? Math.round(position) : Math.floor(position))),
  );
}

/** For each new position the two old ones and the weight of the second. */
function linear(from: number, to: number, attributes: Resizing): { low: number; high: number; weight: number }[] {
  return sourcePositions(from, to, attributes).map((position) => {
    const shifted = attributes.halfPixelCenters ? position - 0.5 : position;
    const low = Math.max(0, Math.floor(shifted));
    return { low, high: Math.min(from - 1, Math.ceil(shifted)), weight: shifted - low };
  });
}

function gatherAlong(record: Recorder, x: Value, axis: number, positions: readonly number[]): Value {
  const shape = x.shape.map((size, index) => (index === axis ? positions.length : size));
  return record.op('Gather', [x, record.integers(positions)], shape, x.type, { axis });
}

/** images [batch, height, width, channels] -> [batch, ...size, channels] */
const resizeNearest: Kernel = (record, { images }, attributes: Resizing) => {
  const [batch, height, width, channels] = images!.shape as [number, number, number, number];
  const [newHeight, newWidth] = attributes.size;
  const [tall, wide] = [newHeight / height, newWidth / width];
  if (Number.isInteger(tall) && Number.isInteger(wide) && !attributes.alignCorners) {
    // Whole factors repeat: one copy.
    const cells = record.reshape(images!, [batch, height, 1, width, 1, channels]);
    const repeated = record.expand(cells, [batch, height, tall, width, wide, channels]);
    return record.reshape(repeated, [batch, newHeight, newWidth, channels]);
  }
  const rows = gatherAlong(record, images!, 1, nearest(height, newHeight, attributes));
  return gatherAlong(record, rows, 2, nearest(width, newWidth, attributes));
};

const resizeLinear: Kernel = (record, { images }, attributes: Resizing) => {
  let resized = record.cast(images!, 'float32');
  for (const [axis, to] of [
    [1, attributes.size[0]],
    [2, attributes.size[1]],
  ] as const) {
    const places = linear(resized.shape[axis]!, to, attributes);
    const shape = [to, ...Array<number>(3 - axis).fill(1)];
    const low = gatherAlong(
      record,
      resized,
      axis,
      places.map((place) => place.low),
    );
    const high = gatherAlong(
      record,
      resized,
      axis,
      places.map((place) => place.high),
    );
    const weights = record.literal(
      places.map((place) => place.weight),
      shape,
      'float32',
    );
    resized = record.add(low, record.mul(record.sub(high, low), weights));
  }
  return resized;
};

/** Resizing is linear in the image: its gradient multiplies by the transposed matrix of each axis. */
const resizeGradient =
  (matrixOf: (from: number, to: number, attributes: Resizing) => number[][]): Kernel =>
  (record, { images, dy }, attributes: Omit<Resizing, 'size'>) => {
    const [batch, height, width, channels] = images!.shape as [number, number, number, number];
    const [newHeight, newWidth] = [dy!.shape[1]!, dy!.shape[2]!];
    const resizing = {
      ...attributes,
      halfPixelCenters: attributes.halfPixelCenters ?? false,
      size: [0, 0],
    } as Resizing;
    const rowMatrix = record.literal(matrixOf(height, newHeight, resizing).flat(), [newHeight, height], 'float32');
    const columnMatrix = record.literal(matrixOf(width, newWidth, resizing).flat(), [newWidth, width], 'float32');
    const columns = record.matMul(columnMatrix, record.reshape(dy!, [batch * newHeight, newWidth, channels]), true);
    const rows = record.matMul(rowMatrix, record.reshape(columns, [batch, newHeight, width * channels]), true);
    return record.reshape(rows, images!.shape);
  };

/** [new, old]: how much each old position counts for each new one. */
const nearestMatrix = (from: number, to: number, attributes: Resizing) =>
  nearest(from, to, attributes).map((source) => Array.from({ length: from }, (_, index) => +(index === source)));

const linearMatrix = (from: number, to: number, attributes: Resizing) =>
  linear(from, to, attributes).map(({ low, high, weight }) =>
    Array.from({ length: from }, (_, index) => (index === low ? 1 - weight : 0) + (index === high ? weight : 0)),
  );

export const imageKernels: Kernels = {
  AvgPool: pool('AveragePool'),
  AvgPool3D: pool('AveragePool'),
  AvgPoolGrad: averagePoolGradient,
  AvgPool3DGrad: averagePoolGradient,
  MaxPool: pool('MaxPool'),
  ResizeNearestNeighbor: resizeNearest,
  ResizeBilinear: resizeLinear,
  ResizeNearestNeighborGrad: resizeGradient(nearestMatrix),
  ResizeBilinearGrad: resizeGradient(linearMatrix),
};
