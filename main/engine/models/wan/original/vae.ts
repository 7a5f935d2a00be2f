import { AppError } from '../../../../../shared/ipc/result.ts';
import type { TensorSource } from '../../../formats/tensor-file.ts';
import { type LatentStatistics, latentStatistics } from './latent-statistics.ts';
import { type NamedTensors, refusedWeights, sortNames } from './names.ts';

/**
 * The autoencoder under the names of Wan's own code (wan/modules/vae.py, vae2_2.py), by diffusers' names. Wan 2.1 numbers residual blocks and
 * changes of size in one list; Wan 2.2 has a list of such lists.
 */
export function isVae(source: TensorSource): boolean {
  return source.has('decoder.middle.0.residual.0.gamma') && source.has('encoder.conv1.weight');
}

const residualNames: Record<string, string> = {
  'residual.0': 'norm1',
  'residual.2': 'conv1',
  'residual.3': 'norm2',
  'residual.6': 'conv2',
  shortcut: 'conv_shortcut',
};

const topNames: Record<string, string> = { conv1: 'quant_conv', conv2: 'post_quant_conv' };

const coderNames: Record<string, string> = {
  conv1: 'conv_in',
  'head.0': 'norm_out',
  'head.2': 'conv_out',
  'middle.1.norm': 'mid_block.attentions.0.norm',
  'middle.1.to_qkv': 'mid_block.attentions.0.to_qkv',
  'middle.1.proj': 'mid_block.attentions.0.proj',
};

/** What the names alone tell of an autoencoder's stages. */
interface Layout {
  isResidual: boolean;
  stages: number;
  /** Residual blocks in a stage of the encoder; the decoder has one more. */
  blocks: number;
}

/** Names of diffusers -> tensors of the file, and `vae/config.json` from their shapes. Throws `invalid-input` for another autoencoder. */
export function describeVae(source: TensorSource): { tensors: NamedTensors; config: Record<string, unknown> } {
  const { names } = sortNames(source, '');
  const layout = layoutOf(source.path, names);
  const tensors: NamedTensors = new Map();
  for (const name of names) {
    const known = diffusersName(name, layout);
    if (!known) throw refusedWeights(source.path, [], name, "an autoencoder of Wan's video models");
    tensors.set(known, { name });
  }
  return { tensors, config: configOf(source, tensors, layout) };
}

function layoutOf(path: string, names: readonly string[]): Layout {
  const isResidual = names.some((name) => /^encoder\.downsamples\.\d+\.downsamples\./.test(name));
  const indices = (pattern: RegExp) => new Set(names.flatMap((name) => pattern.exec(name)?.[1] ?? []));
  if (isResidual) {
    const stages = indices(/^encoder\.downsamples\.(\d+)\./).size;
    return { isResidual, stages, blocks: indices(/^encoder\.downsamples\.0\.downsamples\.(\d+)\.residual\./).size };
  }
  const stages = indices(/^encoder\.downsamples\.(\d+)\.resample\./).size + 1;
  const blocks = indices(/^encoder\.downsamples\.(\d+)\.residual\./).size / stages;
  if (Number.isInteger(blocks) && blocks > 0) return { isResidual, stages, blocks };
  throw refusedWeights(path, [], 'stages of unequal length', "an autoencoder of Wan's video models");
}

function diffusersName(name: string, layout: Layout): string | undefined {
  const [, path, kind] = /^(.+)\.(weight|bias|gamma)$/.exec(name) ?? [];
  if (path === undefined) return undefined;
  if (Object.hasOwn(topNames, path)) return `${topNames[path]}.${kind}`;
  const [, coder, rest] = /^(encoder|decoder)\.(.+)$/.exec(path) ?? [];
  if (rest === undefined) return undefined;
  if (Object.hasOwn(coderNames, rest)) return `${coder}.${coderNames[rest]}.${kind}`;
  const middle = /^middle\.([02])\.(.+)$/.exec(rest);
  if (middle) {
    const part = residualNames[middle[2]!];
    return part && `${coder}.mid_block.resnets.${Number(middle[1]) / 2}.${part}.${kind}`;
  }
  const inner = coder === 'encoder' ? downName(rest, layout) : upName(rest, layout);
  return inner && `${coder}.${inner}.${kind}`;
}

