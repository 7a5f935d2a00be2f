import * as tf from '../../tf.ts';
import type { Value } from '../graph.ts';
import type { Recorder } from '../recorder.ts';

/** A window that slides over the axes between batch and channels, whatever their number. */
export interface Window {
  size: number[];
  strides: number[];
  dilations: number[];
  before: number[];
  after: number[];
  /** Positions of the window along each axis. */
  steps: number[];
}

type Padding = Parameters<typeof tf.backend_util.computeConv2DInfo>[4];

/** TensorFlow.js' rules for strides, padding and rounding, for two or three axes. x [batch, ...axes, channels] */
export function windowOf(
  x: readonly number[],
  size: readonly number[],
  strides: number | number[],
  dilations: number | number[],
  pad: Padding,
  rounding?: 'floor' | 'round' | 'ceil',
): Window {
  if (x.length === 4) {
    const filter = [...size, x[3], 1] as [number, number, number, number];
    const info = tf.backend_util.computeConv2DInfo(
      x as [number, number, number, number],
      filter,
      strides as number,
      dilations as number,
      pad,
      rounding,
    );
    const { top, left, bottom, right } = info.padInfo;
    return {
      size: [...size],
      strides: [info.strideHeight, info.strideWidth],
      dilations: [info.dilationHeight, info.dilationWidth],
      before: [top, left],
      after: [bottom, right],
      steps: [info.outHeight, info.outWidth],
    };
  }
  const filter = [...size, x[4], 1] as [number, number, number, number, number];
  const info = tf.backend_util.computeConv3DInfo(
    x as [number, number, number, number, number],
    filter,
    strides as number,
    dilations as number,
    pad as 'same' | 'valid',
    false,
    'channelsLast',
    rounding,
  );
  const { front, top, left, back, bottom, right } = info.padInfo;
  return {
    size: [...size],
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilations: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    before: [front, top, left],
    after: [back, bottom, right],
    steps: [info.outDepth, info.outHeight, info.outWidth],
  };
}

/** x [batch, ...axes, channels] -> [batch, channels, ...axes], as ONNX wants it */
export function channelsFirst(record: Recorder, x: Value): Value {
  const axes = x.shape.length - 2;
  return record.transpose(x, [0, axes + 1, ...Array.from({ length: axes }, (_, axis) => axis + 1)]);
}

/** x [batch, channels, ...axes] -> [batch, ...axes, channels] */
export function channelsLast(record: Recorder, x: Value): Value {
  const axes = x.shape.length - 2;
  return record.transpose(x, [0, ...Array.from({ length: axes }, (_, axis) => axis + 2), 1]);
}

/**
 * The inverse of a window's striding: the steps moved apart by the strides, with zeros between them and around them, so that a window
 * of stride 1 over the result sees, for each input position, the steps that it took part in.
 * dy [batch, channels, ...steps] -> [batch, channels, ...(inputs + reach of the window)]
 */
export function spread(record: Recorder, dy: Value, window: Window, inputs: readonly number[]): Value {
  const { size, strides, dilations, before, steps } = window;
  const [batch, channels] = dy.shape as [number, number];
  let apart = dy;
  if (strides.some((stride) => stride > 1)) {
    const singles = record.reshape(dy, [batch, channels, ...steps.flatMap((count) => [count, 1])]);
    const none = Array(singles.shape.length).fill(0);
    const gaps = [0, 0, ...strides.flatMap((stride) => [0, stride - 1])];
    const padded = record.pad(singles, none, gaps);
    apart = record.reshape(padded, [batch, channels, ...steps.map((count, axis) => count * strides[axis]!)]);
  }
  const reach = size.map((length, axis) => (length - 1) * dilations[axis]!);
  const lead = reach.map((length, axis) => length - before[axis]!);
  const have = steps.map((count, axis) => (count - 1) * strides[axis]! + 1);
  const trail = have.map((count, axis) => inputs[axis]! + reach[axis]! - lead[axis]! - count);
  // Negative padding takes away: zeros behind the last step, or steps that saw nothing but padding.
  const cut = have.map((count, axis) => Math.min(count, count + trail[axis]!));
  const drop = lead.map((count) => Math.max(0, -count));
  const sliced = record.slice(
    apart,
    [0, 0, ...drop],
    [batch, channels, ...cut.map((count, axis) => count - drop[axis]!)],
  );
  return record.pad(
    sliced,
    [0, 0, ...lead.map((count) => Math.max(0, count))],
    [0, 0, ...trail.map((count) => Math.max(0, count))],
  );
}
