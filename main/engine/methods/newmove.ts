import { targetLayers } from '../adapters/target-layers.ts';
import { type Method, requireMotion, stage, withTokens } from './method.ts';

/**
 * NewMove (Materzynska et al., arXiv 2312.04966) on a transformer: whole weights W' = W + D, D [in, out], of
 * self-attention in place of the paper's temporal layers, and of keys and values of attention to the prompt,
 * with the special tokens. Half of a batch are clips of other things (sampled from the model itself here,
 * real ones in the paper). Noise levels s follow the density 1 - cos(pi s) / 2: high ones, at which motion is
 * decided, come more often.
 */
export const newmove: Method = {
  parts({ layers }) {
    const names = ['attn1.to_q', 'attn1.to_k', 'attn1.to_v', 'attn1.to_out.0', 'attn2.to_k', 'attn2.to_v'];
    return { motion: { kind: 'dense', shape: { layers: targetLayers(layers, names) }, slider: 'motion' } };
  },
  stages(recipe, material) {
    requireMotion('NewMove', material);
    return [
      stage(recipe, {
        label: 'motion',
        steps: recipe.stepsMotion,
        trains: withTokens({ motion: ['delta'] }, material),
        coarse: true,
      }),
    ];
  },
};
