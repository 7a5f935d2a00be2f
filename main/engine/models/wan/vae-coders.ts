import * as tf from '../../backends/tf.ts';
import { type Convolution, convolve3d } from '../../nn/conv.ts';
import type { Tree } from '../../nn/tree.ts';
import {
  causalConvolution,
  channelNorm,
  type MiddleBlock,
  middleBlock,
  type Pass,
  type ResidualBlock,
  residualBlock,
  silu,
} from './vae-blocks.ts';
import { type CoderPlan, decoderPlan, encoderPlan, type VaeConfig } from './vae-config.ts';
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

/** One chunk of frames: video [batch, in_channels, frames, height, width] -> mean and log-variance [batch, 2 * z_dim, ...] */
export function encodeChunk(config: VaeConfig, parameters: VaeParameters, pass: Pass, video: tf.Tensor): tf.Tensor {
  const plan = encoderPlan(config);
  const { encoder } = parameters;
  let x = causalConvolution(pass, 'encoder.conv_in', encoder.conv_in, video);
  for (const stage of plan.stages) {
    const entry = x;
    for (const { path } of stage.blocks) x = residualBlock(pass, path, at<ResidualBlock>(parameters, path), x);
    if (stage.resample) x = downsample(pass, stage.resample.path, at<Resample>(parameters, stage.resample.path), x);
    if (stage.shortcut) x = tf.add(x, averageDown(stage.shortcut, entry));
  }
  x = middleBlock(pass, 'encoder.mid_block', encoder.mid_block, x);
  return convolve3d(parameters.quant_conv, head(pass, plan, encoder, x));
}

/** One chunk of latent frames: [batch, z_dim, frames, height, width] -> video [batch, out_channels, ...], not yet clipped */
export function decodeChunk(config: VaeConfig, parameters: VaeParameters, pass: Pass, latents: tf.Tensor): tf.Tensor {
  const plan = decoderPlan(config);
  const { decoder } = parameters;
  const unquantised = convolve3d(parameters.post_quant_conv, latents);
  let x = causalConvolution(pass, 'decoder.conv_in', decoder.conv_in, unquantised);
  x = middleBlock(pass, 'decoder.mid_block', decoder.mid_block, x);
  for (const stage of plan.stages) {
    const entry = x;
    for (const { path } of stage.blocks) x = residualBlock(pass, path, at<ResidualBlock>(parameters, path), x);
    if (stage.resample) x = upsample(pass, stage.resample.path, at<Resample>(parameters, stage.resample.path), x);
    if (stage.shortcut) x = tf.add(x, duplicateUp(pass, stage.shortcut, entry));
  }
  return head(pass, plan, decoder, x);
}

function head(pass: Pass, { path }: CoderPlan, { norm_out, conv_out }: Coder, x: tf.Tensor): tf.Tensor {
  return causalConvolution(pass, `${path}.conv_out`, conv_out, silu(channelNorm(norm_out, x)));
}

/** The parameters below a dotted path. They were checked against the plan when they were loaded. */
function at<T>(parameters: Tree, path: string): T {
  return path.split('.').reduce<unknown>((branch, name) => (branch as Tree)[name], parameters) as T;
}
