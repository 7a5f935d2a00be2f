import { targetLayers } from '../adapters/target-layers.ts';
import { type Method, requireMotion, stage } from './method.ts';

/**
 * Follow-Your-Motion (Ma et al., arXiv 2506.05207): of a transformer's heads of self-attention, some look within a frame and others at the
 * same place across frames, as their attention on the clip shows (`training/heads.ts`). Two LoRAs of queries, keys and values, W' = W + A B
 * with A [in, r] and B [r, out], of which only those columns of B learn that belong to such heads:
 *
 *   look    the half of all heads that looks within frames, from pictures
 *   motion  the other half, from the clip, while the look acts frozen
 *
 * Weight decay is 0.1 and then 0.5, as there. What the paper does to be faster on long clips (fewer frames, adapted positions), and its
 * further loss, are left out. The motion alone is the concept with its identity at 0.
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
