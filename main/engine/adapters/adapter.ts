import type { Hooks } from '../nn/hooks.ts';
import type { Tree } from '../nn/tree.ts';

/** A learned change to a frozen model, given to a forward pass as its hooks. */
export interface Adapter extends Hooks {
  /** What an optimiser may move. */
  trainable: Tree;
}
