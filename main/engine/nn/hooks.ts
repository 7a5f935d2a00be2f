import type * as tf from '../backends/tf.ts';
import { type Linear, linear } from './linear.ts';

/**
 * How a forward pass lets others change a frozen model: every model takes `hooks` and every linear layer is
 * computed through them under its diffusers path (`blocks.3.attn1.to_q`, `blocks.0.ffn.net.0.proj`).
 */
export interface Hooks {
  /** Replaces the layer at `path`: x [..., in] -> [..., out]. Answer `linear(base, x)` for a layer left alone. */
  linear?(path: string, base: Linear, x: tf.Tensor): tf.Tensor;

  /**
   * The embeddings that the text encoder reads: ids [batch][tokens] and the embeddings looked up for them
   * [batch, tokens, width] -> [batch, tokens, width]. The place where learned tokens ([v], [u]) take their rows.
   */
  embedTokens?(ids: number[][], base: tf.Tensor): tf.Tensor;
}

/** x [..., in] -> [..., out], through the hook if there is one. */
export function hookedLinear(hooks: Hooks | undefined, path: string, base: Linear, x: tf.Tensor): tf.Tensor {
  return hooks?.linear ? hooks.linear(path, base, x) : linear(base, x);
}
