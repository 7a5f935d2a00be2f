import { closeSync, cpSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeBfloat16 } from '../../main/engine/formats/half.ts';
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

/** Opens a new safetensors file in bfloat16, of which only the header is written: -> its descriptor, and where the values end. */
function startFile(path: string, tensors: ReadonlyMap<string, readonly number[]>) {
  const header: Record<string, unknown> = {};
  let length = 0;
  for (const [name, shape] of tensors) {
    header[name] = { dtype: 'BF16', shape, data_offsets: [length, length + 2 * count(shape)] };
    length += 2 * count(shape);
  }
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([prefix, text]));
  return { file, end: 8 + text.length + length };
}

/** A safetensors file in bfloat16 whose values take no disk: all of them are zero, where nothing was ever written. */
export function writeSparse(path: string, tensors: ReadonlyMap<string, readonly number[]>): void {
  const { file, end } = startFile(path, tensors);
  ftruncateSync(file, end);
  closeSync(file);
}

/** Numbers that are drawn of a tensor, and repeated: drawing billions would take hours. */
const poolSize = 65_536;
const writtenAtOnce = 2 ** 23;

/** Random weights, small enough that nothing overflows on its way; norms' factors are about one. */
export function writeRandom(path: string, tensors: ReadonlyMap<string, readonly number[]>): void {
  const { file } = startFile(path, tensors);
  let seed = 1;
  for (const [name, shape] of tensors) {
    const size = count(shape);
    const pool = new Random(seed++).normals(Math.min(size, poolSize));
    const scale = shape.length > 1 ? (size / shape[0]!) ** -0.5 : 0.02;
    const base = /norm|gamma/.test(name) && !name.endsWith('bias') ? 1 : 0;
    const drawn = encodeBfloat16(Float32Array.from(pool, (value) => base + scale * value));
    const piece = new Uint16Array(Math.min(size, writtenAtOnce));
    for (let at = 0; at < piece.length; at += drawn.length) piece.set(drawn.subarray(0, piece.length - at), at);
    for (let done = 0; done < size; done += piece.length)
      writeSync(file, new Uint8Array(piece.buffer, 0, 2 * Math.min(piece.length, size - done)));
  }
  closeSync(file);
}

/** A directory in diffusers' layout of the published shapes, with a tiny tokenizer; of random weights, or of none that take disk. */
export function writeFullSize(directory: string, size: FullSize, isSparse: boolean): void {
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
    write(join(directory, folder, 'diffusion_pytorch_model.safetensors'), transformerShapes(size));
  }
  config('vae', vaeConfig(vae));
  write(
    join(directory, 'vae/diffusion_pytorch_model.safetensors'),
    shapes(vaeSpecs(vaeConfigSchema.parse(vaeConfig(vae)))),
  );
  config('text_encoder', umt5);
  write(join(directory, 'text_encoder/model.safetensors'), textEncoderShapes());
  const second = pair ? ['diffusers', 'WanTransformer3DModel'] : [null, null];
  config(
    '.',
    { _class_name: 'WanPipeline', boundary_ratio: pair ? 0.875 : null, transformer_2: second },
    'model_index.json',
  );
}
