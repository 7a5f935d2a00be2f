import * as tf from '../../backends/tf.ts';
import { type Convolution, convolve3d } from '../../nn/conv.ts';
import type { Tree } from '../../nn/tree.ts';
import type { Pass } from '../causal-chunks.ts';
import {
  causalConvolution,
  channelNorm,
  type MiddleBlock,
  middleBlock,
  type ResidualBlock,
  residualBlock,
  silu,
} from './vae-blocks.ts';
import { type CoderPlan, decoderPlan, encoderPlan, type StagePlan, type VaeConfig } from './vae-config.ts';
import { averageDown, downsample, duplicateUp, type Resample, upsample } from './vae-resample.ts';

type Coder = {
  conv_in: Convolution;
  mid_block: MiddleBlock;
  norm_out: { gamma: tf.Tensor4D };
  conv_out: Convolution;
};

export type VaeParameters = {
  encoder: Coder & { down_blocks: Tree };
  decoder: Coder & { up_blocks: Tree };
  quant_conv: Convolution;
  post_quant_conv: Convolution;
};

/** At the entrance of each stage, and after the last: a tile gives up what lies around it there (vae-tiles.ts). */
type Trim = (x: tf.Tensor, index: number) => tf.Tensor;

/** How many of the encoder's stages change the size: those before its last. */
export const tiledStages = (plan: CoderPlan) => plan.stages.filter(({ resample }) => resample).length;

/** One chunk of frames: video [batch, in_channels, frames, height, width] -> mean and log-variance [batch, 2 * z_dim, ...] */
export function encodeChunk(config: VaeConfig, parameters: VaeParameters, pass: Pass, video: tf.Tensor): tf.Tensor {
  return encodeMiddle(config, parameters, pass, encodeStages(config, parameters, pass, video));
}

/** The stages that make pictures smaller: video -> [batch, channels, ...] of the size of the latents */
export function encodeStages(
  config: VaeConfig,
  parameters: VaeParameters,
  pass: Pass,
  video: tf.Tensor,
  trim: Trim = (x) => x,
): tf.Tensor {
  const plan = encoderPlan(config);
  const count = tiledStages(plan);
  let x = causalConvolution(pass, 'encoder.conv_in', parameters.encoder.conv_in, video);
  for (const [index, stage] of plan.stages.slice(0, count).entries())
    x = encoderStage(parameters, pass, stage, trim(x, index));
  return trim(x, count);
}

/** The rest, with the attention that sees whole frames: -> mean and log-variance [batch, 2 * z_dim, ...] */
export function encodeMiddle(config: VaeConfig, parameters: VaeParameters, pass: Pass, entry: tf.Tensor): tf.Tensor {
  const plan = encoderPlan(config);
  const { encoder } = parameters;
  let x = entry;
  for (const stage of plan.stages.slice(tiledStages(plan))) x = encoderStage(parameters, pass, stage, x);
  x = middleBlock(pass, 'encoder.mid_block', encoder.mid_block, x);
  return convolve3d(parameters.quant_conv, head(pass, plan, encoder, x));
}

function encoderStage(parameters: VaeParameters, pass: Pass, stage: StagePlan, entry: tf.Tensor): tf.Tensor {
  let x = entry;
  for (const { path } of stage.blocks) x = residualBlock(pass, path, at<ResidualBlock>(parameters, path), x);
  if (stage.resample) x = downsample(pass, stage.resample.path, at<Resample>(parameters, stage.resample.path), x);
  return stage.shortcut ? tf.add(x, averageDown(stage.shortcut, entry)) : x;
}

/** One chunk of latent frames: [batch, z_dim, frames, height, width] -> video [batch, out_channels, ...], not yet clipped */
export function decodeChunk(config: VaeConfig, parameters: VaeParameters, pass: Pass, latents: tf.Tensor): tf.Tensor {
  return decodeStages(config, parameters, pass, decodeMiddle(parameters, pass, latents));
}

/** The beginning, with the attention that sees whole frames: latents -> [batch, channels, ...] of their size */
export function decodeMiddle(parameters: VaeParameters, pass: Pass, latents: tf.Tensor): tf.Tensor {
  const { decoder } = parameters;
  const unquantised = convolve3d(parameters.post_quant_conv, latents);
  const x = causalConvolution(pass, 'decoder.conv_in', decoder.conv_in, unquantised);
  return middleBlock(pass, 'decoder.mid_block', decoder.mid_block, x);
}

/** The stages that make pictures larger: -> video [batch, out_channels, ...], not yet clipped */
export function decodeStages(
  config: VaeConfig,
  parameters: VaeParameters,
  pass: Pass,
  entry: tf.Tensor,
  trim: Trim = (x) => x,
): tf.Tensor {
  const plan = decoderPlan(config);
  let x = entry;
  for (const [index, stage] of plan.stages.entries()) {
    const before = trim(x, index);
    x = before;
    for (const { path } of stage.blocks) x = residualBlock(pass, path, at<ResidualBlock>(parameters, path), x);
    if (stage.resample) x = upsample(pass, stage.resample.path, at<Resample>(parameters, stage.resample.path), x);
    if (stage.shortcut) x = tf.add(x, duplicateUp(pass, stage.shortcut, before));
  }
  return trim(head(pass, plan, parameters.decoder, x), plan.stages.length);
}

function head(pass: Pass, { path }: CoderPlan, { norm_out, conv_out }: Coder, x: tf.Tensor): tf.Tensor {
  return causalConvolution(pass, `${path}.conv_out`, conv_out, silu(channelNorm(norm_out, x)));
}

/** The parameters below a dotted path. They were checked against the plan when they were loaded. */
function at<T>(parameters: Tree, path: string): T {
  return path.split('.').reduce<unknown>((branch, name) => (branch as Tree)[name], parameters) as T;
}
