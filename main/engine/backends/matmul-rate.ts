import * as tf from './tf.ts';

const repeats = 4;
/** A graphics processor needs less for small products than to begin with them: that would be measured. */
const shortMilliseconds = 5;

/**
 * Rate of a float32 matrix product of 1024 x 1024, of 4096 x 4096 where that is short, on what computes now, in GFLOP/s. `now` tells
 * milliseconds, of any clock.
 */
export async function measureMatMulRate(now = () => performance.now()): Promise<number> {
  const rate = (size: number, milliseconds: number) => (repeats * 2 * size ** 3) / milliseconds / 1e6;
  const small = await measureProducts(1024, now);
  return small > shortMilliseconds ? rate(1024, small) : rate(4096, await measureProducts(4096, now));
}

/** How long some products one after the other take at best, milliseconds. */
async function measureProducts(size: number, now: () => number): Promise<number> {
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
    const start = now();
    await product();
    fastest = Math.min(fastest, now() - start);
  }
  a.dispose();
  return fastest;
}
