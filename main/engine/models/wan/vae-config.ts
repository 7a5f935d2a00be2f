import { z } from 'zod';
import type { ParameterSpec, ParameterSpecs } from '../../nn/parameters.ts';
import { checkClipSize } from '../causal-chunks.ts';

/** As for the transformer: no published model comes near. */
const width = z.int().positive().max(8192);
const few = z.int().positive().max(64);

/**
 * `vae/config.json`: AutoencoderKLWan, by diffusers' names (`temperal_downsample` is spelled so).
 * Two layouts: that of Wan 2.1, and that of Wan 2.2 (`is_residual`, `patch_size`: parameter-free shortcuts around each stage, and
 * squares of pixels as channels).
 */
export const vaeConfigSchema = z
  .object({
    _class_name: z.literal('AutoencoderKLWan').default('AutoencoderKLWan'),
    base_dim: width.default(96),
    decoder_base_dim: width.nullable().default(null),
    z_dim: width.default(16),
    dim_mult: z.array(few).min(1).max(8).default([1, 2, 4, 4]),
    num_res_blocks: few.default(2),
    /** Attention outside the middle: no published model has it, and the reference implementation cannot run it. */
    attn_scales: z.array(z.number()).max(0).default([]),
    temperal_downsample: z.array(z.boolean()).max(16).default([false, true, true]),
    latents_mean: z.array(z.number()),
    latents_std: z.array(z.number().positive()),
    is_residual: z.boolean().default(false),
    in_channels: width.default(3),
    out_channels: width.default(3),
    patch_size: few.nullable().default(null),
  })
  .refine((config) => config.temperal_downsample.length >= config.dim_mult.length - 1, {
    message: 'temperal_downsample must have one entry less than dim_mult',
  })
  .refine((config) => config.latents_mean.length === config.z_dim && config.latents_std.length === config.z_dim, {
    message: 'latents_mean and latents_std must have z_dim entries',
  });

export type VaeConfig = z.infer<typeof vaeConfigSchema>;

/** Pixels per latent value, along each axis; a clip has `1 + k * frames` frames. */
export function vaeStrides(config: VaeConfig): { frames: number; height: number; width: number } {
  const stages = config.dim_mult.length - 1;
  const space = 2 ** stages * (config.patch_size ?? 1);
  const frames = 2 ** config.temperal_downsample.slice(0, stages).filter(Boolean).length;
  return { frames, height: space, width: space };
}

/** Throws `invalid-input` unless a clip of this size can be encoded. */
export function checkVideoSize(config: VaeConfig, frames: number, height: number, width: number): void {
  checkClipSize(vaeStrides(config), frames, height, width);
}

interface ResidualPlan {
  path: string;
  inSize: number;
  outSize: number;
}

interface ResamplePlan {
  path: string;
  inSize: number;
  outSize: number;
  /** Whether it also halves or doubles the number of frames. */
  inTime: boolean;
}

/** Some residual blocks, then perhaps a change of resolution; in the residual layout with a shortcut around all of it. */
export interface StagePlan {
  blocks: ResidualPlan[];
  resample?: ResamplePlan;
  shortcut?: { inSize: number; outSize: number; timeFactor: number; spaceFactor: number };
}

/** What the encoder or the decoder is made of, in order. */
export interface CoderPlan {
  path: 'encoder' | 'decoder';
  inSize: number;
  firstSize: number;
  stages: StagePlan[];
  middleSize: number;
  lastSize: number;
  outSize: number;
}

export function encoderPlan(config: VaeConfig): CoderPlan {
  const sizes = [1, ...config.dim_mult].map((factor) => factor * config.base_dim);
  let flat = 0; // Wan 2.1 numbers blocks and resamplers in one list
  const stages = config.dim_mult.map((_, index): StagePlan => {
    const [inSize, outSize] = [sizes[index]!, sizes[index + 1]!];
    const last = index === config.dim_mult.length - 1;
    const inTime = config.temperal_downsample[index]!;
    const stage = `encoder.down_blocks.${index}`;
    const blocks = Array.from({ length: config.num_res_blocks }, (_, block) => ({
      path: config.is_residual ? `${stage}.resnets.${block}` : `encoder.down_blocks.${flat++}`,
      inSize: block ? outSize : inSize,
      outSize,
    }));
    const path = config.is_residual ? `${stage}.downsampler` : `encoder.down_blocks.${last ? flat : flat++}`;
    return {
      blocks,
      ...(last ? {} : { resample: { path, inSize: outSize, outSize, inTime } }),
      ...(config.is_residual
        ? { shortcut: { inSize, outSize, timeFactor: !last && inTime ? 2 : 1, spaceFactor: last ? 1 : 2 } }
        : {}),
    };
  });
  const middleSize = sizes.at(-1)!;
  const inSize = config.in_channels;
  return {
    path: 'encoder',
    inSize,
    firstSize: sizes[0]!,
    stages,
    middleSize,
    lastSize: middleSize,
    outSize: 2 * config.z_dim,
  };
}

