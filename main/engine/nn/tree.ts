import * as tf from '../backends/tf.ts';

/**
 * Nested parameters. The keys are those of the checkpoint (`blocks.3.attn1.to_q.weight` is
 * `tree.blocks[3].attn1.to_q.weight`), so that a tensor has one name in the file, in memory and in an adapter.
 * Declare parameter types with `type`, not `interface`, so that they are assignable to `Tree`.
 */
export type Tree = { [name: string]: tf.Tensor | Tree | undefined };

/** Every tensor with its dotted path, in the tree's own order. */
export function treeEntries(tree: Tree, prefix = ''): [path: string, tensor: tf.Tensor][] {
  return Object.entries(tree).flatMap(([name, value]): [string, tf.Tensor][] => {
    if (value === undefined) return [];
    const path = prefix ? `${prefix}.${name}` : name;
    return value instanceof tf.Tensor ? [[path, value]] : treeEntries(value, path);
  });
}

/** Every tensor of the tree, in the order of `treeEntries`. */
function treeTensors(tree: Tree): tf.Tensor[] {
  return treeEntries(tree).map(([, tensor]) => tensor);
}

/** The tree whose tensors have these dotted paths. Throws when one path is a prefix of another. */
export function treeFromEntries(entries: Iterable<readonly [path: string, tensor: tf.Tensor]>): Tree {
  const tree: Tree = {};
  for (const [path, tensor] of entries) {
    const names = path.split('.');
    const last = names.pop()!;
    let branch = tree;
    for (const name of names) {
      const next = branch[name] ?? {};
      if (next instanceof tf.Tensor) throw new Error(`"${path}" lies below a tensor at "${name}"`);
      branch[name] = next;
      branch = next;
    }
    if (branch[last] !== undefined) throw new Error(`"${path}" is there twice`);
    branch[last] = tensor;
  }
  return tree;
}

/** A tree of the same shape with every tensor replaced. The tensors given to `change` stay the caller's. */
export function mapTree<T extends Tree>(tree: T, change: (tensor: tf.Tensor, path: string) => tf.Tensor): T {
  return treeFromEntries(treeEntries(tree).map(([path, tensor]) => [path, change(tensor, path)])) as T;
}

/** Frees every tensor of the tree. */
export function disposeTree(tree: Tree): void {
  for (const tensor of treeTensors(tree)) tensor.dispose();
}

/** How many numbers the tree holds. */
export function countParameters(tree: Tree): number {
  return treeTensors(tree).reduce((sum, tensor) => sum + tensor.size, 0);
}
