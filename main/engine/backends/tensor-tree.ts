import type * as tf from './tf.ts';

/** Trees are tensors in nested arrays and objects; places without a tensor may be undefined or null. */
function isTensor(tree: unknown): tree is tf.Tensor {
  return typeof tree === 'object' && tree !== null && 'dataId' in tree && 'dtype' in tree;
}

/** The tensors of a tree in a fixed order: arrays by index, objects by insertion. */
export function leaves(tree: unknown, path = '', found: { path: string; tensor: tf.Tensor }[] = []) {
  if (isTensor(tree)) found.push({ path, tensor: tree });
  else if (tree !== undefined && tree !== null) {
    if (typeof tree !== 'object')
      throw new Error(`expected tensors, found ${typeof tree} at ${path || 'the root'}: pass a number as tf.scalar`);
    for (const [name, child] of Object.entries(tree)) leaves(child, path ? `${path}.${name}` : name, found);
  }
  return found;
}

/** The same tree with each tensor replaced, in the order of `leaves`. */
export function mapLeaves<T>(tree: T, replace: (tensor: tf.Tensor, index: number) => tf.Tensor): T {
  let index = 0;
  const visit = (node: unknown): unknown => {
    if (isTensor(node)) return replace(node, index++);
    if (Array.isArray(node)) return node.map(visit);
    if (node === undefined || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, visit(child)]));
  };
  return visit(tree) as T;
}
