import * as tf from './tf.ts';

/** Rate of a float32 matrix product of 1024 x 1024 on the backend that computes now, in GFLOP/s. */
export async function measureMatMulRate(): Promise<number> {
  const size = 1024;
  const repeats = 4;
  const a = tf.fill([size, size], 1 / size);
  const product = async () => {
    const sum = tf.tidy(() => {
      let x: tf.Tensor = a;
      for (let index = 0; index < repeats; index++) x = tf.matMul(x as tf.Tensor2D, a as tf.Tensor2D);
      return tf.sum(x);
    });
    await sum.data();
    sum.dispose();
  };
  await product(); // compiles
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    await product();
    fastest = Math.min(fastest, performance.now() - start);
  }
  a.dispose();
  return (repeats * 2 * size ** 3) / fastest / 1e6;
}
