import * as tf from '../../backends/tf.ts';
import { type Affine, identity } from './affine.ts';
import type { CameraPath } from './camera-path.ts';
import { pathLines, pathNumbers, type TwinConfig } from './twin-config.ts';

/**
 * The camera's path among the dynamics: `pathLines` more lines behind rows and columns. Number k of a frame's map, less the identity and times 16,
 * stands in channel floor(k / lines) of line k mod lines; what is left over is 0.
 */

/** Maps differ from the identity by hundredths to tenths, which makes them as large as the other dynamics. */
const gain = 16;

/** Dynamics [1, frames, dim, rows + columns], which are disposed of -> [1, frames, dim, rows + columns + lines] */
export function joinPath(config: TwinConfig, dynamics: tf.Tensor, path: CameraPath): tf.Tensor {
  const { frames, dynamics_dim: dim } = config;
  const lines = pathLines(config);
  const values = new Float32Array(frames * dim * lines);
  for (const [frame, map] of path.entries())
    for (const [k, value] of map.entries()) values[frame * dim * lines + k] = gain * (value - identity[k]!);
  const more = tf.tensor(values, [1, frames, dim, lines]);
  const joined = tf.concat([dynamics, more], 3);
  tf.dispose([dynamics, more]);
  return joined;
}

/** Dynamics [n, frames, dim, rows + columns + lines] without the lines of the path. */
export function withoutPath(config: TwinConfig, joined: tf.Tensor): tf.Tensor {
  const own = joined.shape.slice(0, 3) as [number, number, number];
  return tf.slice(joined, [0, 0, 0, 0], [...own, joined.shape[3]! - pathLines(config)]);
}

/** The paths among dynamics [n, frames, dim, rows + columns + lines]; nothing where there are no lines. */
export async function readPaths(config: TwinConfig, joined: tf.Tensor): Promise<CameraPath[] | undefined> {
  const lines = pathLines(config);
  if (lines === 0) return undefined;
  const [count, frames, dim, all] = joined.shape as [number, number, number, number];
  const more = tf.slice(joined, [0, 0, 0, all - lines], [count, frames, dim, lines]);
  const values = await more.data();
  more.dispose();
  const mapAt = (begin: number) =>
    Array.from(values.subarray(begin, begin + pathNumbers), (value, k) => identity[k]! + value / gain);
  return Array.from({ length: count }, (_, chunk) =>
    Array.from({ length: frames }, (_, frame) => mapAt((chunk * frames + frame) * dim * lines) as unknown as Affine),
  );
}
