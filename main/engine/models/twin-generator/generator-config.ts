import { z } from 'zod';
import { linearSpecs, type ParameterSpec, type ParameterSpecs } from '../../nn/parameters.ts';
import { pathNumbers } from '../vidtwin/twin-config.ts';

/** No published network comes near. */
const width = z.int().positive().max(16_384);
const few = z.int().positive().max(256);
const numbers = z.array(z.number());
const deviations = z.array(z.number().positive());

/**
 * `config.json` of a transformer that makes both latents of a twin from words, as its training writes it
 * (resources/models/motif-twin/training/generator.py); what else stands there is left alone.
 */
export const generatorConfigSchema = z
  .looseObject({
    version: z.literal(1),
    method: z.literal('TwinGenerator'),
    name: z.string().max(100),
    hidden: width,
    depth: few,
    heads: few,
    feed_forward: width,
    time_features: width,
    text_width: width,
    /** Of the twin's latents: queries x structure_dim at each place, frames x dynamics_dim in each line. */
    queries: few,
    structure_dim: few,
    frames: few,
    dynamics_dim: few,
    /** Lines of the dynamics behind the columns, which hold the camera's path and have no place. */
    path_lines: z.int().nonnegative().max(pathNumbers).default(0),
    /** Where a twin has kinds of cells: tokens of structure hold so many components of the `cell` numbers that any cell decodes to. */
    common: z.int().nonnegative().max(4096).default(0),
    cell: z.int().nonnegative().max(65_536).default(0),
    /** The twin whose latents these are: the SHA-256 of its weights' file, and the picture that it was trained on. */
    twin: z.object({ name: z.string().max(100), weights: z.string().length(64), height: width, width }),
    /** Of each number of both kinds of tokens. */
    structure_mean: numbers,
    structure_std: deviations,
    dynamics_mean: numbers,
    dynamics_std: deviations,
  })
  .refine(({ hidden, heads }) => hidden % heads === 0, { message: 'hidden must be a multiple of heads' })
  .refine(({ hidden }) => hidden % 4 === 0, { message: 'hidden must be a multiple of 4, for its positions' })
  .refine(({ common, cell }) => common <= cell && (common > 0 || cell === 0), {
    message: 'common must not be more than cell, and both 0 or neither',
  })
  .refine(({ time_features: size }) => size % 2 === 0, { message: 'time_features must be even' })
  .refine(
    (config) =>
      [config.structure_mean, config.structure_std].every(({ length }) => length === structureSize(config)) &&
      [config.dynamics_mean, config.dynamics_std].every(({ length }) => length === dynamicsSize(config)),
    { message: 'means and deviations must have an entry for each number of their tokens' },
  );

export type GeneratorConfig = z.infer<typeof generatorConfigSchema>;

/** Numbers of a token of the structure: those of all queries at a place, or those that all cells have in common. */
export const structureSize = (config: { queries: number; structure_dim: number; common?: number }) =>
  config.common || config.queries * config.structure_dim;
/** Numbers of a token of the dynamics: those of all frames in a line. */
export const dynamicsSize = (config: { frames: number; dynamics_dim: number }) => config.frames * config.dynamics_dim;

type Entry = [string, ParameterSpec];

/** Every parameter as a checkpoint stores it. */
export function generatorSpecs(config: GeneratorConfig): ParameterSpecs {
  const { hidden: size } = config;
  const table = (path: string, rows: number): Entry => [path, { stored: [rows, size] }];
  return new Map([
    ...(config.common > 0
      ? ([
          ['common.mean', { stored: [config.cell] }],
          ['common.components', { stored: [config.common, config.cell] }],
        ] satisfies Entry[])
      : []),
    ...linearSpecs('structure_in', structureSize(config), size),
    ...linearSpecs('dynamics_in', dynamicsSize(config), size),
    table('kinds', 3 + config.path_lines),
    ...linearSpecs('time_in', config.time_features, size),
    ...linearSpecs('time_out', size, size),
    ...linearSpecs('time_table', size, 6 * size),
    ...linearSpecs('text_in', config.text_width, size),
    ...linearSpecs('text_out', size, size),
    ...Array.from({ length: config.depth }, (_, index) => blockSpecs(`blocks.${index}`, config)).flat(),
    table('table', 2),
    ...linearSpecs('structure_out', size, structureSize(config)),
    ...linearSpecs('dynamics_out', size, dynamicsSize(config)),
  ]);
}

function blockSpecs(path: string, { hidden: size, feed_forward: wide }: GeneratorConfig): Entry[] {
  return [
    [`${path}.table`, { stored: [6, size] }],
    ...linearSpecs(`${path}.qkv`, size, 3 * size),
    ...linearSpecs(`${path}.out`, size, size),
    [`${path}.norm.weight`, { stored: [size] }],
    [`${path}.norm.bias`, { stored: [size] }],
    ...linearSpecs(`${path}.text_q`, size, size),
    ...linearSpecs(`${path}.text_kv`, size, 2 * size),
    ...linearSpecs(`${path}.text_out`, size, size),
    ...linearSpecs(`${path}.up`, size, wide),
    ...linearSpecs(`${path}.down`, wide, size),
  ];
}

/** Lines of the dynamics: rows, columns, and those of the camera's path. */
export const dynamicsLines = (config: { path_lines: number }, [rows, columns]: readonly [number, number]) =>
  rows + columns + config.path_lines;
