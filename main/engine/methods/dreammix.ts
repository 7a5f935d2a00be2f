import { oneLora } from './lora.ts';
import type { Method } from './method.ts';

/**
 * Mixed training of Dreamix (Molad et al., arXiv 2302.01329), with a LoRA for its fine-tuned weights, as Set-and-Sequence compares itself with it
 * ("DreamMix"): W' = W + A B, A [m, r], B [r, n]. A step learns either from the whole clip or, with the probability of the recipe's
 * `pictureShare` (default 0.5, the paper's is not known), from its frames as single pictures, so that the motion stays editable.
 */
export const dreammix: Method = oneLora(({ pictureShare = 0.5 }) => pictureShare);
