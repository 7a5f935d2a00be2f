import { gelu } from '../backends/fused.ts';
import { lowRankLinear } from '../backends/low-rank-linear.ts';
import * as tf from '../backends/tf.ts';
import type { Hooks } from '../nn/hooks.ts';
import { type Linear, linear } from '../nn/linear.ts';
import type { Tree } from '../nn/tree.ts';

/**
 * Which way round a product A B is read as a change of a weight (Set-and-Sequence: W' = W + A1 B1, W in R^{m x n}), since the paper does
 * not say. 'output': y = W x, the basis A [out, r] spans what a layer writes; 'input': y = x W, the basis A [in, r] spans what it reads.
 */
export type BasisSide = 'output' | 'input';

/** A low-rank change of one linear layer: `basis` A [m, r] and `coefficients` B [r, n]; m is the layer's basis side. */
export type LowRank = { basis: tf.Tensor2D; coefficients: tf.Tensor2D; side: BasisSide };

/**
 * A bottleneck beside a sub-layer of width d: f(x) = GELU((x + shift) W_down + b_down) W_up + b_up (DreamVideo, arXiv 2312.04433).
 * Where it stands, with s the residual stream, n what the sub-layer reads of it (normalised), y what it answers and g its gate:
 * 'stream' s + g y + f(s), as in the paper; 'normed' s + g y + f(n); 'gated' s + g (y + f(n)).
 */
export type Bottleneck = {
  down: Linear /* [d, h] */;
  up: Linear /* [h, d] */;
  /** What is added to all places of a row before: [batch, 1, d]. */
  shift?: tf.Tensor;
  /** f times 2 sigmoid(t W_level + b_level), t [batch, d] of the noise level: a weight for each row (DualReal, [d, 1]). */
  level?: Linear;
  place: BottleneckPlace;
};
export type BottleneckPlace = 'stream' | 'normed' | 'gated';

/** What is added to a frozen model, by the path of the layer or sub-layer that it is added to. */
export type Additions = {
  /** W + A B */
  lowRank?: ReadonlyMap<string, LowRank>;
  /** W + D, D [in, out] */
  dense?: ReadonlyMap<string, tf.Tensor2D>;
  /** By sub-layer: `blocks.3.attn2`. */
  branches?: ReadonlyMap<string, Bottleneck>;
};

/** [m, n] of a layer with weight [in, out]. */
export function basisShape(inSize: number, outSize: number, side: BasisSide): [m: number, n: number] {
  return side === 'output' ? [outSize, inSize] : [inSize, outSize];
}

/**
 * Any number of additions as the hooks of a forward pass; layers that none of them names stay as they are. Differentiable in every tensor;
 * the tensors stay the caller's.
 *
 * Low-rank changes of one layer become one by setting their factors side by side, A B + A' B' = [A A'] [B; B'], so that its gradient stays
 * the fused one of `lowRankLinear`.
 */
export function hooksOf(additions: readonly Additions[]): Hooks {
  const some = (kind: keyof Additions) => additions.some((each) => each[kind] !== undefined && each[kind].size > 0);
  const of = <K extends keyof Additions>(kind: K, path: string) =>
    additions.flatMap((each) => each[kind]?.get(path) ?? []) as AdditionAt<K>[];
  return {
    ...(some('lowRank') || some('dense')
      ? { linear: (path, base, x) => changedLinear(base, x, of('lowRank', path), of('dense', path)) }
      : {}),
    ...(some('branches')
      ? {
          branch(path, stream, normed, modulation) {
            const branches = of('branches', path);
            const before = branches
              .filter(({ place }) => place === 'gated')
              .map((each) => bottleneck(each, normed, modulation));
            const after = branches
              .filter(({ place }) => place !== 'gated')
              .map((each) => bottleneck(each, each.place === 'stream' ? stream : normed, modulation));
            return { before: sumOf(before), after: sumOf(after) };
          },
        }
      : {}),
    scope(path) {
      const inside = additions.map((each) => below(each, `${path}.`));
      return {
        trainable: Object.fromEntries(inside.map((each, index) => [index, tensorsOf(each)])),
        bind: (tensors) => hooksOf(inside.map((each, index) => withTensors(each, tensors[index] as AdditionTensors))),
      };
    },
  };
}

type AdditionAt<K extends keyof Additions> = NonNullable<Additions[K]> extends ReadonlyMap<string, infer T> ? T : never;

