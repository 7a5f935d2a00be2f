import * as tf from '../../backends/tf.ts';
import type { Affine, CameraPath } from './camera-path.ts';
import { pathLines, pathNumbers, type TwinConfig } from './twin-config.ts';

/**
 * The camera's path among the dynamics: `pathLines` more lines behind rows and columns. Number k of a frame's map, less the identity and times 16,
 * stands in channel floor(k / lines) of line k mod lines; what is left over is 0.
 */

/** Maps differ from the identity by hundredths to tenths, which makes them as large as the other dynamics. */
const gain = 16;
const identity: Affine = [1, 0, 0, 0, 1, 0];

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

/** Inverse of `joinPath`; also disposes of what it is given. */
export async function splitPath(
  config: TwinConfig,
  joined: tf.Tensor,
): Promise<{ dynamics: tf.Tensor; path?: CameraPath }> {
  const lines = pathLines(config);
  if (lines === 0) return { dynamics: joined };
  const [, frames, dim, all] = joined.shape as [number, number, number, number];
  const [dynamics, more] = tf.split(joined, [all - lines, lines], 3) as [tf.Tensor, tf.Tensor];
  const values = await more.data();
  tf.dispose([joined, more]);
  const path = Array.from({ length: frames }, (_, frame) => {
    const begin = frame * dim * lines;
    const numbers = Array.from(values.subarray(begin, begin + pathNumbers));
    return numbers.map((value, k) => identity[k]! + value / gain) as unknown as Affine;
  });
  return { dynamics, path };
}
