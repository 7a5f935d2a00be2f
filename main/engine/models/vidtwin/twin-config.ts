import { z } from 'zod';

/** No published network comes near. */
const width = z.int().positive().max(16_384);
const few = z.int().positive().max(256);
const halvings = z.int().nonnegative().max(8);

/**
 * `config.json` of a VidTwin (arXiv 2412.17726, section 3; table 5 has the paper's numbers). Names are those that its training writes; what
 * else stands there (how it was trained, what it reached) is left alone.
 */
export const twinConfigSchema = z
  .looseObject({
    version: z.literal(1).default(1),
    method: z.literal('VidTwin'),
    name: z.string().max(100),
    /** Frames of a chunk: both latents belong to exactly so many. */
    frames: few,
    frame_rate: z.number().positive().max(1000),
    /** The picture that it was trained on; any other that the patch divides can be coded too. */
    height: width,
    width,
    /** Pixels along each side of a patch, which is one token. */
    patch: few,
    /** Frames of a patch; the paper's has one. */
    patch_frames: few.default(1),
    hidden: width,
    /** Blocks of the encoder, and as many of the decoder. */
    depth: few,
    heads: few,
    /** Whether attention over time looks at earlier frames alone. */
    causal: z.boolean(),
    /** Structure: queries x structure_dim x rows x columns. */
    queries: few,
    query_width: width,
    query_layers: few,
    query_heads: few,
    query_feed_forward: width,
    structure_channels: width,
    structure_halvings: halvings,
    structure_dim: few,
    /** Dynamics: frames x dynamics_dim x (rows + columns). */
    dynamics_halvings: halvings,
    dynamics_dim: few,
    /** The paper's ablations (table 3). */
    disentangle: z.boolean(),
    average_dynamics: z.boolean(),
    q_former: z.boolean(),
    move_space: z.boolean(),
    /** Numbers of each patch that the network reads and writes, and that a linear code beside it carries into structure and back; 0: pixels, and no such code. */
    direct: z.int().nonnegative().max(4096).default(0),
    /** Of cells, each with a linear code of its own; of several, structure's first two numbers name the cell's. */
    kinds: few.default(1),
    /** Whether clips are coded as a camera that holds still would have seen them, and its path goes with the dynamics. */
    steadied: z.boolean().default(false),
  })
  .refine(({ hidden, heads }) => hidden % heads === 0, { message: 'hidden must be a multiple of heads' })
  .refine(({ hidden }) => hidden % 4 === 0, { message: 'hidden must be a multiple of 4, for its positions' })
  .refine((config) => config.query_width % config.query_heads === 0, {
    message: 'query_width must be a multiple of query_heads',
  })
  .refine(({ frames, patch_frames }) => frames % patch_frames === 0, {
    message: 'frames must be a multiple of patch_frames',
  })
  .refine(({ kinds }) => Number.isInteger(Math.sqrt(kinds)), { message: 'kinds must be a square number' })
  .refine(({ kinds, queries, structure_dim }) => kinds === 1 || queries * structure_dim > 2, {
    message: 'structure needs more than the two numbers that name a kind',
  })
  .refine(({ height, width, patch }) => height % patch === 0 && width % patch === 0, {
    message: 'height and width must be multiples of patch',
  });

export type TwinConfig = z.infer<typeof twinConfigSchema>;

const tiny: TwinConfig = {
  version: 1,
  method: 'VidTwin',
  name: 'tiny',
  frames: 16,
  frame_rate: 8,
  height: 128,
  width: 128,
  patch: 8,
  patch_frames: 1,
  hidden: 192,
  depth: 5,
  heads: 3,
  causal: true,
  queries: 8,
  query_width: 64,
  query_layers: 6,
  query_heads: 8,
  query_feed_forward: 256,
  structure_channels: 64,
  structure_halvings: 1,
  structure_dim: 4,
  dynamics_halvings: 1,
  dynamics_dim: 8,
  disentangle: true,
  average_dynamics: true,
  q_former: true,
  move_space: true,
  direct: 0,
  kinds: 1,
  steadied: false,
};

/** What the paper's three sizes have in common. */
const paper = {
  ...tiny,
  height: 224,
  width: 224,
  patch: 16,
  queries: 16,
  query_feed_forward: 768,
  structure_channels: 128,
};

/** The network for processors, and the paper's three (table 4). */
export const twinPresets = {
  tiny,
  'paper-small': { ...paper, name: 'paper-small', hidden: 512, depth: 12, heads: 8 },
  'paper-base': { ...paper, name: 'paper-base', hidden: 768, depth: 16, heads: 12 },
  'paper-large': { ...paper, name: 'paper-large', hidden: 1536, depth: 16, heads: 12 },
} satisfies Record<string, TwinConfig>;

/** What each row of the paper's table 3 changes. */
export const twinAblations = {
  full: {},
  'no-disentanglement': { disentangle: false },
  'no-averaging': { average_dynamics: false },
  'no-q-former': { q_former: false },
  'no-move': { move_space: false },
} satisfies Record<string, Partial<TwinConfig>>;

/** Tokens of a place, one after the other in time. */
export const tokenTimes = ({ frames, patch_frames }: TwinConfig) => frames / patch_frames;

