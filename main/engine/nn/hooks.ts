import { type CheckpointOptions, checkpoint } from '../backends/checkpoint.ts';
import type { TensorTree } from '../backends/tensor-tree.ts';
import type * as tf from '../backends/tf.ts';
import { type Linear, linear } from './linear.ts';
import type { Tree } from './tree.ts';

/**
 * How a forward pass lets others change a frozen model: every model takes `hooks` and every linear layer is
 * computed through them under its diffusers path (`blocks.3.attn1.to_q`, `blocks.0.ffn.net.0.proj`).
 */
export interface Hooks {
  /** Replaces the layer at `path`: x [..., in] -> [..., out]. Answer `linear(base, x)` for a layer left alone. */
  linear?(path: string, base: Linear, x: tf.Tensor): tf.Tensor;

  /**
   * For recomputing a block in the backward pass: the trainable tensors of the layers below `path` and these hooks bound to
   * stand-ins for them. Without it a hooked block keeps its activations.
   */
  scope?(path: string): HookScope;

  /**
   * The embeddings that the text encoder reads: ids [batch][tokens] and the embeddings looked up for them
   * [batch, tokens, width] -> [batch, tokens, width]. The place where learned tokens ([v], [u]) take their rows.
   */
  embedTokens?(ids: number[][], base: tf.Tensor): tf.Tensor;

  /** The tensors that `linear` computes with at paths that start with `prefix` (`blocks.3.`): what a block run as a unit must be given. */
  parameters?(prefix: string): TensorTree;

  /** The same hooks computing with other tensors at `prefix`, in the form that `parameters(prefix)` answered. */
  over?(prefix: string, parameters: TensorTree): Hooks;
}

export interface HookScope {
  trainable: Tree;
  bind(trainable: Tree): Hooks;
}

/** x [..., in] -> [..., out], through the hook if there is one. */
export function hookedLinear(hooks: Hooks | undefined, path: string, base: Linear, x: tf.Tensor): tf.Tensor {
  return hooks?.linear ? hooks.linear(path, base, x) : linear(base, x);
}

/**
 * Runs one block of a model as a unit (see `checkpoint`) with the hooks' own tensors among its inputs, so that gradients reach them.
 * `prefix` is the block's path with its dot, `blocks.3.`.
 */
export function hookedCheckpoint<I extends TensorTree>(
  block: (inputs: I, hooks: Hooks | undefined) => tf.Tensor,
  inputs: I,
  hooks: Hooks | undefined,
  prefix: string,
  options?: CheckpointOptions,
): tf.Tensor {
  if (!hooks?.parameters || !hooks.over) return checkpoint((given: I) => block(given, hooks), inputs, options);
  return checkpoint(
    (given: { inputs: I; parameters: TensorTree }) => block(given.inputs, hooks.over!(prefix, given.parameters)),
    { inputs, parameters: hooks.parameters(prefix) },
    options,
  );
}
