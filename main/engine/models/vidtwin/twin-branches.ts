import * as tf from '../../backends/tf.ts';
import { convolve2d, type PictureConvolution } from '../../nn/conv.ts';
import { type Linear, linear } from '../../nn/linear.ts';
import { centre, double, linearOverSequence, qFormer } from './twin-blocks.ts';
import { dynamicsGrid, type Grid, isWhole, type TwinConfig, tokenTimes } from './twin-config.ts';
import type { DynamicsParameters, SingleParameters, StructureParameters } from './twin-parameters.ts';

/**
 * The ways into the latents and back (arXiv 2412.17726, section 3.2). `encode...` takes the encoder's tokens [batch, frames, places, hidden]
 * and gives means, then log-variances, along axis 2; `decode...` takes a latent and gives tokens for the decoder.
 */

/** -> [batch, queries, 2 structure_dim, rows, columns]; in the ablation of one Q-Former over everything [batch, queries, 2 structure_dim] */
export function encodeStructure(
  config: TwinConfig,
  parameters: StructureParameters,
  x: tf.Tensor,
  [rows, columns]: Grid,
): tf.Tensor {
  return tf.tidy(() => {
    const [batch, frames, places, hidden] = x.shape as [number, number, number, number];
    if (isWhole(config)) {
      const read = qFormer(parameters.q_former!, tf.reshape(x, [batch, frames * places, hidden]), config.query_heads);
      return linear(parameters.bottle_down as Linear, read);
    }
    const found = parameters.q_former
      ? readPlaces(config, parameters, x)
      : linearOverSequence(parameters.frames_to_queries!, linear(parameters.narrow!, x)); // [batch, queries, places, width]
    const [, queries, , width] = found.shape as [number, number, number, number];
    let pictures = convolve2d(parameters.conv_in!, tf.reshape(found, [batch * queries, rows, columns, width]));
    for (const halving of Object.values(parameters.halvings ?? {}))
      pictures = tf.relu(convolve2d(halving, pictures, 2));
    return channelsSecond(convolve2d(parameters.bottle_down as PictureConvolution, pictures), batch);
  });
}

/** The places move into the batch: x [batch, frames, places, hidden] -> [batch, queries, places, width] */
function readPlaces(config: TwinConfig, parameters: StructureParameters, x: tf.Tensor): tf.Tensor {
  const [batch, frames, places, hidden] = x.shape as [number, number, number, number];
  const sequences = tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch * places, frames, hidden]);
  const read = qFormer(parameters.q_former!, sequences, config.query_heads); // [batch * places, queries, width]
  return tf.transpose(tf.reshape(read, [batch, places, ...read.shape.slice(1)]), [0, 2, 1, 3]);
}

/** Pictures [batch * n, rows, columns, channels] -> [batch, n, channels, rows, columns] */
function channelsSecond(x: tf.Tensor, batch: number): tf.Tensor {
  const [count, rows, columns, channels] = x.shape as [number, number, number, number];
  return tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [batch, count / batch, channels, rows, columns]);
}

/** What a token gives for each of its frames: [batch, times, patch_frames * n, ...] -> [batch, frames, n, ...] */
function framesApart({ patch_frames: depth }: TwinConfig, x: tf.Tensor): tf.Tensor {
  const [batch, times, numbers, ...places] = x.shape as [number, number, number, ...number[]];
  return tf.reshape(x, [batch, times * depth, numbers / depth, ...places]);
}

/** Inverse of `framesApart`. */
function framesJoined({ patch_frames: depth }: TwinConfig, z: tf.Tensor): tf.Tensor {
  const [batch, frames, numbers, ...places] = z.shape as [number, number, number, ...number[]];
  return tf.reshape(z, [batch, frames / depth, depth * numbers, ...places]);
}

/** A latent [batch, n, channels, rows, columns] -> pictures [batch * n, rows, columns, channels] */
function channelsLast(z: tf.Tensor): tf.Tensor {
  const [batch, count, channels, rows, columns] = z.shape as [number, number, number, number, number];
  return tf.transpose(tf.reshape(z, [batch * count, channels, rows, columns]), [0, 2, 3, 1]);
}

/** z_s [batch, queries, structure_dim, rows, columns] -> u_S [batch, frames, places, hidden] */
export function decodeStructure(
  config: TwinConfig,
  parameters: StructureParameters,
  z: tf.Tensor,
  grid: Grid,
): tf.Tensor {
  return tf.tidy(() => {
    const [batch, queries] = z.shape as [number, number];
    const places = grid[0] * grid[1];
    if (isWhole(config)) {
      const wide = tf.relu(linear(parameters.widen, linear(parameters.bottle_up as Linear, z))); // [batch, queries, hidden]
      const apart = tf.reshape(wide, [batch, queries, 1, config.hidden]);
      const spread = linearOverSequence(parameters.queries_to_frames, apart); // [batch, frames * places, 1, hidden]
      return tf.reshape(spread, [batch, tokenTimes(config), places, config.hidden]);
    }
    let pictures: tf.Tensor = tf.relu(convolve2d(parameters.bottle_up as PictureConvolution, channelsLast(z)));
    for (const doubling of Object.values(parameters.doublings ?? {}))
      pictures = double(tf.relu(convolve2d(doubling, pictures)));
    const whole = centre(convolve2d(parameters.conv_out!, pictures), grid); // [batch * queries, rows, columns, width]
    const wide = tf.relu(linear(parameters.widen, tf.reshape(whole, [batch, queries, places, config.query_width])));
    return linearOverSequence(parameters.queries_to_frames, wide);
  });
}

