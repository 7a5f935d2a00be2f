import type { WeightForm } from '../../../../shared/domain/weight-form.ts';
import { linearLayers } from '../../nn/linear-layers.ts';
import type { Denoiser, ModelShape } from '../video-model.ts';
import { type TransformerParameters, timeFeatures, wanTransformer } from './transformer.ts';
import { type TransformerConfig, transformerSpecs } from './transformer-config.ts';

/** Up to this depth the whole transformer is compiled as one program where no gradients are asked for. */
const shallowLayers = 12;

/** What is known without weights. */
export function denoiserFacts(
  config: TransformerConfig,
  firstFrame: Denoiser['firstFrame'] = 'none',
): Omit<Denoiser, 'denoise'> {
  return {
    firstFrame,
    latentChannels: config.out_channels,
    selfConditioning: config.in_channels === 2 * config.out_channels,
    timeFeatures: (timesteps) => timeFeatures(config, timesteps),
  };
}

/** The transformer with its weights, which stay the caller's. */
export function wanDenoiser(
  config: TransformerConfig,
  parameters: TransformerParameters,
  { firstFrame = 'none', form = 'float32' }: { firstFrame?: Denoiser['firstFrame']; form?: WeightForm } = {},
): Denoiser {
  const apart = form !== 'float32';
  const together = !apart && config.num_layers <= shallowLayers;
  return {
    ...denoiserFacts(config, firstFrame),
    denoise: (inputs, { inferenceOnly = false, ...options } = {}) =>
      wanTransformer(config, parameters, inputs, { ...options, apart, together: inferenceOnly && together }),
  };
}

export function wanShape(config: TransformerConfig): ModelShape {
  return {
    layers: linearLayers(transformerSpecs(config)),
    blocks: Array.from({ length: config.num_layers }, (_, index) => `blocks.${index}`),
    width: config.num_attention_heads * config.attention_head_dim,
    latentChannels: config.out_channels,
  };
}
