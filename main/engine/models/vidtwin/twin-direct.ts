import * as tf from '../../backends/tf.ts';
import { withoutGradient } from '../../backends/without-gradient.ts';
import {
  type Grid,
  gatheredNumbers,
  kindCoordinates,
  structureGrid,
  type TwinConfig,
  tokenTimes,
} from './twin-config.ts';
import type { DirectParameters } from './twin-parameters.ts';

/**
 * The linear code of a twin beside its network (ours, not the paper's): numbers of every patch, which the network reads and writes instead of its pixels,
 * gathered by the cells of structure, as principal components of that kind of cells which leaves the least error (k-planes, Bradley & Mangasarian 2000). Kinds lie
 * on a square sheet, neighbours alike; where a kind lies there is in z_s before the components. Patches are [batch, times, places, numbers], row by row.
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
    const size = gatheredNumbers(config);
    const narrow = tf.reshape(patches, [batch * times, rows, columns, config.direct]);
    // zeros where the last cell is larger than the picture
    const whole = tf.pad(narrow, [
      [0, 0],
      [0, high * side - rows],
      [0, wide * side - columns],
      [0, 0],
    ]);
    const apart = tf.reshape(whole, [batch, times, high, side, wide, side * config.direct]);
    const cells = tf.reshape(tf.transpose(apart, [0, 2, 4, 1, 3, 5]), [batch * high * wide, size]);
    return codeCells(config, parameters, cells, [high, wide]);
  });
}

/**
 * Numbers of cells, those of their patches one after the other [batch * rows * columns, numbers], on the structure's grid -> structure
 * [batch, queries, structure_dim, rows, columns], each cell as the kind that suits it best.
 */
export function codeCells(
  config: TwinConfig,
  { mean, components, scale }: DirectParameters,
  cells: tf.Tensor,
  [rows, columns]: Grid,
): tf.Tensor {
  return tf.tidy(() => {
    const [kinds, count, size] = components.shape;
    // by every kind
    const offsets = tf.sum(tf.mul(tf.expandDims(mean, 1), components), 2); // [kinds, count]
    const projected = tf.matMul(cells, tf.reshape(components, [kinds * count, size]), false, true);
    const found = tf.sub(tf.reshape(projected, [-1, kinds, count]), offsets); // [cells, kinds, count]
    // squared errors but for the energy of the cell
    const error = tf.sub(
      tf.sub(tf.sum(tf.square(mean), 1), tf.mul(tf.matMul(cells, mean, false, true), 2)),
      tf.sum(tf.square(found), 2),
    );
    const chosen = leastOf(error); // [cells, kinds]
    const own = tf.mul(tf.sum(tf.mul(found, tf.expandDims(chosen, 2)), 1), scale);
    const z = config.kinds > 1 ? tf.concat([tf.matMul(chosen, sheet(config)), own], 1) : own;
    const pictures = tf.reshape(z, [-1, rows, columns, config.queries, config.structure_dim]);
    return tf.transpose(pictures, [0, 3, 4, 1, 2]);
  });
}

/** z_s -> what is added to the numbers of patches */
export function decodeDirect(
  config: TwinConfig,
  { mean, components, scale }: DirectParameters,
  z: tf.Tensor,
  [rows, columns]: Grid,
): tf.Tensor {
  return tf.tidy(() => {
    const [batch] = z.shape as [number];
    const [kinds, count, size] = components.shape;
    const times = tokenTimes(config);
    const side = 2 ** config.structure_halvings;
    const [high, wide] = structureGrid(config, [rows, columns]);
    const numbers = config.queries * config.structure_dim;
    const cells = tf.reshape(tf.transpose(z, [0, 3, 4, 1, 2]), [batch * high * wide, numbers]);
    const coordinates = kindCoordinates(config);
    const [places, own] = coordinates > 0 ? tf.split(cells, [coordinates, count], 1) : [undefined, cells];
    const chosen = places ? nearestOf(config, places!) : tf.ones([batch * high * wide, 1]); // [cells, kinds]
    const bases = tf.reshape(tf.matMul(chosen, tf.reshape(components, [kinds, count * size])), [-1, count, size]);
    const made = tf.squeeze(tf.matMul(tf.expandDims(tf.div(own!, scale), 1), bases), [1]);
    const gathered = tf.add(made, tf.matMul(chosen, mean));
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

/** 0 where z_s names the kind of a cell, to which the network adds nothing, and else 1 [queries, structure_dim, 1, 1] */
export function openNumbers(config: TwinConfig): tf.Tensor {
  const numbers = config.queries * config.structure_dim;
  const values = Float32Array.from({ length: numbers }, (_, index) => +(index >= kindCoordinates(config)));
  return tf.tensor(values, [config.queries, config.structure_dim, 1, 1]);
}

/** Kinds in a row of the sheet, and in a column. */
const sheetSide = ({ kinds }: TwinConfig) => Math.sqrt(kinds);

/** Row and column of every kind, two apart and around 0 [kinds, 2] */
function sheet(config: TwinConfig): tf.Tensor2D {
  const side = sheetSide(config);
  const at = (index: number) => 2 * index - (side - 1);
  return tf.tensor2d(Array.from({ length: config.kinds }, (_, kind) => [at(Math.floor(kind / side)), at(kind % side)]));
}

/** error [cells, kinds] -> 1 at the least of each row, and else 0 */
const leastOf = withoutGradient((error) => tf.oneHot(tf.argMin(error, 1), error.shape[1]!, 1, 0, 'float32'));

/** places [cells, 2] -> 1 at the kind that lies nearest [cells, kinds] */
function nearestOf(config: TwinConfig, places: tf.Tensor): tf.Tensor {
  const side = sheetSide(config);
  const nearest = withoutGradient((given) => {
    const steps = tf.clipByValue(tf.round(tf.div(tf.add(given, side - 1), 2)), 0, side - 1);
    const kind = tf.sum(tf.mul(steps, tf.tensor1d([side, 1])), 1);
    return tf.oneHot(tf.cast(kind, 'int32'), config.kinds, 1, 0, 'float32');
  });
  return nearest(places);
}
