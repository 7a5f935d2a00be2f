import type * as tf from '../backends/tf.ts';
import { type Tree, treeEntries } from '../nn/tree.ts';

/** A linear layer that an adapter changes: its diffusers path and the sizes of its weight. */
export type TargetLayer = { path: string; inSize: number; outSize: number };

/**
 * The linear layers of a model whose path ends with one of `endings` (`attn1.to_q`), in the model's order.
 * `parameters` is the model's tree, in which a linear layer is a node with a 2D `weight` [in, out].
 * Throws RangeError for an ending that no layer has.
 */
export function targetLayers(parameters: Tree, endings: readonly string[]): TargetLayer[] {
  const linears = allLinearLayers(parameters);
  const matches = (path: string, ending: string) => path === ending || path.endsWith(`.${ending}`);
  for (const ending of endings) {
    if (!linears.some(({ path }) => matches(path, ending)))
      throw new RangeError(`no linear layer of the model ends with "${ending}"`);
  }
  return linears.filter(({ path }) => endings.some((ending) => matches(path, ending)));
}

/** Every linear layer of a model. */
export function allLinearLayers(parameters: Tree): TargetLayer[] {
  return treeEntries(parameters)
    .filter(([path, tensor]) => path.endsWith('.weight') && tensor.rank === 2)
    .map(([path, tensor]) => {
      const [inSize, outSize] = (tensor as tf.Tensor2D).shape;
      return { path: path.slice(0, -'.weight'.length), inSize, outSize };
    });
}
