import { checkpoint } from '../../backends/checkpoint.ts';
import { layerNorm } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { linear } from '../../nn/linear.ts';
import { blockEpsilon, causalBias, tokenPositions, twinBlock } from './twin-blocks.ts';
import {
  decodeDynamics,
  decodeSingle,
  decodeStructure,
  encodeDynamics,
  encodeSingle,
  encodeStructure,
} from './twin-branches.ts';
import { type Grid, gridOf, type TwinConfig, tokenTimes } from './twin-config.ts';
import { decodeDirect, encodeDirect, openNumbers } from './twin-direct.ts';
import type { BlockParameters, TwinParameters } from './twin-parameters.ts';

/**
 * VidTwin (arXiv 2412.17726): a video autoencoder with two latents, structure (what is there, and slow motion) and dynamics (local
 * detail, and fast motion). Clips are [batch, 3, frames, height, width] in -1..1 with exactly `config.frames` frames, height and width multiples
 * of `config.patch`. What differs from the reference, and why: docs/method.md.
 */

/** A latent's Gaussian. mean and logVariance [batch, n, channels, ...] */
export interface Moments {
  mean: tf.Tensor;
  logVariance: tf.Tensor;
}

/** Without disentanglement `structure` is the one latent, and there is no other. */
export interface Twin<T> {
  structure: T;
  dynamics?: T;
}

/** How much of each latent the decoder gets; scalars or [batch, 1, 1, 1]. Left out: all of it. `false`: none, and it is not computed. */
export interface Shares {
  structure?: tf.Tensor | false;
  dynamics?: tf.Tensor | false;
}

export interface TwinOptions {
  /** Compute each block again for its gradients, instead of keeping its activations. */
  recompute?: boolean;
}

/** Clip -> moments of z_s [batch, queries, structure_dim, rows, columns] and of z_d [batch, frames, dynamics_dim, rows + columns] */
export function twinMoments(
  config: TwinConfig,
  parameters: TwinParameters,
  clip: tf.Tensor,
  options: TwinOptions = {},
): Twin<Moments> {
  const grid = gridOf(config, clip.shape[3]!, clip.shape[4]!);
  const patches = twinPatches(config, parameters, clip);
  const x = encodeTokens(config, parameters, patches, grid, options);
  if (parameters.single) return { structure: momentsOf(encodeSingle(config, parameters.single, x, grid)) };
  const structure = momentsOf(encodeStructure(config, parameters.structure!, x, grid));
  const { direct } = parameters;
  return {
    structure: direct
      ? {
          ...structure,
          mean: tf.add(tf.mul(structure.mean, openNumbers(config)), encodeDirect(config, direct, patches, grid)),
        }
      : structure,
    dynamics: momentsOf(encodeDynamics(config, parameters.dynamics!, x, grid)),
  };
}

/** Log-variances are held within -30..20, as in the reference. */
function momentsOf(x: tf.Tensor): Moments {
  const [mean, logVariance] = tf.split(x, 2, 2) as [tf.Tensor, tf.Tensor];
  return { mean, logVariance: tf.clipByValue(logVariance, -30, 20) };
}

/** Clip -> the latents in use, which are the means. */
export function twinEncode(config: TwinConfig, parameters: TwinParameters, clip: tf.Tensor): Twin<tf.Tensor> {
  return tf.tidy((): { structure: tf.Tensor; dynamics?: tf.Tensor } => {
    const { structure, dynamics } = twinMoments(config, parameters, clip);
    return { structure: structure.mean, ...(dynamics ? { dynamics: dynamics.mean } : {}) };
  }) as Twin<tf.Tensor>;
}

/** Latents -> a clip [batch, 3, frames, height, width], not clamped. */
export function twinDecode(
  config: TwinConfig,
  parameters: TwinParameters,
  latents: Twin<tf.Tensor>,
  size: readonly [height: number, width: number],
  shares: Shares = {},
): tf.Tensor {
  return tf.tidy(() => {
    const { hidden, patches } = twinDecodeHidden(config, parameters, latents, size, shares);
    return twinPixels(config, parameters, hidden, size, patches);
  });
}

