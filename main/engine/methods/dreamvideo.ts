import { appearanceSize } from '../adapters/appearance.ts';
import type { Part } from '../adapters/parts.ts';
import { type Method, stage } from './method.ts';

/**
 * DreamVideo (Wei et al., arXiv 2312.04433) on a transformer. Three parts are learned one after the other,
 * each alone, and act together only when sampling. With d the model's width, h the recipe's rank (at most d /
 * 2, which the paper takes) and e [2 * channels] how a picture looks:
 *
 *   words     the special tokens' rows, from pictures
 *   identity  f(x) = GELU(x W_down + b_down) W_up + b_up beside attn2 (to the prompt) of every block, from pictures under the words
 *   motion    f(x + e W_cond + b_cond) beside attn1 and ffn, from clips under the plain dynamic caption; e of a random frame, or blank
 *
 * W_down [d, h], W_up [h, d], W_cond [2 * channels, d]. The paper's places are cross-attention for the
 * identity and all temporal layers for the motion; here space and time are one. It reads the residual stream;
 * by default what the sub-layer reads is read here, whose size does not grow with depth (`branchPlace`). e is
 * of latents, not of CLIP, which no checkpoint brings along.
 */
export const dreamvideo: Method = {
  parts({ blocks, width, latentChannels }, { rank, branchPlace: place = 'normed' }) {
    const beside = (names: readonly string[], appearance: number): Part => ({
      kind: 'bottleneck',
      shape: {
        paths: blocks.flatMap((block) => names.map((name) => `${block}.${name}`)),
        width,
        hidden: Math.min(rank, Math.floor(width / 2)),
        appearance,
        place,
      },
    });
    return {
      identity: { ...beside(['attn2'], 0), slider: 'identity' },
      motion: { ...beside(['attn1', 'ffn'], appearanceSize(latentChannels)), slider: 'motion' },
    };
  },
  stages(recipe, { moving, tokensLearn }) {
    const { stepsIdentity, stepsMotion } = recipe;
    const adapter = ['down.weight', 'down.bias', 'up.weight', 'up.bias'];
    return [
      ...(tokensLearn
        ? [stage(recipe, { label: 'words', steps: stepsIdentity, trains: { words: ['rows'] }, pictureShare: 1 })]
        : []),
      stage(recipe, { label: 'identity', steps: stepsIdentity, trains: { identity: adapter }, pictureShare: 1 }),
      stage(recipe, {
        label: 'motion',
        steps: moving ? stepsMotion : 0,
        trains: { motion: [...adapter, 'cond.weight', 'cond.bias'] },
        clipText: 'motion',
        blankAppearance: 0.5,
      }),
    ];
  },
};
