import * as tf from '../backends/tf.ts';

/**
 * Sinusoidal features of a timestep (0 to 1000): [batch] -> [batch, size], cosines first.
 * Rounded to float32 where the reference implementation rounds, since 1000 times a rounded frequency moves the angle visibly.
 */
export function timestepFeatures(timesteps: readonly number[], size: number): tf.Tensor2D {
  const half = size / 2;
  const values = new Float32Array(timesteps.length * size);
  timesteps.forEach((timestep, row) => {
    for (let i = 0; i < half; i++) {
      const frequency = Math.fround(Math.exp(Math.fround(Math.fround(-Math.log(10000) * i) / half)));
      const angle = Math.fround(Math.fround(timestep) * frequency);
      values[row * size + i] = Math.cos(angle);
      values[row * size + half + i] = Math.sin(angle);
    }
  });
  return tf.tensor2d(values, [timesteps.length, size]);
}

/**
 * Rotary angles of tokens on a grid of frames, rows and columns -> cos and sin [tokens, headSize / 2], tokens in that order.
 * Height and width take a third of the channels each (rounded down to pairs), time the rest; angles are computed in float64.
 */
export function rotaryTables(
  headSize: number,
  grid: readonly [number, number, number],
): { cos: tf.Tensor2D; sin: tf.Tensor2D } {
  const side = 2 * Math.floor(headSize / 6);
  const sizes = [headSize - 2 * side, side, side];
  const [frames, rows, columns] = grid;
  const half = headSize / 2;
  const cos = new Float32Array(frames * rows * columns * half);
  const sin = new Float32Array(cos.length);
  const axes = sizes.map((size, axis) => axisAngles(size, grid[axis]!));
  let offset = 0;
  for (let frame = 0; frame < frames; frame++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        for (const [axis, position] of [frame, row, column].entries())
          for (const angle of axes[axis]![position]!) {
            cos[offset] = Math.cos(angle);
            sin[offset++] = Math.sin(angle);
          }
  return {
    cos: tf.tensor2d(cos, [frames * rows * columns, half]),
    sin: tf.tensor2d(sin, [frames * rows * columns, half]),
  };
}

/** Angles of each position along one axis: [count][size / 2] (theta 10000, as in RoFormer, arXiv 2104.09864). */
function axisAngles(size: number, count: number): number[][] {
  return Array.from({ length: count }, (_, position) =>
    Array.from({ length: size / 2 }, (_, i) => position / 10000 ** ((2 * i) / size)),
  );
}

/** Of positions 0 to `count` - 1: [count][size], the sines of n / 10000^(i / (size / 2)), then the cosines. */
export function sinusoids(count: number, size: number): number[][] {
  const half = size / 2;
  return Array.from({ length: count }, (_, position) =>
    Array.from({ length: size }, (__, i) => {
      const angle = position * 10000 ** -((i % half) / half);
      return i < half ? Math.sin(angle) : Math.cos(angle);
    }),
  );
}