/** What the decoder's last layer gets, [batch, times, places, hidden], and the patches of the linear code, to which it adds. */
export interface DecodedHidden {
  hidden: tf.Tensor;
  patches?: tf.Tensor;
}

/** All but the last layer. */
export function twinDecodeHidden(
  config: TwinConfig,
  parameters: TwinParameters,
  latents: Twin<tf.Tensor>,
  [height, width]: readonly [height: number, width: number],
  shares: Shares = {},
  options: TwinOptions = {},
): DecodedHidden {
  return tf.tidy(() => {
    const grid = gridOf(config, height, width);
    const u = embedLatents(config, parameters, latents, grid, shares);
    const placed = tf.add(u, tokenPositions(tokenTimes(config), grid, config.hidden));
    const patches = directPatches(config, parameters, latents, grid, shares);
    const read = patches ? tf.add(placed, linear(parameters.direct!.read, patches)) : placed;
    const { weight, bias } = parameters.decoder_norm;
    const hidden = layerNorm(runBlocks(config, parameters.decoder, read, options), weight, bias, blockEpsilon);
    return (patches ? { hidden, patches } : { hidden }) as DecodedHidden & tf.TensorContainerObject;
  });
}

/** The patches that the linear code has of z_s, by structure's share; none without such a code. */
function directPatches(
  config: TwinConfig,
  { direct }: TwinParameters,
  { structure }: Twin<tf.Tensor>,
  grid: Grid,
  shares: Shares,
): tf.Tensor | undefined {
  if (!direct || shares.structure === false) return undefined;
  const patches = decodeDirect(config, direct, structure, grid);
  return shares.structure ? tf.mul(patches, shares.structure) : patches;
}

/** The last layer, added to the patches of the linear code: -> clip [batch, 3, frames, height, width] */
export function twinPixels(
  config: TwinConfig,
  { patch_out, direct }: Pick<TwinParameters, 'patch_out' | 'direct'>,
  hidden: tf.Tensor,
  [height, width]: readonly [height: number, width: number],
  more?: tf.Tensor,
): tf.Tensor {
  return tf.tidy(() => {
    const own = linear(patch_out, hidden);
    const patches = more ? tf.add(own, more) : own;
    return unpatchify(config, direct ? linear(direct.widen, patches) : patches, gridOf(config, height, width));
  });
}

/** u = u_S + u_D, each by its share. Latents -> tokens [batch, frames, places, hidden] */
export function embedLatents(
  config: TwinConfig,
  parameters: TwinParameters,
  { structure, dynamics }: Twin<tf.Tensor>,
  grid: Grid,
  shares: Shares = {},
): tf.Tensor {
  if (parameters.single) return decodeSingle(config, parameters.single, structure, grid);
  const parts: tf.Tensor[] = [];
  const add = (part: tf.Tensor, share: tf.Tensor | undefined) => parts.push(share ? tf.mul(part, share) : part);
  if (shares.structure !== false)
    add(decodeStructure(config, parameters.structure!, structure, grid), shares.structure);
  if (shares.dynamics !== false && dynamics)
    add(decodeDynamics(config, parameters.dynamics!, dynamics, grid), shares.dynamics);
  const [first, second] = parts;
  if (!first) throw new Error('a clip cannot be decoded from neither structure nor dynamics');
  return second ? tf.add(first, second) : first;
}

/** Clip -> patches [batch, times, places, numbers]: their pixels, or the numbers that stand for them. */
export function twinPatches(config: TwinConfig, { direct }: TwinParameters, clip: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const pixels = patchify(config, clip);
    return direct ? linear(direct.narrow, pixels) : pixels;
  });
}