/** Rows and columns. */
export type Grid = readonly [rows: number, columns: number];

/** n halved so many times, rounded up, as a convolution with stride 2 and padding 1 does. */
function halve(n: number, times: number): number {
  let length = n;
  for (let time = 0; time < times; time++) length = Math.ceil(length / 2);
  return length;
}

/** Tokens of a picture. Its sides must be multiples of the patch. */
export function gridOf({ patch }: TwinConfig, height: number, width: number): Grid {
  if (height % patch !== 0 || width % patch !== 0)
    throw new Error(`expected a picture in patches of ${patch}, found ${width} x ${height}`);
  return [height / patch, width / patch];
}

export const structureGrid = (config: TwinConfig, [rows, columns]: Grid): Grid => [
  halve(rows, config.structure_halvings),
  halve(columns, config.structure_halvings),
];

export const dynamicsGrid = (config: TwinConfig, [rows, columns]: Grid): Grid => [
  halve(rows, config.dynamics_halvings),
  halve(columns, config.dynamics_halvings),
];

const ownGrid = (config: TwinConfig) => gridOf(config, config.height, config.width);

/** Whether one Q-Former reads all places and frames at once, an ablation: then there is one size of picture. */
export const isWhole = (config: TwinConfig) => config.disentangle && config.q_former && !config.move_space;

/** Whether there is a linear code beside the network. */
export const hasDirect = (config: TwinConfig) => config.direct > 0 && config.disentangle && !isWhole(config);

/** Numbers of a cell that name its kind. */
export const kindCoordinates = ({ kinds }: TwinConfig) => (kinds > 1 ? 2 : 0);

/** Numbers that a cell of structure gathers from its patches for the linear code. */
export const gatheredNumbers = (config: TwinConfig) =>
  tokenTimes(config) * 4 ** config.structure_halvings * config.direct;

/** Queries of the Q-Former. */
export function queryCount(config: TwinConfig): number {
  const [rows, columns] = structureGrid(config, ownGrid(config));
  return isWhole(config) ? config.queries * rows * columns : config.queries;
}

/** Channels of dynamics: without averaging as many as give about as many numbers. */
export function dynamicsChannels(config: TwinConfig): number {
  if (config.average_dynamics) return config.dynamics_dim;
  const [rows, columns] = dynamicsGrid(config, ownGrid(config));
  return Math.max(1, roundHalfEven((config.dynamics_dim * (rows + columns)) / (rows * columns)));
}

/** Channels of the one latent without disentanglement: as many as give about as many numbers. */
export function singleChannels(config: TwinConfig): number {
  const [rows, columns] = structureGrid(config, ownGrid(config));
  const dynamics = dynamicsGrid(config, ownGrid(config));
  const structure = (config.queries * config.structure_dim * rows * columns) / config.frames;
  return Math.max(1, roundHalfEven((structure + config.dynamics_dim * (dynamics[0] + dynamics[1])) / (rows * columns)));
}

/** As Python rounds, whose training chose the channels. */
function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  return x - down === 0.5 ? down + (down % 2) : Math.round(x);
}

/** Numbers of the camera's path for each frame: those of a map of the plane. */
export const pathNumbers = 6;

/** Lines of the dynamics, behind the columns, that hold the camera's path. */
export const pathLines = ({ steadied, disentangle, average_dynamics, dynamics_dim }: TwinConfig) =>
  steadied && disentangle && average_dynamics ? Math.ceil(pathNumbers / dynamics_dim) : 0;

/** Shapes of the two latents of a chunk, without the batch; without disentanglement there is no second. */
export interface LatentShapes {
  structure: number[];
  dynamics: number[] | undefined;
}

/** As they are stored, the camera's path among them. */
export function latentShapes(config: TwinConfig, height?: number, width?: number): LatentShapes {
  const { structure, dynamics } = networkShapes(config, height, width);
  const more = pathLines(config);
  if (!dynamics || more === 0) return { structure, dynamics };
  return { structure, dynamics: [...dynamics.slice(0, -1), dynamics.at(-1)! + more] };
}

/** As the network makes and reads them. */
export function networkShapes(config: TwinConfig, height = config.height, width = config.width): LatentShapes {
  const grid = gridOf(config, height, width);
  const places = structureGrid(config, grid);
  if (!config.disentangle)
    return { structure: [config.frames, singleChannels(config), ...places], dynamics: undefined };
  const [rows, columns] = dynamicsGrid(config, grid);
  const channels = dynamicsChannels(config);
  return {
    structure: isWhole(config)
      ? [queryCount(config), config.structure_dim]
      : [config.queries, config.structure_dim, ...places],
    dynamics: config.average_dynamics
      ? [config.frames, channels, rows + columns]
      : [config.frames, channels, rows, columns],
  };
}

const product = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);

/** Numbers in the latents of a chunk. */
export function latentNumbers(config: TwinConfig, height?: number, width?: number): number {
  const { structure, dynamics } = latentShapes(config, height, width);
  return product(structure) + (dynamics ? product(dynamics) : 0);
}

/** Compression rate, as the paper counts it: numbers in the latents for each number of the pixels. */
export function compressionRate(config: TwinConfig, height = config.height, width = config.width): number {
  return latentNumbers(config, height, width) / (3 * config.frames * height * width);
}
