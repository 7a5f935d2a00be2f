import { lazyBackend } from './lazy/use.ts';
import * as tf from './tf.ts';

/**
 * A frozen dense layer with a low-rank change that learns: y = x (weight + down up) + bias.
 * x [..., in], weight [in, out], bias [out], down [in, rank], up [rank, out] -> [..., out]. No gradient flows to weight and bias.
 *
 * The change is added to the weight instead of to the output: for many rows that is less work, forward and backward, and one pass less
 * over the activations; only the gradients of down and up need thin products.
 */
export function lowRankLinear(
  x: tf.Tensor,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D | undefined,
  down: tf.Tensor2D,
  up: tf.Tensor2D,
): tf.Tensor {
  const [inSize, outSize] = weight.shape;
  const product = tf.customGrad((...parameters) => {
    const [rows, , , save] = parameters as unknown as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    save([rows, down, up, weight]);
    return {
      value: tf.matMul(rows, changedWeight(weight, down, up)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [rows, down, up, weight] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const inner = tf.matMul(rows, down); // [rows, rank]
        const dUp = tf.matMul(inner, dy as tf.Tensor2D, true, false);
        const dInner = tf.matMul(dy as tf.Tensor2D, after(dUp, up, rows.shape[0]), false, true); // [rows, rank]
        const dDown = tf.matMul(rows, dInner, true, false);
        const dRows = tf.matMul(
          dy as tf.Tensor2D,
          changedWeight(weight, after(dDown, down, rows.shape[0]), up),
          false,
          true,
        );
        return [dRows, dDown, dUp];
      },
    };
  });
  return tf.tidy(() => {
    const rows = product(tf.reshape(x, [-1, inSize]), down, up);
    return tf.reshape(bias ? tf.add(rows, bias) : rows, [...x.shape.slice(0, -1), outSize]);
  });
}

/** From so many rows on, an order of computation costs little against the products over them, and saves much that they keep. */
const manyRows = 2048;

/**
 * `x`, but not before `first` is there. Left to itself ONNX Runtime computes what goes on to earlier layers first and the gradients of
 * the learned matrices last, for which it keeps every layer's activations and their gradients until then. (It also keeps the changed
 * weights of the forward pass for the backward pass; of those made of what is returned here it cannot.)
 */
function after(first: tf.Tensor, x: tf.Tensor2D, rows: number): tf.Tensor2D {
  return rows >= manyRows && lazyBackend()?.executor.capabilities.deepestFirst ? tf.add(x, tf.mul(first, 0)) : x;
}

function changedWeight(weight: tf.Tensor2D, down: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  return tf.add(weight, tf.matMul(down, up)); // [in, out]
}
