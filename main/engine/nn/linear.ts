import * as tf from '../backends/tf.ts';

/**
 * A dense layer. Weights are [in, out], the layout that a row-major product reads in order;
 * PyTorch's files hold [out, in] and are transposed when they are read and written.
 */
export type Linear = { weight: tf.Tensor2D /* [in, out] */; bias?: tf.Tensor1D /* [out] */ };

/** x [..., in] -> [..., out]. `isStored`: the weight is [out, in], as it lies in a file. */
export function linear({ weight, bias }: Linear, x: tf.Tensor, isStored = false): tf.Tensor {
  return tf.tidy(() => {
    const [inSize, outSize] = isStored ? [weight.shape[1], weight.shape[0]] : weight.shape;
    const rows = tf.matMul(tf.reshape(x, [-1, inSize]), weight, false, isStored); // [rows, out]
    return tf.reshape(bias ? tf.add(rows, bias) : rows, [...x.shape.slice(0, -1), outSize]);
  });
}
