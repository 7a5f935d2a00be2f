import { attention, gelu, layerNorm } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { type Linear, linear } from '../../nn/linear.ts';
import { sinusoids } from '../../nn/positions.ts';
import { dynamicsLines, type GeneratorConfig } from './generator-config.ts';

type Block = {
  /** Shift, scale and gate of attention, then those of the feed-forward [6, hidden]. */
  table: tf.Tensor2D;
  qkv: Linear;
  out: Linear;
  norm: { weight: tf.Tensor1D; bias: tf.Tensor1D };
  text_q: Linear;
  text_kv: Linear;
  text_out: Linear;
  up: Linear;
  down: Linear;
};

export type GeneratorParameters = {
  /** Of cells: their mean [cell], and components [common, cell]; not learned. */
  common?: { mean: tf.Tensor1D; components: tf.Tensor2D };
  structure_in: Linear;
  dynamics_in: Linear;
  /** Of places, rows and columns, and of each line of the camera's path [3 + path_lines, hidden]. */
  kinds: tf.Tensor2D;
  time_in: Linear;
  time_out: Linear;
  time_table: Linear;
  text_in: Linear;
  text_out: Linear;
  blocks: { [index: string]: Block };
  /** Shift and scale before the end [2, hidden]. */
  table: tf.Tensor2D;
  structure_out: Linear;
  dynamics_out: Linear;
};

/** Rows and columns of the structure. */
type Grid = readonly [rows: number, columns: number];

/** Both latents as tokens: places [batch, rows * columns, numbers], lines [batch, rows + columns + path_lines, numbers]. */
export interface TwinTokens {
  structure: tf.Tensor;
  dynamics: tf.Tensor;
}

const epsilon = 1e-6;
const normal = (x: tf.Tensor) => layerNorm(x, undefined, undefined, epsilon);

/**
 * A diffusion transformer over both latents of a twin: -> the flow, noise minus clean latents, of both, as tokens.
 * timeFeatures [batch, time_features] of `timestepFeatures`, text [batch, words, text_width].
 */
export function generatorFlow(
  config: GeneratorConfig,
  parameters: GeneratorParameters,
  { structure, dynamics }: TwinTokens,
  { timeFeatures, text }: { timeFeatures: tf.Tensor; text: tf.Tensor },
  grid: Grid,
): TwinTokens {
  const [rows, columns] = grid;
  const places = rows * columns;
  const { hidden } = config;
  const embedded = tf.concat([linear(parameters.structure_in, structure), linear(parameters.dynamics_in, dynamics)], 1);
  const pathKinds = Array.from({ length: config.path_lines }, (_, line) => 3 + line);
  const kinds = tf.gather(
    parameters.kinds,
    tf.tensor1d([...repeat(0, places), ...repeat(1, rows), ...repeat(2, columns), ...pathKinds], 'int32'),
  );
  let x = tf.add(embedded, tf.add(kinds, tokenPlaces(config, grid)));
  const time = linear(parameters.time_out, silu(linear(parameters.time_in, timeFeatures))); // [batch, hidden]
  const batch = time.shape[0]!;
  const table = tf.reshape(linear(parameters.time_table, silu(time)), [batch, 6, hidden]);
  const words = linear(parameters.text_out, gelu(linear(parameters.text_in, text), 'tanh'));
  for (const block of Object.values(parameters.blocks)) x = runBlock(block, x, { table, words, heads: config.heads });
  const [shift, scale] = modulation(tf.add(parameters.table, tf.reshape(time, [batch, 1, hidden])));
  x = tf.add(tf.mul(normal(x), tf.add(scale!, 1)), shift!);
  const [seen, moving] = tf.split(x, [places, dynamicsLines(config, grid)], 1) as [tf.Tensor, tf.Tensor];
  return { structure: linear(parameters.structure_out, seen), dynamics: linear(parameters.dynamics_out, moving) };
}

