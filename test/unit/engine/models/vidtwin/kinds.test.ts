import { beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../../../../../main/engine/backends/select.ts';
import * as tf from '../../../../../main/engine/backends/tf.ts';
import { twinConfigSchema, twinPresets } from '../../../../../main/engine/models/vidtwin/twin-config.ts';
import { decodeDirect, encodeDirect } from '../../../../../main/engine/models/vidtwin/twin-direct.ts';
import type { DirectParameters } from '../../../../../main/engine/models/vidtwin/twin-parameters.ts';
import { Random } from '../../../../../main/engine/nn/random.ts';

// One frame, cells of one patch with 8 numbers; nine kinds of two components, as four numbers of structure.
const config = twinConfigSchema.parse({
  ...twinPresets.tiny,
  ...{ name: 'kinds', frames: 1, height: 24, width: 32, direct: 8, kinds: 9, queries: 2, structure_dim: 2 },
  structure_halvings: 0,
});
const grid = [3, 4] as const;
const scale = [2, 0.5];

/** Every kind has two of the eight axes for its own, around a mean of its own. */
const axes = [
  [0, 1],
  [2, 3],
  [4, 5],
  [6, 7],
  [0, 2],
  [1, 3],
  [4, 6],
  [5, 7],
  [0, 7],
];
const random = new Random(3);
const means = axes.map(() => Array.from(random.normals(8)));
const parameters = () =>
  ({
    mean: tf.tensor2d(means),
    components: tf.tensor3d(axes.map((own) => own.map((axis) => Array.from({ length: 8 }, (_, i) => +(i === axis))))),
    scale: tf.tensor1d(scale),
  }) as unknown as DirectParameters;

/** Twelve patches that lie in the plane of a kind, and of which one. */
const kinds = [4, 0, 8, 3, 1, 2, 5, 7, 6, 4, 0, 2];
const patches = kinds.map((kind) => {
  const numbers = [...means[kind]!];
  for (const axis of axes[kind]!) numbers[axis]! += 3 + random.uniform();
  return numbers;
});

beforeAll(async () => {
  await selectBackend({ device: 'cpu' });
});

test('a cell is told by its kind, where that lies on the sheet, and by its components', async () => {
  const z = encodeDirect(config, parameters(), tf.tensor4d([[patches]]), grid);
  expect(z.shape).toEqual([1, 2, 2, 3, 4]);
  const rows = (await tf.reshape(tf.transpose(z, [0, 3, 4, 1, 2]), [12, 4]).array()) as number[][];
  for (const [cell, [row, column, first, second]] of rows.entries()) {
    const kind = kinds[cell]!;
    expect([row, column]).toEqual([2 * Math.floor(kind / 3) - 2, 2 * (kind % 3) - 2]);
    const [a, b] = axes[kind]!.map((axis) => patches[cell]![axis]! - means[kind]![axis]!);
    expect(first).toBeCloseTo(scale[0]! * a!, 5);
    expect(second).toBeCloseTo(scale[1]! * b!, 5);
  }
});

test('what is near a kind on the sheet decodes as that kind, and what is beyond its edge as the nearest', async () => {
  const z = encodeDirect(config, parameters(), tf.tensor4d([[patches]]), grid);
  const away = tf.tensor(new Float32Array([0.9, -0.9, 0, 0]), [1, 2, 2, 1, 1]);
  const near = decodeDirect(config, parameters(), tf.add(z, away), grid);
  const decoded = (await tf.reshape(near, [12, 8]).array()) as number[][];
  for (const [cell, numbers] of decoded.entries())
    for (const [i, value] of numbers.entries()) expect(value).toBeCloseTo(patches[cell]![i]!, 4);
  // (-2, -2) is the first kind's place, (2, 2) the last one's.
  const beyond = tf.tile(tf.tensor(new Float32Array([-9, -9, 0, 0]), [1, 2, 2, 1, 1]), [1, 1, 1, 3, 4]);
  const corner = (await tf.reshape(decodeDirect(config, parameters(), beyond, grid), [12, 8]).array()) as number[][];
  for (const [i, value] of corner[0]!.entries()) expect(value).toBeCloseTo(means[0]![i]!, 5);
});