/** -> [batch, frames, 2 dynamics_dim, rows + columns], rows first; without averaging [batch, frames, 2 channels, rows, columns] */
export function encodeDynamics(
  config: TwinConfig,
  parameters: DynamicsParameters,
  x: tf.Tensor,
  [rows, columns]: Grid,
): tf.Tensor {
  return tf.tidy(() => {
    const [batch, frames, , hidden] = x.shape as [number, number, number, number];
    let pictures: tf.Tensor = tf.reshape(x, [batch * frames, rows, columns, hidden]);
    for (const halving of Object.values(parameters.halvings ?? {}))
      pictures = tf.relu(convolve2d(halving, pictures, 2));
    if (!config.average_dynamics)
      return framesApart(config, channelsSecond(convolve2d(parameters.head, pictures), batch));
    const [high, wide] = pictures.shape.slice(1) as [number, number];
    // A picture of frames and places, once for the rows and once for the columns, with the same weights.
    const alongRows = tf.reshape(tf.mean(pictures, 2), [batch, frames, high, hidden]);
    const alongColumns = tf.reshape(tf.mean(pictures, 1), [batch, frames, wide, hidden]);
    const found = tf.concat([convolve2d(parameters.head, alongRows), convolve2d(parameters.head, alongColumns)], 2);
    return framesApart(config, tf.transpose(found, [0, 1, 3, 2]));
  });
}

/** z_d -> u_D [batch, frames, places, hidden]: what a row and what a column gives, added at each place */
export function decodeDynamics(
  config: TwinConfig,
  parameters: DynamicsParameters,
  z: tf.Tensor,
  grid: Grid,
): tf.Tensor {
  return tf.tidy(() => {
    const joined = framesJoined(config, z);
    const [batch, frames] = joined.shape as [number, number];
    const tokens = [batch, frames, grid[0] * grid[1], config.hidden];
    if (!config.average_dynamics) {
      let pictures = linear(parameters.widen, channelsLast(joined));
      for (const doubling of Object.values(parameters.doublings ?? {}))
        pictures = convolve2d(doubling, double(tf.relu(pictures)));
      return tf.reshape(centre(pictures, grid), tokens);
    }
    const [high, wide] = dynamicsGrid(config, grid);
    const [alongRows, alongColumns] = tf.split(tf.transpose(joined, [0, 1, 3, 2]), [high, wide], 2) as [
      tf.Tensor,
      tf.Tensor,
    ];
    const line = (places: tf.Tensor, length: number) => {
      const [, , count, dim] = places.shape as [number, number, number, number];
      let x = linear(parameters.widen, tf.reshape(places, [batch * frames, count, 1, dim]));
      for (const doubling of Object.values(parameters.doublings ?? {}))
        x = convolve2d(doubling, double(tf.relu(x), 'rows'));
      return tf.reshape(centre(x, [length, 1]), [batch * frames, length, config.hidden]);
    };
    const rows = tf.expandDims(line(alongRows, grid[0]), 2); // [batch * frames, rows, 1, hidden]
    const columns = tf.expandDims(line(alongColumns, grid[1]), 1); // [batch * frames, 1, columns, hidden]
    return tf.reshape(tf.add(rows, columns), tokens);
  });
}

/** The ablation with one latent -> [batch, frames, 2 channels, rows, columns] */
export function encodeSingle(
  config: TwinConfig,
  parameters: SingleParameters,
  x: tf.Tensor,
  [rows, columns]: Grid,
): tf.Tensor {
  return tf.tidy(() => {
    const [batch, frames, , hidden] = x.shape as [number, number, number, number];
    let pictures: tf.Tensor = tf.reshape(x, [batch * frames, rows, columns, hidden]);
    for (const halving of Object.values(parameters.halvings ?? {}))
      pictures = tf.relu(convolve2d(halving, pictures, 2));
    return framesApart(config, channelsSecond(convolve2d(parameters.head, pictures), batch));
  });
}

/** z [batch, frames, channels, rows, columns] -> tokens [batch, times, places, hidden] */
export function decodeSingle(config: TwinConfig, parameters: SingleParameters, z: tf.Tensor, grid: Grid): tf.Tensor {
  return tf.tidy(() => {
    const joined = framesJoined(config, z);
    const [batch, frames] = joined.shape as [number, number];
    let pictures = convolve2d(parameters.widen, channelsLast(joined));
    for (const doubling of Object.values(parameters.doublings ?? {}))
      pictures = convolve2d(doubling, double(tf.relu(pictures)));
    return tf.reshape(centre(pictures, grid), [batch, frames, grid[0] * grid[1], -1]);
  });
}
