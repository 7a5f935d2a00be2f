import type { Value } from '../graph.ts';
import { sizeOf } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import type { Kernel, Kernels } from './kernel.ts';
import { channelsFirst, channelsLast, spread, type Window, windowOf } from './window.ts';

/** x [batch, ...axes, in], filter [...window, in, out] -> [batch, ...steps, out] */
const convolution: Kernel = (record, { x, filter }, { strides, pad, dilations, dimRoundingMode, dataFormat }) => {
  checkLayout(dataFormat);
  const axes = x!.shape.length - 2;
  const window = windowOf(x!.shape, filter!.shape.slice(0, axes), strides, dilations, pad, dimRoundingMode);
  // [out, in, ...window]
  const weight = record.transpose(filter!, [axes + 1, axes, ...Array(axes).keys()]);
  return channelsLast(record, convolve(record, channelsFirst(record, x!), weight, window));
};

function checkLayout(dataFormat: string | undefined): void {
  if (dataFormat && !dataFormat.endsWith('C')) throw new Error(`convolution: layout ${dataFormat}; channels come last`);
}

/** x [batch, in, ...axes], weight [out, in / groups, ...window] -> [batch, out, ...steps] */
function convolve(record: Recorder, x: Value, weight: Value, window: Window, groups = 1): Value {
  const { size, strides, dilations, before, after, steps } = window;
  return record.op('Conv', [x, weight], [x.shape[0]!, weight.shape[0]!, ...steps], x.type, {
    kernel_shape: size,
    strides,
    dilations,
    pads: [...before, ...after],
    ...(groups > 1 ? { group: groups } : {}),
  });
}

/**
 * A convolution of the gradient with the reversed filter: ONNX' transposed convolution is slower, and fails
 * on some devices.
 */
const inputGradient: Kernel = (record, { dy, filter }, { strides, pad, inputShape, dimRoundingMode, dataFormat }) => {
  checkLayout(dataFormat);
  const axes = inputShape.length - 2;
  const inputs = inputShape.slice(1, -1) as number[];
  const window = windowOf(inputShape, filter!.shape.slice(0, axes), strides, 1, pad, dimRoundingMode);
  const spatial = [...Array(axes).keys()];
  const weight = record.transpose(record.reverse(filter!, spatial), [axes, axes + 1, ...spatial]); // [in, out, ...window]
  const spaced = spread(record, channelsFirst(record, dy!), window, inputs);
  const ones = inputs.map(() => 1);
  const none = inputs.map(() => 0);
  const backward = { ...window, strides: ones, before: none, after: none, steps: inputs };
  return channelsLast(record, convolve(record, spaced, weight, backward));
};

/** One matrix product for each place in the window: the patches of x there, times dy. */
const filterGradient: Kernel = (record, { x, dy }, { strides, pad, filterShape, dimRoundingMode, dataFormat }) => {
  checkLayout(dataFormat);
  const axes = filterShape.length - 2;
  const size = filterShape.slice(0, axes) as number[];
  const [inChannels, outChannels] = filterShape.slice(axes) as [number, number];
  const window = windowOf(x!.shape, size, strides, 1, pad, dimRoundingMode);
  const batch = x!.shape[0]!;
  const positions = sizeOf(window.steps);
  const padded = record.pad(channelsFirst(record, x!), [0, 0, ...window.before], [0, 0, ...window.after]);
  const gradient = record.reshape(channelsFirst(record, dy!), [batch, outChannels, positions]);
  const products = windowPlaces(size).map((place) => {
    const patches = record.slice(
      padded,
      [0, 0, ...place],
      [batch, inChannels, ...window.steps],
      [1, 1, ...window.strides],
    );
    const product = record.matMul(record.reshape(patches, [batch, inChannels, positions]), gradient, false, true);
    return record.reshape(record.reduce('ReduceSum', product, [0], false), [1, inChannels, outChannels]);
  });
  return record.reshape(record.concat(products, 0), filterShape);
};

/** Every place in a window, the last axis running fastest. */
export function windowPlaces(size: readonly number[]): number[][] {
  return size.reduce<number[][]>(
    (places, length) => places.flatMap((place) => Array.from({ length }, (_, index) => [...place, index])),
    [[]],
  );
}

/** filter [height, width, in, multiplier]: each channel by itself. */
const depthwise: Kernel = (record, { x, filter }, { strides, pad, dilations, dimRoundingMode }) => {
  const [height, width, channels, multiplier] = filter!.shape as [number, number, number, number];
  const window = windowOf(x!.shape, [height, width], strides, dilations ?? 1, pad, dimRoundingMode);
  const weight = record.reshape(record.transpose(filter!, [2, 3, 0, 1]), [channels * multiplier, 1, height, width]);
  return channelsLast(record, convolve(record, channelsFirst(record, x!), weight, window, channels));
};

export const convolutionKernels: Kernels = {
  Conv2D: convolution,
  Conv3D: convolution,
  Conv2DBackpropInput: inputGradient,
  Conv3DBackpropInputV2: inputGradient,
  Conv2DBackpropFilter: filterGradient,
  Conv3DBackpropFilterV2: filterGradient,
  DepthwiseConv2dNative: depthwise,
};
