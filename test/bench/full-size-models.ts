import { cpSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeSafetensors } from '../../main/engine/formats/safetensors-write.ts';
import { latentStatistics } from '../../main/engine/models/wan/original/latent-statistics.ts';
import { textEncoderConfigSchema, textEncoderSpecs } from '../../main/engine/models/wan/text-encoder-config.ts';
import { transformerConfigSchema, transformerSpecs } from '../../main/engine/models/wan/transformer-config.ts';
import { vaeConfigSchema, vaeSpecs } from '../../main/engine/models/wan/vae-config.ts';
import type { ParameterSpecs } from '../../main/engine/nn/parameters.ts';
import { Random } from '../../main/engine/nn/random.ts';

/** Shapes of Wan's published checkpoints, by their own configurations. */
export const fullSizes = {
  'Wan2.1-T2V-1.3B': {
    transformer: { num_attention_heads: 12, ffn_dim: 8960, num_layers: 30 },
    vae: 'wan2.1',
    pair: false,
  },
  'Wan2.1-T2V-14B': {
    transformer: { num_attention_heads: 40, ffn_dim: 13824, num_layers: 40 },
    vae: 'wan2.1',
    pair: false,
  },
  'Wan2.2-TI2V-5B': {
    transformer: { num_attention_heads: 24, ffn_dim: 14336, num_layers: 30, in_channels: 48, out_channels: 48 },
    vae: 'wan2.2',
    pair: false,
  },
  'Wan2.2-T2V-A14B': {
    transformer: { num_attention_heads: 40, ffn_dim: 13824, num_layers: 40 },
    vae: 'wan2.1',
    pair: true,
  },
} as const;

export type FullSize = keyof typeof fullSizes;

const umt5 = {
  model_type: 'umt5',
  vocab_size: 256_384,
  d_model: 4096,
  d_kv: 64,
  d_ff: 10_240,
  num_layers: 24,
  num_heads: 64,
};

function vaeConfig(kind: 'wan2.1' | 'wan2.2') {
  const { mean, deviation } = latentStatistics.get(kind === 'wan2.1' ? 16 : 48)!;
  const common = { latents_mean: mean, latents_std: deviation };
  if (kind === 'wan2.1') return common;
  const layout = { is_residual: true, patch_size: 2, in_channels: 12, out_channels: 12 };
  return { ...common, base_dim: 160, decoder_base_dim: 256, z_dim: 48, ...layout };
}

/** A transformer's parameters by diffusers' names, with their stored shapes. */
export function transformerShapes(size: FullSize): Map<string, number[]> {
  return shapes(transformerSpecs(transformerConfigSchema.parse(fullSizes[size].transformer)));
}

/** The text encoder's, by transformers' names. */
export const textEncoderShapes = () => shapes(textEncoderSpecs(textEncoderConfigSchema.parse(umt5)));

const shapes = (specs: ParameterSpecs) => new Map([...specs].map(([name, { stored }]) => [name, stored]));

const count = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

/** A safetensors file in bfloat16 whose values take no disk: all of them are zero, where nothing was ever written. */
export function writeSparse(path: string, tensors: ReadonlyMap<string, readonly number[]>): void {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of tensors) {
    header[name] = { dtype: 'BF16', shape, data_offsets: [end, end + 2 * count(shape)] };
    end += 2 * count(shape);
  }
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.concat([prefix, text]));
  truncateSync(path, 8 + text.length + end);
}

/** Random weights, small enough that nothing overflows on its way; norms' factors are about one. */
export async function writeRandom(path: string, tensors: ReadonlyMap<string, readonly number[]>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  let seed = 1;
  const entries = [...tensors].map(([name, shape]) => {
    const random = new Random(seed++);
    const values = () => {
      const pool = random.normals(Math.min(count(shape), 65_536)); // repeated: drawing billions would take hours
      const scale = shape.length > 1 ? (count(shape) / shape[0]!) ** -0.5 : 0.02;
      const base = /norm|gamma/.test(name) && !name.endsWith('bias') ? 1 : 0;
      return Float32Array.from({ length: count(shape) }, (_, index) => base + scale * pool[index % pool.length]!);
    };
    return { name, shape, type: 'BF16' as const, values };
  });
  await writeSafetensors(path, entries, { format: 'pt' });
}

/** A directory in diffusers' layout of the published shapes, with a tiny tokenizer; of random weights, or of none that take disk. */
export async function writeFullSize(directory: string, size: FullSize, isSparse: boolean): Promise<void> {
  const { transformer, vae, pair } = fullSizes[size];
  const write = isSparse ? writeSparse : writeRandom;
  const config = (folder: string, value: object, name = 'config.json') => {
    mkdirSync(join(directory, folder), { recursive: true });
    writeFileSync(join(directory, folder, name), JSON.stringify(value));
  };
  const golden = join(process.cwd(), 'test/golden/model');
  cpSync(join(golden, 'tokenizer'), join(directory, 'tokenizer'), { recursive: true });
  cpSync(join(golden, 'scheduler'), join(directory, 'scheduler'), { recursive: true });
  for (const folder of pair ? ['transformer', 'transformer_2'] : ['transformer']) {
    config(folder, transformerConfigSchema.parse(transformer));
    await write(join(directory, folder, 'diffusion_pytorch_model.safetensors'), transformerShapes(size));
  }
  config('vae', vaeConfig(vae));
  await write(
    join(directory, 'vae/diffusion_pytorch_model.safetensors'),
    shapes(vaeSpecs(vaeConfigSchema.parse(vaeConfig(vae)))),
  );
  config('text_encoder', umt5);
  await write(join(directory, 'text_encoder/model.safetensors'), textEncoderShapes());
  const second = pair ? ['diffusers', 'WanTransformer3DModel'] : [null, null];
  config(
    '.',
    { _class_name: 'WanPipeline', boundary_ratio: pair ? 0.875 : null, transformer_2: second },
    'model_index.json',
  );
}