/** x [..., in] -> [..., out] */
function changedLinear(base: Linear, x: tf.Tensor, lowRank: LowRank[], dense: tf.Tensor2D[]): tf.Tensor {
  if (lowRank.length === 0 && dense.length === 0) return linear(base, x);
  return tf.tidy(() => {
    const factors = lowRank.map(({ basis, coefficients, side }) =>
      side === 'output'
        ? { down: tf.transpose(coefficients), up: tf.transpose(basis) }
        : { down: basis, up: coefficients },
    ); // [in, r] and [r, out] each
    const [first, ...others] = factors;
    const down =
      others.length > 0
        ? tf.concat2d(
            factors.map((each) => each.down),
            1,
          )
        : first?.down; // [in, sum of r]
    const up =
      others.length > 0
        ? tf.concat2d(
            factors.map((each) => each.up),
            0,
          )
        : first?.up; // [sum of r, out]
    if (dense.length === 0) return lowRankLinear(x, base.weight, base.bias, down!, up!);
    const product = down && up ? [tf.matMul(down, up)] : [];
    const weight = [...dense, ...product].reduce<tf.Tensor2D>((sum, each) => tf.add(sum, each), base.weight);
    return linear({ weight, bias: base.bias }, x);
  });
}

/** x [batch, tokens, d], modulation [batch, ranges, 6, d] -> [batch, tokens, d] */
export function bottleneck({ down, up, shift, level }: Bottleneck, x: tf.Tensor, modulation?: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const added = linear(up, gelu(linear(down, shift ? tf.add(x, shift) : x)));
    if (!level) return added;
    if (!modulation)
      throw new Error('this model says nothing of the noise level to what is added beside its sub-layers');
    return tf.mul(added, tf.mul(tf.sigmoid(linear(level, levelOf(modulation))), 2));
  });
}

/** What a block is told of the noise level, as its first shift: of the last range, which is not a given first frame's. -> [batch, 1, d] */
function levelOf(modulation: tf.Tensor): tf.Tensor {
  const [batch, ranges, , size] = modulation.shape as [number, number, number, number];
  return tf.reshape(tf.slice(modulation, [0, ranges - 1, 0, 0], [batch, 1, 1, size]), [batch, 1, size]);
}

function sumOf(tensors: tf.Tensor[]): tf.Tensor | undefined {
  return tensors.length > 0 ? tensors.reduce((sum, each) => tf.add(sum, each)) : undefined;
}

function below({ lowRank, dense, branches }: Additions, prefix: string): Additions {
  const inside = <T>(map: ReadonlyMap<string, T> | undefined) =>
    map && new Map([...map].filter(([path]) => path.startsWith(prefix)));
  return { lowRank: inside(lowRank), dense: inside(dense), branches: inside(branches) };
}

/** The tensors of additions, for a block to be computed again with stand-ins. */
type AdditionTensors = {
  lowRank: { [path: string]: { basis: tf.Tensor; coefficients: tf.Tensor } };
  dense: { [path: string]: tf.Tensor };
  branches: { [path: string]: { down: Linear; up: Linear; shift?: tf.Tensor; level?: Linear } };
};

function tensorsOf({ lowRank, dense, branches }: Additions): Tree {
  return {
    lowRank: mapped(lowRank, ({ basis, coefficients }) => ({ basis, coefficients })),
    dense: mapped(dense, (change) => change),
    branches: mapped(branches, ({ down, up, shift, level }) => ({ down, up, shift, level })),
  } satisfies AdditionTensors as Tree;
}

function withTensors({ lowRank, dense, branches }: Additions, tensors: AdditionTensors): Additions {
  const replaced = <T>(map: ReadonlyMap<string, T> | undefined, replace: (path: string, old: T) => T) =>
    map && new Map([...map].map(([path, old]) => [path, replace(path, old)]));
  return {
    lowRank: replaced(lowRank, (path, old) => ({ ...old, ...tensors.lowRank[path] }) as LowRank),
    dense: replaced(dense, (path) => tensors.dense[path] as tf.Tensor2D),
    branches: replaced(branches, (path, old) => ({ ...old, ...tensors.branches[path] })),
  };
}

function mapped<T, U>(map: ReadonlyMap<string, T> | undefined, change: (item: T) => U): { [path: string]: U } {
  return Object.fromEntries([...(map ?? [])].map(([path, item]) => [path, change(item)]));
}