/** Patches -> the encoder's output [batch, times, places, hidden] */
export function encodeTokens(
  config: TwinConfig,
  parameters: TwinParameters,
  patches: tf.Tensor,
  grid: Grid,
  options: TwinOptions = {},
): tf.Tensor {
  return tf.tidy(() => {
    const embedded = linear(parameters.patch_in, patches);
    const placed = tf.add(embedded, tokenPositions(tokenTimes(config), grid, config.hidden));
    const x = runBlocks(config, parameters.encoder, placed, options);
    return layerNorm(x, parameters.encoder_norm.weight, parameters.encoder_norm.bias, blockEpsilon);
  });
}

function runBlocks(
  config: TwinConfig,
  blocks: { [index: string]: BlockParameters },
  input: tf.Tensor,
  { recompute = false }: TwinOptions,
): tf.Tensor {
  const { heads } = config;
  const bias = config.causal ? causalBias(tokenTimes(config)) : undefined;
  return Object.values(blocks).reduce((x, block) => {
    if (!recompute) return twinBlock(block, x, { heads, bias });
    return checkpoint(
      (inputs, constants) => twinBlock(inputs.block, inputs.x, { heads, ...constants }),
      { x, block },
      {
        constants: { bias },
      },
    );
  }, input);
}

/**
 * clip [batch, 3, frames, height, width] -> [batch, times, places, patch_frames * 3 patch²]: a patch's frames one after the other, of each all red values row
 * by row, then green, then blue. Transpositions of at most 6 axes, the most that TensorFlow.js' backends take.
 */
function patchify({ frames, patch, patch_frames: depth }: TwinConfig, clip: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [batch, channels, count, height, width] = clip.shape as [number, number, number, number, number];
    if (channels !== 3 || count !== frames)
      throw new Error(`expected clips of ${frames} frames in three channels, found [${clip.shape}]`);
    const [rows, columns] = [height / patch, width / patch];
    const first = tf.reshape(tf.transpose(clip, [0, 2, 1, 3, 4]), [batch * frames, 3, rows, patch, columns, patch]);
    const gathered = tf.transpose(first, [0, 2, 4, 1, 3, 5]); // [batch * frames, rows, columns, channels, patch, patch]
    const places = rows * columns;
    if (depth === 1) return tf.reshape(gathered, [batch, frames, places, 3 * patch * patch]);
    const apart = tf.reshape(gathered, [batch * (frames / depth), depth, places, 3 * patch * patch]);
    return tf.reshape(tf.transpose(apart, [0, 2, 1, 3]), [batch, frames / depth, places, depth * 3 * patch * patch]);
  });
}

/** Inverse of `patchify`. */
function unpatchify(
  { frames, patch, patch_frames: depth }: TwinConfig,
  x: tf.Tensor,
  [rows, columns]: Grid,
): tf.Tensor {
  const [batch, times, places] = x.shape as [number, number, number];
  const inTime =
    depth === 1 ? x : tf.transpose(tf.reshape(x, [batch * times, places, depth, 3 * patch * patch]), [0, 2, 1, 3]);
  const apart = tf.reshape(inTime, [batch * frames, rows, columns, 3, patch, patch]);
  const joined = tf.reshape(tf.transpose(apart, [0, 3, 1, 4, 2, 5]), [batch, frames, 3, rows * patch, columns * patch]);
  return tf.transpose(joined, [0, 2, 1, 3, 4]);
}

/** Divergence of the latents from a standard normal, summed over all numbers and averaged over clips: ½ Σ (μ² + σ² - 1 - log σ²) */
export function twinDivergence({ structure, dynamics }: Twin<Moments>): tf.Scalar {
  return tf.tidy(() => {
    const batch = structure.mean.shape[0]!;
    const parts = [structure, ...(dynamics ? [dynamics] : [])].map(({ mean, logVariance }) =>
      tf.sum(tf.sub(tf.add(tf.square(mean), tf.exp(logVariance)), tf.add(logVariance, 1))),
    );
    return tf.mul(tf.addN(parts), 0.5 / batch) as tf.Scalar;
  });
}
