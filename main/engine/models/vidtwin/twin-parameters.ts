import type * as tf from '../../backends/tf.ts';
import type { PictureConvolution } from '../../nn/conv.ts';
import type { Linear } from '../../nn/linear.ts';
import { linearSpecs, type ParameterSpec, type ParameterSpecs } from '../../nn/parameters.ts';
import {
  dynamicsChannels,
  gatheredNumbers,
  gridOf,
  hasDirect,
  isWhole,
  kindCoordinates,
  queryCount,
  singleChannels,
  type TwinConfig,
  tokenTimes,
} from './twin-config.ts';

export type Norm = { weight: tf.Tensor1D; bias: tf.Tensor1D };
type List<T> = { [index: string]: T };

export type BlockParameters = {
  /** Shift, scale and gate of attention, then those of the feed-forward [6, hidden]. */
  modulation: tf.Tensor2D;
  space_qkv: Linear;
  space_out: Linear;
  time_qkv: Linear;
  time_out: Linear;
  up: Linear;
  down: Linear;
};

type QLayerParameters = {
  qkv: Linear;
  out: Linear;
  norm1: Norm;
  /** In every other layer, from the first on. */
  cross_q?: Linear;
  cross_kv?: Linear;
  cross_out?: Linear;
  norm2?: Norm;
  up: Linear;
  down: Linear;
  norm3: Norm;
};

export type QFormerParameters = { queries: tf.Tensor2D; norm: Norm; layers: List<QLayerParameters> };

export type StructureParameters = {
  q_former?: QFormerParameters;
  /** Instead of the Q-Former, an ablation. */
  narrow?: Linear;
  frames_to_queries?: Linear;
  conv_in?: PictureConvolution;
  halvings?: List<PictureConvolution>;
  bottle_down: PictureConvolution | Linear;
  bottle_up: PictureConvolution | Linear;
  doublings?: List<PictureConvolution>;
  conv_out?: PictureConvolution;
  widen: Linear;
  queries_to_frames: Linear;
};

export type DynamicsParameters = {
  halvings?: List<PictureConvolution>;
  head: PictureConvolution;
  widen: Linear;
  /** [3, 1, in, out] over the places of a row or a column; [3, 3, in, out] without averaging. */
  doublings?: List<PictureConvolution>;
};

/** The linear code beside the network. */
export type DirectParameters = {
  narrow: Linear;
  /** What a cell of each kind gathers [kinds, gathered]. */
  mean: tf.Tensor2D;
  /** Of each kind, at right angles and of length one [kinds, components, gathered]. */
  components: tf.Tensor3D;
  /** Of the components in z_s. */
  scale: tf.Tensor1D;
  /** Numbers of patches -> what the decoder's tokens get of them. */
  read: Linear;
  widen: Linear;
};

export type SingleParameters = {
  halvings?: List<PictureConvolution>;
  head: PictureConvolution;
  widen: PictureConvolution;
  doublings?: List<PictureConvolution>;
};

export type TwinParameters = {
  patch_in: Linear;
  encoder: List<BlockParameters>;
  encoder_norm: Norm;
  structure?: StructureParameters;
  dynamics?: DynamicsParameters;
  direct?: DirectParameters;
  /** The one latent, without disentanglement. */
  single?: SingleParameters;
  decoder: List<BlockParameters>;
  decoder_norm: Norm;
  patch_out: Linear;
};

type Entry = [string, ParameterSpec];

/** Every parameter as a checkpoint stores it, by PyTorch's layout: linear [out, in], convolution [out, in, 3, 3] or [out, in, 3]. */
export function twinSpecs(config: TwinConfig): ParameterSpecs {
  const numbers = hasDirect(config) ? config.direct : patchPixels(config);
  const blocks = (path: string) => times(config.depth, (index) => blockSpecs(`${path}.${index}`, config.hidden));
  return new Map([
    ...linearSpecs('patch_in', numbers, config.hidden),
    ...blocks('encoder'),
    ...normSpecs('encoder_norm', config.hidden),
    ...(config.disentangle ? [...structureSpecs(config), ...dynamicsSpecs(config)] : singleSpecs(config)),
    ...(hasDirect(config) ? directSpecs(config) : []),
    ...blocks('decoder'),
    ...normSpecs('decoder_norm', config.hidden),
    ...linearSpecs('patch_out', config.hidden, numbers),
  ]);
}

const patchPixels = ({ patch, patch_frames }: TwinConfig) => 3 * patch_frames * patch ** 2;

const times = (count: number, entries: (index: number) => Entry[]) =>
  Array.from({ length: count }, (_, index) => entries(index)).flat();

const normSpecs = (path: string, size: number): Entry[] => [
  [`${path}.weight`, { stored: [size] }],
  [`${path}.bias`, { stored: [size] }],
];

/** 3 x 3 over pictures, channels last in memory. */
const pictureSpecs = (path: string, inSize: number, outSize: number): Entry[] => [
  [`${path}.weight`, { stored: [outSize, inSize, 3, 3], axes: [2, 3, 1, 0] }],
  [`${path}.bias`, { stored: [outSize] }],
];

/** 3 over a line, in memory a picture one wide. */
const lineSpecs = (path: string, inSize: number, outSize: number): Entry[] => [
  [`${path}.weight`, { stored: [outSize, inSize, 3], axes: [2, 1, 0], shape: [3, 1, inSize, outSize] }],
  [`${path}.bias`, { stored: [outSize] }],
];

