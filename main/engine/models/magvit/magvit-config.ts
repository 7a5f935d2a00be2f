import { z } from 'zod';
import type { CodingWork } from '../../../../shared/domain/model.ts';
import { linearSpecs, type ParameterSpec, type ParameterSpecs } from '../../nn/parameters.ts';

/** No published network comes near. */
const width = z.int().positive().max(8192);
const few = z.int().positive().max(64);
/** Windows of three miss nothing in steps of up to two. */
const stride = z.int().min(1).max(2);
const stages = <T extends z.ZodType>(entry: T) => z.array(entry).min(1).max(12);

/**
 * `config.json` of a causal autoencoder in the manner of MAGVIT-v2 (arXiv 2310.05737), with the parts that table 4 of Set-and-Sequence
 * (arXiv 2502.14844) names. Lists have one entry a stage, from pixels to latents; what else stands there is left alone.
 */
export const magvitConfigSchema = z
  .looseObject({
    _class_name: z.literal('CausalMagvitAutoencoder'),
    name: z.string().max(100),
    in_channels: width,
    latent_channels: width,
    base_channels: width,
    /** A stage has so many times the base channels. */
    channel_multipliers: stages(few),
    /** Residual blocks. */
    encoder_blocks: stages(few),
    decoder_blocks: stages(few),
    /** Behind each stage; nothing follows the last. */
    frame_strides: stages(stride),
    spatial_strides: stages(stride),
    norm_groups: few,
    latents_mean: z.array(z.number()),
    latents_std: z.array(z.number().positive()),
  })
  .refine(
    (config) =>
      [config.encoder_blocks, config.decoder_blocks, config.frame_strides, config.spatial_strides].every(
        ({ length }) => length === config.channel_multipliers.length,
      ),
    { message: 'blocks, strides and channel_multipliers must have one entry for each stage' },
  )
  .refine(({ frame_strides, spatial_strides }) => frame_strides.at(-1) === 1 && spatial_strides.at(-1) === 1, {
    message: 'the last stage has no stride, because no stage follows it',
  })
  .refine((config) => stageChannels(config).every((channels) => channels % config.norm_groups === 0), {
    message: 'norm_groups must divide the channels of every stage',
  })
  .refine((config) => [config.latents_mean, config.latents_std].every((v) => v.length === config.latent_channels), {
    message: 'latents_mean and latents_std must have latent_channels entries',
  });

export type MagvitConfig = z.infer<typeof magvitConfigSchema>;

/** From pixels to latents. */
function stageChannels(config: { base_channels: number; channel_multipliers: readonly number[] }): number[] {
  return config.channel_multipliers.map((multiplier) => multiplier * config.base_channels);
}

/** Pixels per latent value, along each axis. */
export function magvitStrides({ frame_strides, spatial_strides }: MagvitConfig) {
  const product = (strides: readonly number[]) => strides.reduce((all, one) => all * one, 1);
  const space = product(spatial_strides);
  return { frames: product(frame_strides), height: space, width: space };
}

/** Multiplications for each pixel of a clip's first frame, which bypasses every change in time, and of any other. */
export function magvitWork(config: MagvitConfig): CodingWork {
  const { in_channels: pixels, latent_channels: latent, frame_strides, spatial_strides } = config;
  const channels = stageChannels(config);
  const window = (inSize: number, outSize: number) => 27 * inSize * outSize;
  const coded = (isFirst: boolean) => {
    // Places and frames of each stage for each pixel.
    let scale = 1;
    let [encode, decode] = [window(pixels, channels[0]!), window(channels[0]!, pixels)];
    for (const [index, size] of channels.entries()) {
      const block = 2 * window(size, size) * scale;
      encode += config.encoder_blocks[index]! * block;
      decode += config.decoder_blocks[index]! * block;
      const next = channels[index + 1];
      if (next === undefined) break;
      const [inTime, area] = [frame_strides[index]!, spatial_strides[index]! ** 2];
      scale /= area * (isFirst ? 1 : inTime);
      encode += window(size, next) * scale;
      decode += window(next, size * inTime * area) * scale;
    }
    const last = channels.at(-1)!;
    return { encode: encode + window(last, 2 * latent) * scale, decode: decode + window(latent, last) * scale };
  };
  const [first, next] = [coded(true), coded(false)];
  return {
    encode: { first: first.encode, next: next.encode },
    decode: { first: first.decode, next: next.decode },
  };
}

type Entry = [string, ParameterSpec];

/** Every parameter as a checkpoint stores it: convolutions [out, in, 3, 3, 3], dense layers [out, in]. */
export function magvitSpecs(config: MagvitConfig): ParameterSpecs {
  const channels = stageChannels(config);
  const { latent_channels: latent, in_channels: pixels, frame_strides, spatial_strides } = config;
  const [first, last] = [channels[0]!, channels.at(-1)!];
  const blocks = (path: string, count: number, size: number) =>
    Array.from({ length: count }, (_, index) => blockSpecs(`${path}.blocks.${index}`, size)).flat();
  return new Map([
    ...convolution('encoder.conv_in', pixels, first),
    ...channels.flatMap((size, index) => [
      ...blocks(`encoder.stages.${index}`, config.encoder_blocks[index]!, size),
      ...(index < channels.length - 1 ? convolution(`encoder.stages.${index}.down`, size, channels[index + 1]!) : []),
    ]),
    ...norm('encoder.norm_out', last),
    ...convolution('encoder.conv_out', last, 2 * latent),
    ...convolution('decoder.conv_in', latent, last),
    ...channels.flatMap((size, index) => [
      ...linearSpecs(`decoder.stages.${index}.adapt.linear`, 2 * latent, 2 * size),
      ...blocks(`decoder.stages.${index}`, config.decoder_blocks[index]!, size),
      ...(index > 0
        ? convolution(
            `decoder.stages.${index}.up`,
            size,
            channels[index - 1]! * frame_strides[index - 1]! * spatial_strides[index - 1]! ** 2,
          )
        : []),
    ]),
    ...norm('decoder.norm_out', first),
    ...convolution('decoder.conv_out', first, pixels),
  ]);
}

const convolution = (path: string, inSize: number, outSize: number): Entry[] => [
  [`${path}.weight`, { stored: [outSize, inSize, 3, 3, 3] }],
  [`${path}.bias`, { stored: [outSize] }],
];

const norm = (path: string, size: number): Entry[] => [
  [`${path}.weight`, { stored: [size] }],
  [`${path}.bias`, { stored: [size] }],
];

const blockSpecs = (path: string, size: number): Entry[] => [
  ...norm(`${path}.norm1`, size),
  ...convolution(`${path}.conv1`, size, size),
  ...norm(`${path}.norm2`, size),
  ...convolution(`${path}.conv2`, size, size),
];