function downName(rest: string, { isResidual, blocks }: Layout): string | undefined {
  if (!isResidual) {
    const [, index, part] = /^downsamples\.(\d+)\.(.+)$/.exec(rest) ?? [];
    return part && `down_blocks.${index}.${residualNames[part] ?? resampleName(part)}`;
  }
  const [, stage, index, part] = /^downsamples\.(\d+)\.downsamples\.(\d+)\.(.+)$/.exec(rest) ?? [];
  if (part === undefined) return undefined;
  const unit = Number(index) < blocks ? `resnets.${index}.${residualNames[part]}` : `downsampler.${resampleName(part)}`;
  return `down_blocks.${stage}.${unit}`;
}

function upName(rest: string, { isResidual, blocks }: Layout): string | undefined {
  const units = blocks + 1; // residual blocks of a stage, then its change of size
  if (!isResidual) {
    const [, flat, part] = /^upsamples\.(\d+)\.(.+)$/.exec(rest) ?? [];
    if (part === undefined) return undefined;
    const [stage, index] = [Math.floor(Number(flat) / (units + 1)), Number(flat) % (units + 1)];
    const unit = index < units ? `resnets.${index}.${residualNames[part]}` : `upsamplers.0.${resampleName(part)}`;
    return `up_blocks.${stage}.${unit}`;
  }
  const [, stage, index, part] = /^upsamples\.(\d+)\.upsamples\.(\d+)\.(.+)$/.exec(rest) ?? [];
  if (part === undefined) return undefined;
  const unit = Number(index) < units ? `resnets.${index}.${residualNames[part]}` : `upsampler.${resampleName(part)}`;
  return `up_blocks.${stage}.${unit}`;
}

const resampleName = (part: string) => (part === 'resample.1' || part === 'time_conv' ? part : undefined);

function configOf(source: TensorSource, tensors: NamedTensors, layout: Layout): Record<string, unknown> {
  const shape = (name: string) => source.info(tensors.get(name)?.name ?? name).shape;
  const has = (name: string) => tensors.has(name);
  const [base = 0, inChannels = 0] = shape('encoder.conv_in.weight');
  const stages = Array.from({ length: layout.stages }, (_, stage) => stage);
  const block = (stage: number) =>
    layout.isResidual ? `down_blocks.${stage}.resnets.0` : `down_blocks.${stage * (layout.blocks + 1)}`;
  const change = (stage: number) =>
    layout.isResidual
      ? `down_blocks.${stage}.downsampler`
      : `down_blocks.${stage * (layout.blocks + 1) + layout.blocks}`;
  const multiples = stages.map((stage) => (shape(`encoder.${block(stage)}.conv1.weight`)[0] ?? 0) / base);
  const latentChannels = shape('post_quant_conv.weight')[0] ?? 0;
  const decoderBase = (shape('decoder.conv_in.weight')[0] ?? 0) / multiples.at(-1)!;
  const statistics = statisticsOf(source.path, latentChannels);
  return {
    _class_name: 'AutoencoderKLWan',
    attn_scales: [],
    base_dim: base,
    decoder_base_dim: decoderBase === base ? null : decoderBase,
    dim_mult: multiples,
    dropout: 0,
    in_channels: inChannels,
    is_residual: layout.isResidual,
    latents_mean: statistics.mean,
    latents_std: statistics.deviation,
    num_res_blocks: layout.blocks,
    out_channels: shape('decoder.conv_out.weight')[0],
    // Squares of pixels as channels: three colours of each.
    patch_size: inChannels === 3 ? null : Math.sqrt(inChannels / 3),
    scale_factor_spatial: 2 ** (layout.stages - 1) * Math.sqrt(inChannels / 3),
    scale_factor_temporal: 2 ** stages.filter((stage) => has(`encoder.${change(stage)}.time_conv.weight`)).length,
    temperal_downsample: stages.slice(0, -1).map((stage) => has(`encoder.${change(stage)}.time_conv.weight`)),
    z_dim: latentChannels,
  };
}

function statisticsOf(path: string, channels: number): LatentStatistics {
  const known = latentStatistics.get(channels);
  if (known) return known;
  throw new AppError(
    'invalid-input',
    `${path} is an autoencoder of ${channels} latent channels, which Wan has none of.`,
    {
      hint: "Choose Wan 2.1's autoencoder (16 channels) or Wan 2.2's (48).",
    },
  );
}
