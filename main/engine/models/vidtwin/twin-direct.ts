import * as tf from '../../backends/tf.ts';
import { convolve2d } from '../../nn/conv.ts';
import { type Grid, gatheredNumbers, structureGrid, type TwinConfig, tokenTimes } from './twin-config.ts';
import type { DirectParameters } from './twin-parameters.ts';

/**
 * The linear path of a twin beside its network (ours, not the paper's): numbers of every patch, which the network reads and writes instead of its pixels, gathered
 * by the cells of structure, into z_s and back. Patches are [batch, times, places, numbers], row by row.
 */

/** Numbers of patches -> what is added to the mean of z_s [batch, queries, structure_dim, rows, columns] */
export function encodeDirect(
  config: TwinConfig,
  parameters: DirectParameters,
  patches: tf.Tensor,
  [rows, columns]: Grid,
): tf.Tensor {
  return tf.tidy(() => {
    const [batch, times] = patches.shape as [number, number];
    const side = 2 ** config.structure_halvings;
    const [high, wide] = structureGrid(config, [rows, columns]);
    const narrow = tf.reshape(patches, [batch * times, rows, columns, config.direct]);
    // zeros where the last cell is larger than the picture
    const whole = tf.pad(narrow, [
      [0, 0],
      [0, high * side - rows],
      [0, wide * side - columns],
      [0, 0],
    ]);
    const apart = tf.reshape(whole, [batch, times, high, side, wide, side * config.direct]);
    const gathered = tf.reshape(tf.transpose(apart, [0, 2, 4, 1, 3, 5]), [batch, high, wide, gatheredNumbers(config)]);
    const found = convolve2d(parameters.cells_in, gathered);
    return tf.reshape(tf.transpose(found, [0, 3, 1, 2]), [batch, config.queries, config.structure_dim, high, wide]);
  });
}

/** z_s -> what is added to the numbers of patches */
export function decodeDirect(
  config: TwinConfig,
  parameters: DirectParameters,
  z: tf.Tensor,
  [rows, columns]: Grid,
): tf.Tensor {
  return tf.tidy(() => {
    const [batch] = z.shape as [number];
    const times = tokenTimes(config);
    const side = 2 ** config.structure_halvings;
    const [high, wide] = structureGrid(config, [rows, columns]);
    const pictures = tf.transpose(
      tf.reshape(z, [batch, config.queries * config.structure_dim, high, wide]),
      [0, 2, 3, 1],
    );
    const gathered = convolve2d(parameters.cells_out, pictures);
    const apart = tf.reshape(gathered, [batch, high, wide, times, side, side * config.direct]);
    const whole = tf.reshape(tf.transpose(apart, [0, 3, 1, 4, 2, 5]), [
      batch * times,
      high * side,
      wide * side,
      config.direct,
    ]);
    const cut = tf.slice(whole, [0, 0, 0, 0], [batch * times, rows, columns, config.direct]);
    return tf.reshape(cut, [batch, times, rows * columns, config.direct]);
  });
}