/** x [batch, tokens, hidden], table [batch, 6, hidden], words [batch, words, hidden] -> as x */
function runBlock(
  block: Block,
  x: tf.Tensor,
  { table, words, heads }: { table: tf.Tensor; words: tf.Tensor; heads: number },
): tf.Tensor {
  const [shift, scale, gate, shift2, scale2, gate2] = modulation(tf.add(block.table, table));
  const own = linear(block.qkv, tf.add(tf.mul(normal(x), tf.add(scale!, 1)), shift!));
  const [q, k, v] = tf.split(own, 3, 2) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const mixed = tf.add(x, tf.mul(gate!, linear(block.out, attention(q, k, v, { heads }))));
  const asked = linear(block.text_q, layerNorm(mixed, block.norm.weight, block.norm.bias, epsilon));
  const [keys, values] = tf.split(linear(block.text_kv, words), 2, 2) as [tf.Tensor, tf.Tensor];
  const told = tf.add(mixed, linear(block.text_out, attention(asked, keys, values, { heads })));
  const wide = tf.add(tf.mul(normal(told), tf.add(scale2!, 1)), shift2!);
  return tf.add(told, tf.mul(gate2!, linear(block.down, gelu(linear(block.up, wide), 'tanh'))));
}

/** [batch, n, hidden] -> n of [batch, 1, hidden] */
const modulation = (table: tf.Tensor) => tf.split(table, table.shape[1]!, 1);

const silu = (x: tf.Tensor) => tf.mul(x, tf.sigmoid(x));

const repeat = (value: number, count: number) => new Array<number>(count).fill(value);

/**
 * [tokens, hidden], computed: a place has its column in the first half and its row in the second, a line what it has of these, the camera's path
 * zeros.
 */
function tokenPlaces({ hidden, path_lines: count }: GeneratorConfig, [rows, columns]: Grid): tf.Tensor2D {
  const half = hidden / 2;
  const [down, across] = [sinusoids(rows, half), sinusoids(columns, half)];
  const nowhere = repeat(0, half);
  const places = down.flatMap((row) => across.map((column) => [...column, ...row]));
  const lines = [...down.map((row) => [...nowhere, ...row]), ...across.map((column) => [...column, ...nowhere])];
  const path = Array.from({ length: count }, () => repeat(0, hidden));
  return tf.tensor2d([...places, ...lines, ...path]);
}

/** Structure [batch, queries, dim, rows, columns] and dynamics [batch, frames, dim, lines] -> tokens */
export function toTokens({ structure, dynamics }: TwinTokens): TwinTokens {
  return tf.tidy(() => {
    const [batch, queries, dim, rows, columns] = structure.shape as [number, number, number, number, number];
    const [, frames, size, lines] = dynamics.shape as [number, number, number, number];
    return {
      structure: tf.reshape(tf.transpose(structure, [0, 3, 4, 1, 2]), [batch, rows * columns, queries * dim]),
      dynamics: tf.reshape(tf.transpose(dynamics, [0, 3, 1, 2]), [batch, lines, frames * size]),
    };
  });
}

/** Tokens of structure [1, places, common] -> what their cells decode to [places, cell] */
export function cellsOf(
  { mean, components }: NonNullable<GeneratorParameters['common']>,
  tokens: tf.Tensor,
): tf.Tensor {
  return tf.tidy(() => tf.add(tf.matMul(tf.squeeze(tokens, [0]), components), mean));
}

/** Inverse of `toTokens`. */
export function fromTokens(config: GeneratorConfig, { structure, dynamics }: TwinTokens, grid: Grid): TwinTokens {
  const [rows, columns] = grid;
  const places = tf.tidy(() => {
    const [batch, , numbers] = structure.shape as [number, number, number];
    const latent = tf.reshape(structure, [batch, rows, columns, config.queries, numbers / config.queries]);
    return tf.transpose(latent, [0, 3, 4, 1, 2]);
  });
  return { structure: places, dynamics: dynamicsFrom(config, dynamics, grid) };
}

/** Tokens [batch, lines, frames * dim] -> dynamics [batch, frames, dim, lines] */
export function dynamicsFrom(config: GeneratorConfig, tokens: tf.Tensor, grid: Grid): tf.Tensor {
  return tf.tidy(() => {
    const lines = tf.reshape(tokens, [-1, dynamicsLines(config, grid), config.frames, config.dynamics_dim]);
    return tf.transpose(lines, [0, 2, 3, 1]);
  });
}
