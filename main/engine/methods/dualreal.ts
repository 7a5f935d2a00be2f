import { appearanceSize } from '../adapters/appearance.ts';
import type { Part } from '../adapters/parts.ts';
import { type Method, requireMotion, stage } from './method.ts';

/** As many groups of blocks as the paper weighs apart. */
const groups = 7;

/**
 * DualReal (Wang et al., arXiv 2505.02192): the two adapters of DreamVideo, learned together so that each knows the other. With d the model's
 * width, h the recipe's rank, e [2 * channels] how a picture looks, n what a sub-layer reads and t [d] what the noise level adds to it,
 * beside attn1 and ffn of every block, before the gate:
 *
 *   identity  w f(n),                   f(x) = GELU(x W_down + b_down) W_up + b_up
 *   motion    w f(n + e W_cond + b_cond)
 *   w = 2 sigmoid(t . v / sqrt(d) + b), of each of 7 groups of blocks, v [d]
 *
 * A step learns the identity from pictures or, with as much probability (`pictureShare`, 0.5), the motion from the clip under the plain
 * dynamic caption; the other acts, and stays. There one controller, which sees pooled features too, gives w to the identity and 1 - w to
 * the motion; here each has a weight of its own of the noise level, so that it can be put beside the other of another concept.
 */
export const dualreal: Method = {
  parts({ blocks, width, latentChannels }, { rank, branchPlace: place = 'gated' }) {
    const paths = blocks.flatMap((block) => ['attn1', 'ffn'].map((name) => `${block}.${name}`));
    const hidden = Math.min(rank, Math.floor(width / 2));
    const beside = (appearance: number): Part => ({
      kind: 'bottleneck',
      shape: { paths, width, hidden, appearance, place, groups: Math.min(groups, blocks.length) },
    });
    return {
      identity: { ...beside(0), slider: 'identity' },
      motion: { ...beside(appearanceSize(latentChannels)), slider: 'motion' },
    };
  },
  stages(recipe, material) {
    requireMotion('DualReal', material);
    const adapter = ['down.weight', 'down.bias', 'up.weight', 'up.bias', 'level.weight', 'level.bias'];
    return [
      stage(recipe, {
        label: 'identity and motion',
        steps: recipe.stepsMotion,
        trains: { identity: adapter, motion: [...adapter, 'cond.weight', 'cond.bias'] },
        trainsFrom: { pictures: ['identity'], clips: ['motion'] },
        acts: ['identity', 'motion'],
        pictureShare: recipe.pictureShare ?? 0.5,
        clipText: 'motion',
        blankAppearance: 0.5,
      }),
    ];
  },
};
