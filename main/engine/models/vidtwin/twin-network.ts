import { checkpoint } from '../../backends/checkpoint.ts';
import { layerNorm } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { type Linear, linear } from '../../nn/linear.ts';
import { blockEpsilon, causalBias, tokenPositions, twinBlock } from './twin-blocks.ts';
import {
  decodeDynamics,
  decodeSingle,
  decodeStructure,
  encodeDynamics,
  encodeSingle,
  encodeStructure,
} from './twin-branches.ts';
import { type Grid, gridOf, type TwinConfig } from './twin-config.ts';
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
  const x = encodeTokens(config, parameters, clip, options);
  if (parameters.single) return { structure: momentsOf(encodeSingle(parameters.single, x, grid)) };
  return {
    structure: momentsOf(encodeStructure(config, parameters.structure!, x, grid)),
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
    const hidden = twinDecodeHidden(config, parameters, latents, size, shares);
    return twinPixels(config, parameters.patch_out, hidden, size);
  });
}

/** All but the last layer: -> [batch, frames, places, hidden] */
export function twinDecodeHidden(
  config: TwinConfig,
  parameters: TwinParameters,
  latents: Twin<tf.Tensor>,
  [height, width]: readonly [height: number, width: number],
  shares: Shares = {},
  options: TwinOptions = {},
): tf.Tensor {
  return tf.tidy(() => {
    const grid = gridOf(config, height, width);
    const u = embedLatents(config, parameters, latents, grid, shares);
    const placed = tf.add(u, tokenPositions(config.frames, grid, config.hidden));
    const { weight, bias } = parameters.decoder_norm;
    return layerNorm(runBlocks(config, parameters.decoder, placed, options), weight, bias, blockEpsilon);
  });
}

/** The last layer: [batch, frames, places, hidden] -> clip [batch, 3, frames, height, width] */
export function twinPixels(
  config: TwinConfig,
  patchOut: Linear,
  hidden: tf.Tensor,
  [height, width]: readonly [height: number, width: number],
): tf.Tensor {
  return tf.tidy(() => unpatchify(linear(patchOut, hidden), config.patch, gridOf(config, height, width)));
}

/** u = u_S + u_D, each by its share. Latents -> tokens [batch, frames, places, hidden] */
export function embedLatents(
  config: TwinConfig,
  parameters: TwinParameters,
  { structure, dynamics }: Twin<tf.Tensor>,
  grid: Grid,
  shares: Shares = {},
): tf.Tensor {
  if (parameters.single) return decodeSingle(parameters.single, structure, grid);
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

/** Clip -> patches -> the encoder's output [batch, frames, places, hidden] */
export function encodeTokens(
  config: TwinConfig,
  parameters: TwinParameters,
  clip: tf.Tensor,
  options: TwinOptions = {},
): tf.Tensor {
  return tf.tidy(() => {
    const [, channels, frames, height, width] = clip.shape as [number, number, number, number, number];
    if (channels !== 3 || frames !== config.frames)
      throw new Error(`expected clips of ${config.frames} frames in three channels, found [${clip.shape}]`);
    const grid = gridOf(config, height, width);
    const embedded = linear(parameters.patch_in, patchify(clip, config.patch));
    const placed = tf.add(embedded, tokenPositions(frames, grid, config.hidden));
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
  const bias = config.causal ? causalBias(config.frames) : undefined;
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
 * clip [batch, 3, frames, height, width] -> [batch, frames, places, 3 patch²]: all red values of a patch row by row, then green, then
 * blue. Transpositions of at most 6 axes, the most that TensorFlow.js' backends take.
 */
export function patchify(clip: tf.Tensor, patch: number): tf.Tensor {
  const [batch, channels, frames, height, width] = clip.shape as [number, number, number, number, number];
  const [rows, columns] = [height / patch, width / patch];
  const first = tf.reshape(tf.transpose(clip, [0, 2, 1, 3, 4]), [
    batch * frames,
    channels,
    rows,
    patch,
    columns,
    patch,
  ]);
  const gathered = tf.transpose(first, [0, 2, 4, 1, 3, 5]); // [batch * frames, rows, columns, channels, patch, patch]
  return tf.reshape(gathered, [batch, frames, rows * columns, channels * patch * patch]);
}

/** Inverse of `patchify`. */
function unpatchify(x: tf.Tensor, patch: number, [rows, columns]: Grid): tf.Tensor {
  const [batch, frames] = x.shape as [number, number];
  const apart = tf.reshape(x, [batch * frames, rows, columns, 3, patch, patch]);
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
