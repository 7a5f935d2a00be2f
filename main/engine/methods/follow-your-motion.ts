import { targetLayers } from '../adapters/target-layers.ts';
import { type Method, requireMotion, stage } from './method.ts';

/**
 * Follow-Your-Motion (Ma et al., arXiv 2506.05207): of a transformer's heads of self-attention, some look within a frame and others across
 * frames, as their attention on the clip shows. Two LoRAs of queries, keys and values, W' = W + A B with A [in, r] and B [r, out], of which
 * only the columns of B that belong to such heads learn:
 *
 *   look    the half of all heads that gives most of its attention to the frame that it is asked from, from pictures
 *   motion  the other half, from the clip, while the look acts frozen
 *
 * Weight decay is 0.1 and then 0.5, as there. How heads are divided where the difference is small is not known of the paper; here it is by
 * the median. The motion alone is the concept with its identity at 0.
 */
export const followYourMotion: Method = {
  parts({ layers }, { rank }) {
    const names = ['attn1.to_q', 'attn1.to_k', 'attn1.to_v'];
    const shape = { layers: targetLayers(layers, names), rank, basisSide: 'input' as const };
    return {
      look: { kind: 'low-rank', shape, slider: 'identity' },
      motion: { kind: 'low-rank', shape, slider: 'motion' },
    };
  },
  stages(recipe, material) {
    requireMotion('Follow-Your-Motion', material);
    const matrices = ['basis', 'coefficients'];
    return [
      stage(recipe, {
        label: 'identity',
        steps: recipe.stepsIdentity,
        trains: { look: matrices },
        heads: 'spatial',
        pictureShare: 1,
        weightDecay: 0.1,
      }),
      stage(recipe, {
        label: 'motion',
        steps: recipe.stepsMotion,
        trains: { motion: matrices },
        acts: ['look'],
        heads: 'temporal',
        weightDecay: 0.5,
      }),
    ];
  },
};
