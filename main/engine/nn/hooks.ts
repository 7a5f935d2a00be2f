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
   * What is added beside the sub-layer at `path` (`blocks.3.attn2`): `before` to its answer, which its gate then weighs, `after` to the
   * residual stream behind the gate. stream and normed [batch, tokens, size], the residual stream and what the sub-layer reads of it;
   * modulation [batch, ranges, 6, size], what blocks are told of the noise level, where the model has that.
   */
  branch?(path: string, stream: tf.Tensor, normed: tf.Tensor, modulation?: tf.Tensor): Branch;

  /**
   * Shows queries and keys of the self-attention at `path` (`blocks.3.attn1`), as they are compared [batch, tokens, heads * size]. What is
   * to outlive the forward pass is kept by whoever looks.
   */
  attention?(path: string, q: tf.Tensor, k: tf.Tensor, heads: number): void;

  /**
   * For recomputing a block in the backward pass: the trainable tensors of the layers and branches below `path` and these hooks bound to
   * stand-ins for them. Without it a hooked block keeps its activations.
   */
  scope?(path: string): HookScope;

  /**
   * The embeddings that the text encoder reads: ids [batch][tokens] and the embeddings looked up for them
   * [batch, tokens, width] -> [batch, tokens, width]. The place where learned tokens ([v], [u]) take their rows.
   */
  embedTokens?(ids: number[][], base: tf.Tensor): tf.Tensor;
}

/** As the stream; what is left out adds nothing. */
type Branch = { before?: tf.Tensor; after?: tf.Tensor };

interface HookScope {
  trainable: Tree;
  bind(trainable: Tree): Hooks;
}

/** x [..., in] -> [..., out], through the hook if there is one. */
export function hookedLinear(hooks: Hooks | undefined, path: string, base: Linear, x: tf.Tensor): tf.Tensor {
  return hooks?.linear ? hooks.linear(path, base, x) : linear(base, x);
}
