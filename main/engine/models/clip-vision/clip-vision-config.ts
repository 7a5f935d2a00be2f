import { z } from 'zod';
import { linearSpecs, type ParameterSpec, type ParameterSpecs } from '../../nn/parameters.ts';

/** As for a transformer: no published model comes near. */
const width = z.int().positive().max(100_000);
const count = z.int().positive().max(1000);
const side = z.int().positive().max(4096);

/** `image_encoder/config.json`: CLIPVisionModel of transformers, whose files leave out what is as its defaults are. */
export const clipVisionConfigSchema = z
  .object({
    model_type: z.literal('clip_vision_model', 'the image encoder is no CLIPVisionModel'),
    hidden_size: width.default(768),
    intermediate_size: width.default(3072),
    num_hidden_layers: count.min(2).default(12),
    num_attention_heads: count.default(12),
    num_channels: z.literal(3).default(3),
    image_size: side.default(224),
    patch_size: side.default(32),
    hidden_act: z.enum(['gelu', 'quick_gelu']).default('quick_gelu'),
    layer_norm_eps: z.number().positive().default(1e-5),
  })
  .refine(({ image_size, patch_size }) => patch_size <= image_size, 'a patch is larger than the picture')
  .refine(
    ({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0,
    'hidden_size is no multiple of num_attention_heads',
  );
export type ClipVisionConfig = z.infer<typeof clipVisionConfigSchema>;

const threeNumbers = z.tuple([z.number(), z.number(), z.number()]);

/** `image_processor/preprocessor_config.json`: CLIPImageProcessor of transformers, with all of its steps switched on. */
export const clipProcessorConfigSchema = z.object({
  size: z.union([side, z.object({ shortest_edge: side }).transform((size) => size.shortest_edge)]).default(224),
  crop_size: z
    .union([
      side,
      z
        .object({ height: side, width: side })
        .refine(({ height, width }) => height === width, 'pictures that are not square are not supported')
        .transform((size) => size.height),
    ])
    .default(224),
  resample: z.literal(3, 'pictures are made smaller by cubic convolution alone').default(3),
  do_resize: z.literal(true).default(true),
  do_center_crop: z.literal(true).default(true),
  do_rescale: z.literal(true).default(true),
  rescale_factor: z
    .number()
    .refine((factor) => Math.abs(255 * factor - 1) < 1e-6, 'values of pictures are divided by 255 alone')
    .default(1 / 255),
  do_normalize: z.literal(true).default(true),
  image_mean: threeNumbers.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: threeNumbers
    .refine((values) => values.every((value) => value > 0), 'must be above 0')
    .default([0.26862954, 0.26130258, 0.27577711]),
});
export type ClipProcessorConfig = z.infer<typeof clipProcessorConfigSchema>;

/** The first token is of the whole picture, the others are of its patches in rows. */
export function clipTokens({ image_size, patch_size }: ClipVisionConfig): number {
  return 1 + Math.floor(image_size / patch_size) ** 2;
}

const norm = (path: string, size: number): [string, ParameterSpec][] => [
  [`${path}.weight`, { stored: [size] }],
  [`${path}.bias`, { stored: [size] }],
];

/** The parameters before the first layer, relative to the encoder. */
export function clipEmbeddingSpecs(config: ClipVisionConfig): ParameterSpecs {
  const { hidden_size: size, patch_size: patch } = config;
  return new Map<string, ParameterSpec>([
    ['embeddings.class_embedding', { stored: [size] }],
    ['embeddings.position_embedding.weight', { stored: [clipTokens(config), size] }],
    [
      'embeddings.patch_embedding.weight', // a convolution whose stride is its kernel: a dense layer over each patch
      { stored: [size, 3, patch, patch], view: [size, 3 * patch * patch], axes: [1, 0] },
    ],
    ...norm('pre_layrnorm', size), // spelt so in the files
  ]);
}

/** The parameters of one layer, relative to `encoder.layers.N.`. */
export function clipLayerSpecs({ hidden_size: size, intermediate_size: inner }: ClipVisionConfig): ParameterSpecs {
  return new Map<string, ParameterSpec>([
    ...norm('layer_norm1', size),
    ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].flatMap((name) => linearSpecs(`self_attn.${name}`, size, size)),
    ...norm('layer_norm2', size),
    ...linearSpecs('mlp.fc1', size, inner),
    ...linearSpecs('mlp.fc2', inner, size),
  ]);
}
