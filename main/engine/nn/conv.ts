import * as tf from '../backends/tf.ts';

/**
 * Convolutions over video. The axis order of video tensors is PyTorch's everywhere in the engine:
 * [batch, channels, frames, height, width], because ONNX Runtime's convolutions want it. TensorFlow.js' own order is channels last;
 * the transpositions around its operation cancel against those that the lazy backend records inside it.
 */
export type Convolution = {
  weight: tf.Tensor5D; // [out, in, frames, height, width]
  bias: tf.Tensor1D; // [out]
};

/** x [batch, in, frames, height, width], already padded -> [batch, out, steps of frames, height, width] */
export function convolve3d(
  { weight, bias }: Convolution,
  x: tf.Tensor,
  strides: [frames: number, height: number, width: number] = [1, 1, 1],
): tf.Tensor {
  return tf.tidy(() => {
    const input = tf.transpose(x, [0, 2, 3, 4, 1]) as tf.Tensor5D;
    const filter = tf.transpose(weight, [2, 3, 4, 1, 0]);
    const output = tf.transpose(tf.conv3d(input, filter, strides, 'valid'), [0, 4, 1, 2, 3]);
    return tf.add(output, tf.reshape(bias, [-1, 1, 1, 1]));
  });
}

/** A convolution over pictures, whose channels come last. */
export type PictureConvolution = {
  weight: tf.Tensor4D; // [rows, columns, in, out]
  bias: tf.Tensor1D; // [out]
};

/**
 * With zeros on each side, one for each two places that the kernel reaches beyond its own: x [n, rows, columns, in] ->
 * [n, steps, steps, out]
 */
export function convolve2d({ weight, bias }: PictureConvolution, x: tf.Tensor, stride = 1): tf.Tensor {
  return tf.tidy(() => {
    const sides = weight.shape.slice(0, 2).map((length): [number, number] => {
      const side = Math.floor((length - 1) / 2);
      return [side, side];
    });
    const padded = tf.pad(x, [[0, 0], ...sides, [0, 0]]) as tf.Tensor4D;
    return tf.add(tf.conv2d(padded, weight, stride, 'valid'), bias);
  });
}

/** Zeros around height and width: x [batch, channels, frames, height, width] -> larger by `before` and `after` each. */
export function padSpace(x: tf.Tensor, before: number, after: number): tf.Tensor {
  const side: [number, number] = [before, after];
  return before || after ? tf.pad(x, [[0, 0], [0, 0], [0, 0], side, side]) : x;
}

/** Frames `start` to `end` (exclusive): [batch, channels, frames, height, width] -> [batch, channels, end - start, height, width] */
export function sliceFrames(x: tf.Tensor, start: number, end = x.shape[2]!): tf.Tensor {
  const [batch, channels, , height, width] = x.shape as [number, number, number, number, number];
  return start === 0 && end === x.shape[2]
    ? x
    : tf.slice(x, [0, 0, start, 0, 0], [batch, channels, end - start, height, width]);
}