export function decoderPlan(config: VaeConfig): CoderPlan {
  const base = config.decoder_base_dim ?? config.base_dim;
  const sizes = [config.dim_mult.at(-1)!, ...config.dim_mult.toReversed()].map((factor) => factor * base);
  const stages = config.dim_mult.map((_, index): StagePlan => {
    const last = index === config.dim_mult.length - 1;
    const outSize = sizes[index + 1]!;
    const inSize = index > 0 && !config.is_residual ? sizes[index]! / 2 : sizes[index]!;
    const inTime = !last && config.temperal_downsample[config.temperal_downsample.length - 1 - index]!;
    const stage = `decoder.up_blocks.${index}`;
    return {
      blocks: Array.from({ length: config.num_res_blocks + 1 }, (_, block) => ({
        path: `${stage}.resnets.${block}`,
        inSize: block ? outSize : inSize,
        outSize,
      })),
      ...(last
        ? {}
        : {
            resample: {
              path: config.is_residual ? `${stage}.upsampler` : `${stage}.upsamplers.0`,
              inSize: outSize,
              outSize: config.is_residual ? outSize : outSize / 2,
              inTime,
            },
          }),
      ...(config.is_residual && !last
        ? { shortcut: { inSize, outSize, timeFactor: inTime ? 2 : 1, spaceFactor: 2 } }
        : {}),
    };
  });
  const [firstSize, lastSize] = [sizes[0]!, sizes.at(-1)!];
  return {
    path: 'decoder',
    inSize: config.z_dim,
    firstSize,
    stages,
    middleSize: firstSize,
    lastSize,
    outSize: config.out_channels,
  };
}

/** Every parameter of the autoencoder as its checkpoint stores it. */
export function vaeSpecs(config: VaeConfig): ParameterSpecs {
  return new Map([
    ...convolution('quant_conv', 2 * config.z_dim, 2 * config.z_dim, [1, 1, 1]),
    ...convolution('post_quant_conv', config.z_dim, config.z_dim, [1, 1, 1]),
    ...coderSpecs(encoderPlan(config), false),
    ...coderSpecs(decoderPlan(config), true),
  ]);
}

type Entry = [string, ParameterSpec];

/** A kernel as stored; a flat one [out, in, height, width] gets a time axis of one. */
function convolution(path: string, inSize: number, outSize: number, window: number[]): Entry[] {
  const stored = [outSize, inSize, ...window];
  const shape = [outSize, inSize, ...(window.length === 2 ? [1] : []), ...window];
  return [
    [`${path}.weight`, { stored, shape }],
    [`${path}.bias`, { stored: [outSize] }],
  ];
}

function coderSpecs(plan: CoderPlan, up: boolean): Entry[] {
  const gamma = (path: string, size: number): Entry => [`${path}.gamma`, { stored: [size, 1, 1, 1] }];
  const residual = ({ path, inSize, outSize }: ResidualPlan): Entry[] => [
    gamma(`${path}.norm1`, inSize),
    ...convolution(`${path}.conv1`, inSize, outSize, [3, 3, 3]),
    gamma(`${path}.norm2`, outSize),
    ...convolution(`${path}.conv2`, outSize, outSize, [3, 3, 3]),
    ...(inSize === outSize ? [] : convolution(`${path}.conv_shortcut`, inSize, outSize, [1, 1, 1])),
  ];
  const resample = ({ path, inSize, outSize, inTime }: ResamplePlan): Entry[] => [
    ...convolution(`${path}.resample.1`, inSize, outSize, [3, 3]),
    ...(inTime ? convolution(`${path}.time_conv`, inSize, up ? 2 * inSize : inSize, [3, 1, 1]) : []),
  ];
  const { path, middleSize: middle } = plan;
  const attention = `${path}.mid_block.attentions.0`;
  return [
    ...convolution(`${path}.conv_in`, plan.inSize, plan.firstSize, [3, 3, 3]),
    ...plan.stages.flatMap((stage) => [
      ...stage.blocks.flatMap(residual),
      ...(stage.resample ? resample(stage.resample) : []),
    ]),
    ...residual({ path: `${path}.mid_block.resnets.0`, inSize: middle, outSize: middle }),
    [`${attention}.norm.gamma`, { stored: [middle, 1, 1], shape: [middle] }],
    [`${attention}.to_qkv.weight`, { stored: [3 * middle, middle, 1, 1], view: [3 * middle, middle], axes: [1, 0] }],
    [`${attention}.to_qkv.bias`, { stored: [3 * middle] }],
    [`${attention}.proj.weight`, { stored: [middle, middle, 1, 1], view: [middle, middle], axes: [1, 0] }],
    [`${attention}.proj.bias`, { stored: [middle] }],
    ...residual({ path: `${path}.mid_block.resnets.1`, inSize: middle, outSize: middle }),
    gamma(`${path}.norm_out`, plan.lastSize),
    ...convolution(`${path}.conv_out`, plan.lastSize, plan.outSize, [3, 3, 3]),
  ];
}
