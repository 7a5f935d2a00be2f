import { type TransformerConfig, transformerSpecs } from '../models/wan/transformer-config.ts';
import { linearLayers, type TargetLayer } from './target-layers.ts';

/** The places of a model that something can be added to, and their sizes; no weights need be read for that. */
export type ModelShape = {
  /** Every linear layer. */
  layers: readonly TargetLayer[];
  /** Paths of the blocks, `blocks.3`, each with the sub-layers attn1 (self), attn2 (to the prompt) and ffn. */
  blocks: readonly string[];
  /** Width d of the residual stream. */
  width: number;
  /** Channels of a clip's latents. */
  latentChannels: number;
};

export function modelShape(config: TransformerConfig): ModelShape {
  return {
    layers: linearLayers(transformerSpecs(config)),
    blocks: Array.from({ length: config.num_layers }, (_, index) => `blocks.${index}`),
    width: config.num_attention_heads * config.attention_head_dim,
    latentChannels: config.out_channels,
  };
}
