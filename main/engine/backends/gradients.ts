/**
 * Gradients that TensorFlow.js 4.22 lacks, gets wrong for broadcast inputs, or computes with large tensors of ones.
 * They hold on every backend, so they are part of the one door (tf.ts).
 */
import * as tf from '@tensorflow/tfjs-core/dist/index.js';

type Gradient = Omit<tf.GradConfig, 'kernelName'>;

/** Summed down to a shape that was broadcast. */
function sumTo(x: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.backend_util.getReductionAxes(shape, x.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(x, axes) : x, shape);
}

/** dy spread over the axes that were summed. */
function spread(dy: tf.Tensor, x: tf.Tensor, axis: number | number[]): tf.Tensor {
  const axes = tf.util.parseAxisParam(axis, x.shape);
  const kept = x.shape.map((size, index) => (axes.includes(index) ? 1 : size));
  return tf.broadcastTo(tf.reshape(dy, kept), x.shape);
}

const sum: Gradient = {
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attributes) => ({ x: () => spread(dy as tf.Tensor, x!, attributes.axis as number[]) }),
};

const mean: Gradient = {
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attributes) => ({
    x: () => {
      const share = (dy as tf.Tensor).size / x!.size;
      return spread(tf.mul(dy as tf.Tensor, share), x!, attributes.axis as number[]);
    },
  }),
};

/** The gradient goes to the operand that was chosen; to the first of equals, as TensorFlow.js has it. */
const choice = (first: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Gradient => ({
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, [a, b]) => {
    const upstream = dy as tf.Tensor;
    const chosen = () => tf.cast(first(a!, b!), 'float32');
    return {
      a: () => sumTo(tf.mul(upstream, chosen()), a!.shape),
      b: () => sumTo(tf.mul(upstream, tf.sub(1, chosen())), b!.shape),
    };
  },
});

const squaredDifference: Gradient = {
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, [a, b]) => {
    const slope = () => tf.mul(tf.mul(dy as tf.Tensor, 2), tf.sub(a!, b!));
    return { a: () => sumTo(slope(), a!.shape), b: () => sumTo(tf.neg(slope()), b!.shape) };
  },
};

const runningSum: Gradient = {
  gradFunc: (dy, _, { axis, exclusive, reverse }) => ({
    x: () => tf.cumsum(dy as tf.Tensor, axis as number, exclusive as boolean, !reverse),
  }),
};

/** Repetitions are summed, for any number of axes. */
const tile: Gradient = {
  inputsToSave: ['x'],
  gradFunc: (dy, [x], { reps }) => ({
    x: () => {
      const shape: number[] = [];
      const repeated: number[] = [];
      for (const [axis, count] of (reps as number[]).entries()) {
        if (count !== 1) repeated.push(shape.push(count) - 1);
        shape.push(x!.shape[axis]!);
      }
      const apart = tf.reshape(dy as tf.Tensor, shape);
      return tf.reshape(repeated.length > 0 ? tf.sum(apart, repeated) : apart, x!.shape);
    },
  }),
};

/** dy goes back to the places that were taken, with zeros between them. */
const stridedSlice: Gradient = {
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attributes) => ({
    x: () => {
      const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } =
        attributes as unknown as StridedSliceAttributes;
      const taken = tf.slice_util.sliceInfo(
        x!.shape,
        begin,
        end,
        strides,
        beginMask,
        endMask,
        ellipsisMask,
        newAxisMask,
        shrinkAxisMask,
      );
      const counts = tf.slice_util.computeOutShape(taken.begin, taken.end, taken.strides);
      let result = tf.reshape(dy as tf.Tensor, counts);
      for (const [axis, stride] of taken.strides.entries()) {
        const step = Math.abs(stride);
        const count = counts[axis]!;
        if (stride < 0) result = tf.reverse(result, axis);
        const reach = (count - 1) * step + 1;
        const start = stride < 0 ? taken.begin[axis]! - reach + 1 : taken.begin[axis]!;
        const before = result.shape.slice(0, axis);
        const after = result.shape.slice(axis + 1);
        if (step > 1) {
          const apart = tf.reshape(result, [...before, count, 1, ...after]);
          const filled = tf.concat([apart, tf.zeros([...before, count, step - 1, ...after])], axis + 1);
          const joined = tf.reshape(filled, [...before, count * step, ...after]);
          result = tf.slice(
            joined,
            joined.shape.map(() => 0),
            [...before, reach, ...after],
          );
        }
        const paddings = result.shape.map((): [number, number] => [0, 0]);
        paddings[axis] = [start, x!.shape[axis]! - start - reach];
        result = tf.pad(result, paddings);
      }
      return result;
    },
  }),
};

interface StridedSliceAttributes {
  begin: number[];
  end: number[];
  strides: number[];
  beginMask: number;
  endMask: number;
  ellipsisMask: number;
  newAxisMask: number;
  shrinkAxisMask: number;
}

const gradients: Record<string, Gradient> = {
  Sum: sum,
  Mean: mean,
  Maximum: choice(tf.greaterEqual),
  Minimum: choice(tf.lessEqual),
  SquaredDifference: squaredDifference,
  Cumsum: runningSum,
  StridedSlice: stridedSlice,
  Tile: tile,
};

for (const [kernelName, gradient] of Object.entries(gradients)) {
  if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
  tf.registerGradient({ kernelName, ...gradient });
}
