import * as tf from '../../backends/tf.ts';
import type { Convolution } from '../../nn/conv.ts';
import type { Linear } from '../../nn/linear.ts';
import type { Pass } from '../causal-chunks.ts';
import {
  adaptiveNorm,
  type Block,
  causalConvolution,
  depthToSpace,
  frameNorm,
  type Norm,
  residualBlock,
  silu,
} from './magvit-blocks.ts';
import type { MagvitConfig } from './magvit-config.ts';

type List<T> = { [index: string]: T };
type Coder = { conv_in: Convolution; norm_out: Norm; conv_out: Convolution };

export type MagvitParameters = {
  encoder: Coder & { stages: List<{ blocks: List<Block>; down?: Convolution }> };
  decoder: Coder & { stages: List<{ adapt: { linear: Linear }; blocks: List<Block>; up?: Convolution }> };
};

/** Sees what comes out of each part, by its path. */
export type Watch = (path: string, x: tf.Tensor) => void;

/** One chunk of frames [batch, 3, frames, height, width] -> mean and log-variance [batch, 2 * latent channels, ...], the latter within -30..20 */
export function encodeChunk(
  config: MagvitConfig,
  { encoder }: MagvitParameters,
  pass: Pass,
  video: tf.Tensor,
  watch: Watch = () => {},
): tf.Tensor {
  const { frame_strides: inTime, spatial_strides: inSpace } = config;
  let x = causalConvolution(pass, 'encoder.conv_in', encoder.conv_in, video);
  watch('encoder.conv_in', x);
  for (const [index, { blocks, down }] of Object.values(encoder.stages).entries()) {
    const path = `encoder.stages.${index}`;
    const side = inSpace[index]!;
    x = runBlocks(config, pass, path, blocks, x);
    if (down) x = causalConvolution(pass, `${path}.down`, down, x, [inTime[index]!, side, side]);
    watch(path, x);
  }
  const [mean, logVariance] = tf.split(head(config, pass, 'encoder', encoder, x), 2, 1) as [tf.Tensor, tf.Tensor];
  return tf.concat([mean, tf.clipByValue(logVariance, -30, 20)], 1);
}

/** One chunk of latent frames [batch, latent channels, ...] -> video [batch, 3, ...], not clipped */
export function decodeChunk(
  config: MagvitConfig,
  { decoder }: MagvitParameters,
  pass: Pass,
  latents: tf.Tensor,
  watch: Watch = () => {},
): tf.Tensor {
  const { frame_strides: inTime, spatial_strides: inSpace, norm_groups: groups } = config;
  let x = causalConvolution(pass, 'decoder.conv_in', decoder.conv_in, latents);
  let times = 1;
  for (const [index, { adapt, blocks, up }] of [...Object.values(decoder.stages).entries()].reverse()) {
    const path = `decoder.stages.${index}`;
    x = adaptiveNorm(adapt.linear, x, latents, { groups, times });
    watch(`${path}.adapt`, x);
    x = runBlocks(config, pass, path, blocks, x);
    if (up) {
      const [frames, side] = [inTime[index - 1]!, inSpace[index - 1]!];
      x = depthToSpace(pass, causalConvolution(pass, `${path}.up`, up, x), [frames, side, side]);
      times *= frames;
    }
    watch(path, x);
  }
  return head(config, pass, 'decoder', decoder, x);
}

const runBlocks = (config: MagvitConfig, pass: Pass, path: string, blocks: List<Block>, x: tf.Tensor) =>
  Object.entries(blocks).reduce(
    (y, [index, block]) => residualBlock(pass, `${path}.blocks.${index}`, block, y, config.norm_groups),
    x,
  );

function head({ norm_groups }: MagvitConfig, pass: Pass, path: string, { norm_out, conv_out }: Coder, x: tf.Tensor) {
  return causalConvolution(pass, `${path}.conv_out`, conv_out, silu(frameNorm(norm_out, x, norm_groups)));
}
