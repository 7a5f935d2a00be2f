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

/** x [..., in] -> the change A B applied to it [..., out] */
export function applyLowRank({ basis, coefficients }: LowRank, side: BasisSide, x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const inSize = x.shape[x.shape.length - 1]!;
    const rows = tf.reshape(x, [-1, inSize]); // [rows, in]
    const inner =
      side === 'output' ? tf.matMul(rows, coefficients, false, true) : (tf.matMul(rows, basis) as tf.Tensor); // [rows, r]
    const changed = side === 'output' ? tf.matMul(inner, basis, false, true) : tf.matMul(inner, coefficients); // [rows, out]
    return tf.reshape(changed, [...x.shape.slice(0, -1), changed.shape[1]!]);
  });
}

/** Hooks that add a low-rank change to every layer named in `changes`, and leave the others as they are. */
export function lowRankHooks(changes: ReadonlyMap<string, LowRank>, side: BasisSide): Hooks {
  return {
    linear(path, base, x) {
      const change = changes.get(path);
      if (!change) return linear(base, x);
      return tf.tidy(() => tf.add(linear(base, x), applyLowRank(change, side, x)));
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
