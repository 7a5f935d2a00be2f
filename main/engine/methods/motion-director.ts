import { targetLayers } from '../adapters/target-layers.ts';
import { type Method, requireMotion, stage } from './method.ts';

/**
 * MotionDirector (Zhao et al., arXiv 2310.08465) on a transformer: two LoRAs W' = W + A B, A [m, r], B [r, n]. The look's, of attention to the prompt and
 * the feed-forward layers, learns from pictures; the motion's, of self-attention, from the clip while the look acts frozen. With e_i the
 * error of the velocity at latent frame i and j a random frame, the motion's loss is, beside mean(e_i^2),
 *
 *   mean((sqrt(b^2 + 1) e_i - b e_j)^2),  b = 1,
 *
 * in which what all frames share weighs less. The paper trains both in every step and has spatial and temporal layers for them; here they are
 * stages, one after the other. The motion alone is the concept with its identity at 0.
 */
export const motionDirector: Method = {
  parts({ layers }, { targetLayers: names, rank, basisSide }) {
    const all = targetLayers(layers, names);
    const [look, motion] = [all.filter((layer) => !isSelfAttention(layer)), all.filter(isSelfAttention)];
    if (look.length === 0 || motion.length === 0)
      throw new RangeError('MotionDirector needs layers of self-attention (attn1) and others among those that learn');
    return {
      look: { kind: 'low-rank', shape: { layers: look, rank, basisSide }, slider: 'identity' },
      motion: { kind: 'low-rank', shape: { layers: motion, rank, basisSide }, slider: 'motion' },
    };
  },
  stages(recipe, material) {
    requireMotion('MotionDirector', material);
    const matrices = ['basis', 'coefficients'];
    return [
      stage(recipe, { label: 'identity', steps: recipe.stepsIdentity, trains: { look: matrices }, pictureShare: 1 }),
      stage(recipe, {
        label: 'motion',
        steps: recipe.stepsMotion,
        trains: { motion: matrices },
        acts: ['look'],
        debiased: 1,
      }),
    ];
  },
};

const isSelfAttention = ({ path }: { path: string }) => path.includes('.attn1.');
