import { z } from 'zod';
import { linearSpecs, type ParameterSpec, type ParameterSpecs } from '../../nn/parameters.ts';

/** As for the transformer: no published model comes near. */
const width = z.int().positive().max(200_000);
const count = z.int().positive().max(1000);

/** `text_encoder/config.json`: UMT5EncoderModel, the one with gated GELU that Wan uses. */
export const textEncoderConfigSchema = z.object({
  model_type: z.literal('umt5'),
  vocab_size: z.int().positive().max(5_000_000),
  d_model: width,
  d_kv: count,
  d_ff: width,
  num_layers: count,
  num_heads: count,
  relative_attention_num_buckets: count.multipleOf(4).default(32),
  relative_attention_max_distance: width.default(128),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  feed_forward_proj: z.literal('gated-gelu').default('gated-gelu'),
});

export type TextEncoderConfig = z.infer<typeof textEncoderConfigSchema>;

/** transformers stores the embedding table as `shared.weight`, and some versions a second time under the encoder. */
export const repeatedEmbeddings = /^encoder\.embed_tokens\.weight$/;

/** The parameters of one layer, relative to `encoder.block.N.`. */
export function textLayerSpecs(config: TextEncoderConfig): ParameterSpecs {
  const inner = config.num_heads * config.d_kv;
  const norm: ParameterSpec = { stored: [config.d_model] };
  return new Map<string, ParameterSpec>([
    ...['q', 'k', 'v'].flatMap((name) => linearSpecs(`layer.0.SelfAttention.${name}`, config.d_model, inner, false)),
    ...linearSpecs('layer.0.SelfAttention.o', inner, config.d_model, false),
    [
      'layer.0.SelfAttention.relative_attention_bias.weight',
      { stored: [config.relative_attention_num_buckets, config.num_heads] },
    ],
    ['layer.0.layer_norm.weight', norm],
    ...linearSpecs('layer.1.DenseReluDense.wi_0', config.d_model, config.d_ff, false),
    ...linearSpecs('layer.1.DenseReluDense.wi_1', config.d_model, config.d_ff, false),
    ...linearSpecs('layer.1.DenseReluDense.wo', config.d_ff, config.d_model, false),
    ['layer.1.layer_norm.weight', norm],
  ]);
}

/** Every parameter of the encoder as its checkpoint stores it. */
export function textEncoderSpecs(config: TextEncoderConfig): ParameterSpecs {
  const layer = textLayerSpecs(config);
  return new Map<string, ParameterSpec>([
    ['shared.weight', { stored: [config.vocab_size, config.d_model] }],
    ...Array.from({ length: config.num_layers }, (_, index) =>
      [...layer].map(([name, spec]): [string, ParameterSpec] => [`encoder.block.${index}.${name}`, spec]),
    ).flat(),
    ['encoder.final_layer_norm.weight', { stored: [config.d_model] }],
  ]);
}
