import { z } from 'zod';
import { linearSpecs, type ParameterSpec, type ParameterSpecs } from '../../nn/parameters.ts';

/** Whatever stands in a file: no model is wider or deeper, and lists of layers are made of these numbers. */
const width = z.int().positive().max(200_000);
const count = z.int().positive().max(1000);
const patchSide = z.int().positive().max(64);

/** `transformer/config.json` of a Wan checkpoint, by diffusers' names. */
const transformerFields = z.object({
  _class_name: z.literal('WanTransformer3DModel').default('WanTransformer3DModel'),
  /** Latent values per token: frames, height, width. */
  patch_size: z.tuple([patchSide, patchSide, patchSide]).default([1, 2, 2]),
  num_attention_heads: count.default(40),
  attention_head_dim: count.multipleOf(2).default(128),
  /**
   * Twice `out_channels` when the previous prediction is fed back (self-conditioning), or with what stands beside the noisy latents (image to
   * video).
   */
  in_channels: width.default(16),
  out_channels: width.default(16),
  text_dim: width.default(4096),
  freq_dim: width.multipleOf(2).default(256),
  ffn_dim: width.default(13824),
  num_layers: count.default(40),
  cross_attn_norm: z.boolean().default(true),
  qk_norm: z.literal('rms_norm_across_heads').default('rms_norm_across_heads'),
  eps: z.number().positive().default(1e-6),
  rope_max_seq_len: width.default(1024),
  /** Width of what an image encoder makes of the first frame (Wan 2.1 I2V). */
  image_dim: width.nullable().default(null),
  /** Width of that in cross-attention, where it has keys and values of its own: always that of the tokens. */
  added_kv_proj_dim: width.nullable().default(null),
  pos_embed_seq_len: z
    .null('models for a first and a last frame (FLF2V) are not supported: choose one for a first frame alone')
    .optional(),
});

export const transformerConfigSchema = transformerFields.refine(
  ({ image_dim, added_kv_proj_dim, num_attention_heads, attention_head_dim }) =>
    image_dim === null ? added_kv_proj_dim === null : added_kv_proj_dim === num_attention_heads * attention_head_dim,
  'image_dim and added_kv_proj_dim do not fit: a picture is read in the width of the tokens, or not at all',
);

export type TransformerConfig = z.infer<typeof transformerConfigSchema>;

/** Every parameter of the transformer as its checkpoint stores it. */
export function transformerSpecs(config: TransformerConfig): ParameterSpecs {
  const size = config.num_attention_heads * config.attention_head_dim;
  const patch = config.patch_size.reduce((product, length) => product * length, 1);
  const norm = (path: string): [string, ParameterSpec] => [`${path}.weight`, { stored: [size] }];
  const attention = (path: string) => [
    ...['to_q', 'to_k', 'to_v', 'to_out.0'].flatMap((name) => linearSpecs(`${path}.${name}`, size, size)),
    norm(`${path}.norm_q`),
    norm(`${path}.norm_k`),
  ];
  const block = (path: string): [string, ParameterSpec][] => [
    [`${path}.scale_shift_table`, { stored: [1, 6, size] }],
    ...attention(`${path}.attn1`),
    ...attention(`${path}.attn2`),
    ...(config.image_dim === null
      ? []
      : [
          ...['add_k_proj', 'add_v_proj'].flatMap((name) => linearSpecs(`${path}.attn2.${name}`, size, size)),
          norm(`${path}.attn2.norm_added_k`),
        ]),
    ...linearSpecs(`${path}.ffn.net.0.proj`, size, config.ffn_dim),
    ...linearSpecs(`${path}.ffn.net.2`, config.ffn_dim, size),
    ...(config.cross_attn_norm
      ? [norm(`${path}.norm2`), [`${path}.norm2.bias`, { stored: [size] }] as [string, ParameterSpec]]
      : []),
  ];
  return new Map<string, ParameterSpec>([
    ['scale_shift_table', { stored: [1, 2, size] }],
    [
      'patch_embedding.weight', // a convolution whose stride is its kernel: a dense layer over each patch
      {
        stored: [size, config.in_channels, ...config.patch_size],
        view: [size, config.in_channels * patch],
        axes: [1, 0],
      },
    ],
    ['patch_embedding.bias', { stored: [size] }],
    ...linearSpecs('condition_embedder.time_embedder.linear_1', config.freq_dim, size),
    ...linearSpecs('condition_embedder.time_embedder.linear_2', size, size),
    ...linearSpecs('condition_embedder.time_proj', size, 6 * size),
    ...linearSpecs('condition_embedder.text_embedder.linear_1', config.text_dim, size),
    ...linearSpecs('condition_embedder.text_embedder.linear_2', size, size),
    ...(config.image_dim === null ? [] : imageEmbedderSpecs(config.image_dim, size)),
    ...Array.from({ length: config.num_layers }, (_, index) => block(`blocks.${index}`)).flat(),
    ...linearSpecs('proj_out', size, config.out_channels * patch),
  ]);
}

/** What a picture's tokens go through before all blocks: their own width, then that of the transformer. */
function imageEmbedderSpecs(width: number, size: number): [string, ParameterSpec][] {
  const path = 'condition_embedder.image_embedder';
  const affine = (name: string, length: number): [string, ParameterSpec][] => [
    [`${path}.${name}.weight`, { stored: [length] }],
    [`${path}.${name}.bias`, { stored: [length] }],
  ];
  return [
    ...affine('norm1', width),
    ...linearSpecs(`${path}.ff.net.0.proj`, width, width),
    ...linearSpecs(`${path}.ff.net.2`, width, size),
    ...affine('norm2', size),
  ];
}

/** About how many values the backward pass needs of each token, of all blocks together. */
export function activationsPerToken({
  num_layers,
  num_attention_heads,
  attention_head_dim,
  ffn_dim,
}: TransformerConfig): number {
  return num_layers * (14 * num_attention_heads * attention_head_dim + 2 * ffn_dim);
}

/** The same for latents of this shape [batch, channels, frames, height, width]. */
export function activationsOf(config: TransformerConfig, [batch, , ...size]: readonly number[]): number {
  const product = (lengths: readonly number[]) => lengths.reduce((a, b) => a * b, 1);
  return (product([batch!, ...size]) / product(config.patch_size)) * activationsPerToken(config);
}
