import { lowRankLinear } from '../backends/low-rank-linear.ts';
import * as tf from '../backends/tf.ts';
import type { Hooks } from '../nn/hooks.ts';
import { linear } from '../nn/linear.ts';

/**
 * Which way round the paper's product A B (method.md: W' = W + A1 B1, W in R^{m x n}) is read, since it does not say.
 * 'output': y = W x, the basis A [out, r] spans what a layer writes; 'input': y = x W, the basis A [in, r] spans what it reads.
 */
export type BasisSide = 'output' | 'input';

/** A low-rank change of one linear layer: `basis` A [m, r] and `coefficients` B [r, n]; m is the layer's basis side. */
export type LowRank = { basis: tf.Tensor2D; coefficients: tf.Tensor2D };

/** [m, n] of a layer with weight [in, out]. */
export function basisShape(inSize: number, outSize: number, side: BasisSide): [m: number, n: number] {
  return side === 'output' ? [outSize, inSize] : [inSize, outSize];
}

/** Hooks that add a low-rank change to every layer named in `changes`, and leave the others as they are. */
export function lowRankHooks(changes: ReadonlyMap<string, LowRank>, side: BasisSide): Hooks {
  return {
    linear(path, base, x) {
      const change = changes.get(path);
      if (!change) return linear(base, x);
      return tf.tidy(() => {
        const { basis, coefficients } = change;
        const [down, up] =
          side === 'output' ? [tf.transpose(coefficients), tf.transpose(basis)] : [basis, coefficients]; // [in, r], [r, out]
        return lowRankLinear(x, base.weight, base.bias, down, up);
      });
    },
    scope(path) {
      const inside = [...changes].filter(([name]) => name.startsWith(`${path}.`));
      return {
        trainable: Object.fromEntries(inside),
        bind: (tensors) => lowRankHooks(new Map(Object.entries(tensors as Record<string, LowRank>)), side),
      };
    },
  };
}