const blockSpecs = (path: string, size: number): Entry[] => [
  [`${path}.modulation`, { stored: [6, size] }],
  ...linearSpecs(`${path}.space_qkv`, size, 3 * size),
  ...linearSpecs(`${path}.space_out`, size, size),
  ...linearSpecs(`${path}.time_qkv`, size, 3 * size),
  ...linearSpecs(`${path}.time_out`, size, size),
  ...linearSpecs(`${path}.up`, size, 4 * size),
  ...linearSpecs(`${path}.down`, 4 * size, size),
];

function queryLayerSpecs(path: string, config: TwinConfig, reads: boolean): Entry[] {
  const { query_width: width, query_feed_forward: wide, hidden } = config;
  return [
    ...linearSpecs(`${path}.qkv`, width, 3 * width),
    ...linearSpecs(`${path}.out`, width, width),
    ...normSpecs(`${path}.norm1`, width),
    ...(reads
      ? [
          ...linearSpecs(`${path}.cross_q`, width, width),
          ...linearSpecs(`${path}.cross_kv`, hidden, 2 * width),
          ...linearSpecs(`${path}.cross_out`, width, width),
          ...normSpecs(`${path}.norm2`, width),
        ]
      : []),
    ...linearSpecs(`${path}.up`, width, wide),
    ...linearSpecs(`${path}.down`, wide, width),
    ...normSpecs(`${path}.norm3`, width),
  ];
}

function structureSpecs(config: TwinConfig): Entry[] {
  const { query_width: width, structure_channels: channels, structure_dim: dim, hidden } = config;
  const frames = tokenTimes(config);
  const path = 'structure';
  const queries = queryCount(config);
  const [rows, columns] = gridOf(config, config.height, config.width);
  const sizes = Array.from({ length: config.structure_halvings + 1 }, (_, index) => channels * 2 ** index);
  const most = sizes.at(-1)!;
  return [
    ...(config.q_former
      ? [
          [`${path}.q_former.queries`, { stored: [queries, width] }] as Entry,
          ...normSpecs(`${path}.q_former.norm`, width),
          ...times(config.query_layers, (index) =>
            queryLayerSpecs(`${path}.q_former.layers.${index}`, config, index % 2 === 0),
          ),
        ]
      : [
          ...linearSpecs(`${path}.narrow`, hidden, width),
          ...linearSpecs(`${path}.frames_to_queries`, frames, config.queries),
        ]),
    ...(isWhole(config)
      ? [...linearSpecs(`${path}.bottle_down`, width, 2 * dim), ...linearSpecs(`${path}.bottle_up`, dim, width)]
      : [
          ...pictureSpecs(`${path}.conv_in`, width, channels),
          ...times(config.structure_halvings, (index) =>
            pictureSpecs(`${path}.halvings.${index}`, sizes[index]!, sizes[index + 1]!),
          ),
          ...pictureSpecs(`${path}.bottle_down`, most, 2 * dim),
          ...pictureSpecs(`${path}.bottle_up`, dim, most),
          ...times(config.structure_halvings, (index) =>
            pictureSpecs(`${path}.doublings.${index}`, sizes.at(-1 - index)!, sizes.at(-2 - index)!),
          ),
          ...pictureSpecs(`${path}.conv_out`, channels, width),
        ]),
    ...linearSpecs(`${path}.widen`, width, hidden),
    ...linearSpecs(`${path}.queries_to_frames`, queries, isWhole(config) ? frames * rows * columns : frames),
  ];
}

function dynamicsSpecs(config: TwinConfig): Entry[] {
  const { hidden, dynamics_halvings: halvings } = config;
  const dim = config.patch_frames * dynamicsChannels(config);
  const doubling = config.average_dynamics ? lineSpecs : pictureSpecs;
  return [
    ...times(halvings, (index) => pictureSpecs(`dynamics.halvings.${index}`, hidden, hidden)),
    ...pictureSpecs('dynamics.head', hidden, 2 * dim),
    ...linearSpecs('dynamics.widen', dim, hidden),
    ...times(halvings, (index) => doubling(`dynamics.doublings.${index}`, hidden, hidden)),
  ];
}

function directSpecs(config: TwinConfig): Entry[] {
  const [pixels, gathered] = [patchPixels(config), gatheredNumbers(config)];
  const components = config.queries * config.structure_dim - kindCoordinates(config);
  return [
    ...linearSpecs('direct.narrow', pixels, config.direct),
    ['direct.mean', { stored: [config.kinds, gathered] }],
    ['direct.components', { stored: [config.kinds, components, gathered] }],
    ['direct.scale', { stored: [components] }],
    ...linearSpecs('direct.read', config.direct, config.hidden),
    ...linearSpecs('direct.widen', config.direct, pixels),
  ];
}

function singleSpecs(config: TwinConfig): Entry[] {
  const { hidden, structure_halvings: halvings } = config;
  const dim = config.patch_frames * singleChannels(config);
  return [
    ...times(halvings, (index) => pictureSpecs(`single.halvings.${index}`, hidden, hidden)),
    ...pictureSpecs('single.head', hidden, 2 * dim),
    ...pictureSpecs('single.widen', dim, hidden),
    ...times(halvings, (index) => pictureSpecs(`single.doublings.${index}`, hidden, hidden)),
  ];
}
