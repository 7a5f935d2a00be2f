import { checkpoint } from '../../backends/checkpoint.ts';
import { attention, gelu, layerNorm, rmsNorm, rotary } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { type Hooks, hookedLinear } from '../../nn/hooks.ts';
import type { Linear } from '../../nn/linear.ts';
import { rotaryTables, timestepFeatures } from '../../nn/positions.ts';
import type { DenoiserInputs, DenoiserOptions } from '../video-model.ts';
import { patchify, unpatchify } from './patches.ts';
import type { TransformerConfig } from './transformer-config.ts';

/**
 * The denoiser of Wan (WanTransformer3DModel in diffusers): a transformer over patches of video latents with
 * rotary positions in time, height and width, cross-attention to the prompt, and normalisation modulated by the
 * timestep. Latents are [batch, channels, frames, height, width], token sequences [batch, tokens, size],
 * tokens in (frame, row, column) order.
 */

type Attention = {
  to_q: Linear;
  to_k: Linear;
  to_v: Linear;
  to_out: { 0: Linear };
  norm_q: { weight: tf.Tensor1D };
  norm_k: { weight: tf.Tensor1D };
};

type Norm = { weight: tf.Tensor1D; bias: tf.Tensor1D };
type FeedForward = { net: { 0: { proj: Linear }; 2: Linear } };

/** Keys and values of a picture's tokens, beside those of the prompt's. */
type ImageAttention = { add_k_proj: Linear; add_v_proj: Linear; norm_added_k: { weight: tf.Tensor1D } };

type Block = {
  scale_shift_table: tf.Tensor3D; // [1, 6, size]
  attn1: Attention;
  norm2?: Norm;
  attn2: Attention & Partial<ImageAttention>;
  ffn: FeedForward;
};

export type TransformerParameters = {
  patch_embedding: Linear; // [channels * patch, size]
  condition_embedder: {
    time_embedder: { linear_1: Linear; linear_2: Linear };
    time_proj: Linear;
    text_embedder: { linear_1: Linear; linear_2: Linear };
    image_embedder?: { norm1: Norm; ff: FeedForward; norm2: Norm };
  };
  blocks: { [index: string]: Block };
  scale_shift_table: tf.Tensor3D; // [1, 2, size]
  proj_out: Linear;
};

export interface TransformerOptions extends Omit<DenoiserOptions, 'inferenceOnly'> {
  /**
   * Compile all blocks as one program instead of one that all share. Without gradients that is a tenth
   * faster (8 blocks of 256 wide, two clips of 320 tokens: 1.4 s of processor time for 8 steps against 1.6),
   * but the time to compile grows with depth.
   */
  together?: boolean;
  /** Compile each block apart, however few there are: weights that are expanded or streamed are then in memory a block at a time. */
  apart?: boolean;
}

/** timesteps (0 to 1000) [batch] -> sinusoidal features [batch, freq_dim] */
export function timeFeatures(config: TransformerConfig, timesteps: readonly number[]): tf.Tensor2D {
  return timestepFeatures(timesteps, config.freq_dim);
}

/** Predicts the flow (noise minus clean latents): inputs -> [batch, out_channels, frames, height, width] */
export function wanTransformer(
  config: TransformerConfig,
  parameters: TransformerParameters,
  { latents, timestep, text, image }: DenoiserInputs,
  { hooks, recompute = false, together = false, apart = false }: TransformerOptions = {},
): tf.Tensor {
  return tf.tidy(() => {
    const { num_attention_heads: heads, eps } = config;
    const size = heads * config.attention_head_dim;
    const [batch, channels, ...extent] = latents.shape as [number, number, number, number, number];
    if (channels !== config.in_channels)
      throw new Error(`the transformer takes ${config.in_channels} channels, found latents [${latents.shape}]`);
    const grid = extent.map((length, axis) => length / config.patch_size[axis]!) as [number, number, number];
    if (!grid.every(Number.isInteger))
      throw new Error(`latents [${latents.shape}] cannot be cut into patches [${config.patch_size}]`);
    const positions = rotaryTables(config.attention_head_dim, grid);

    const embedder = 'condition_embedder';
    const { time_embedder, time_proj, text_embedder, image_embedder } = parameters.condition_embedder;
    if (!image !== !image_embedder)
      throw new Error(
        `the transformer ${image ? 'takes no picture, and one was' : 'takes a picture, and none was'} given`,
      );
    // The first latent frame and the rest have timesteps of their own, or all have one.
    const ranges = timestep.rank === 3 ? 2 : 1;
    const embedding = mlp(hooks, `${embedder}.time_embedder`, time_embedder, timestep, silu); // [batch, (2,) size]
    const projection = hookedLinear(hooks, `${embedder}.time_proj`, time_proj, silu(embedding)); // [batch, (2,) 6 * size]
    const modulation = tf.reshape(projection, [batch, ranges, 6, size]);
    const context: Context = {
      text: mlp(hooks, `${embedder}.text_embedder`, text_embedder, text, (x) => gelu(x, 'tanh')),
      ...(image && { image: embedImage(hooks, `${embedder}.image_embedder`, image_embedder!, image) }),
    };

    const patches = patchify(latents, config.patch_size); // [batch, tokens, channels * patch]
    let hidden = hookedLinear(hooks, 'patch_embedding', parameters.patch_embedding, patches); // [batch, tokens, size]
    const blocks = Object.entries(parameters.blocks).map(([index, block]) => ({ block, path: `blocks.${index}` }));
    if (ranges === 2 && config.patch_size[0] !== 1) throw new Error('a patch reaches beyond the first latent frame');
    const about = { heads, eps, firstTokens: grid[1] * grid[2] };
    if (together)
      for (const each of blocks)
        hidden = transformerBlock(hidden, context, modulation, { ...about, ...each, positions, hooks });
    else
      for (const unit of unitsOf(blocks, recompute || apart ? 1 : unitSize)) {
        const scopes = unit.map(({ path }) => (recompute ? hooks?.scope?.(path) : undefined));
        hidden = checkpoint(
          (inputs, constants) =>
            unit.reduce((hidden, each, index) => {
              const own = scopes[index] ? scopes[index].bind(inputs.trainable[index]!) : hooks;
              return transformerBlock(hidden, inputs.context, inputs.modulation, {
                ...about,
                ...each,
                positions: constants,
                hooks: own,
              });
            }, inputs.hidden),
          { hidden, context, modulation, trainable: scopes.map((scope) => scope?.trainable ?? {}) },
          {
            recompute: recompute && (!(hooks?.linear || hooks?.branch) || scopes.every(Boolean)),
            constants: positions,
            apart,
          },
        );
      }

    const table = tf.add(parameters.scale_shift_table, tf.reshape(embedding, [batch, ranges, 1, size]));
    const [shift, scale] = modulationParts(table);
    const normed = modulate(layerNorm(hidden, undefined, undefined, eps), shift!, scale!, about.firstTokens);
    const output = hookedLinear(hooks, 'proj_out', parameters.proj_out, normed); // [batch, tokens, patch * out_channels]
    return unpatchify(output, config.patch_size, grid);
  });
}

/**
 * So many blocks are one unit where a deep graph is cut: what crosses a cut is written out in float32 and
 * read again. 16 layers with OpenVINO in bfloat16 took 1.16 of the time of the whole graph in pairs, 1.29 in
 * single blocks, and 1.13 in fours, whose first step took 1.2 times as long as that of pairs and 1.27 of
 * their memory (test/bench/history.md).
 */
const unitSize = 2;

function unitsOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

interface BlockContext {
  block: Block;
  path: string;
  heads: number;
  eps: number;
  /** Tokens of the first latent frame. */
  firstTokens: number;
  positions: { cos: tf.Tensor; sin: tf.Tensor };
  hooks: Hooks | undefined;
}

/** What cross-attention reads: [batch, text tokens, size], and [batch, image tokens, size] of models that take a picture. */
type Context = { text: tf.Tensor; image?: tf.Tensor };

/** hidden [batch, tokens, size], modulation [batch, ranges, 6, size] -> as hidden */
function transformerBlock(hidden: tf.Tensor, context: Context, modulation: tf.Tensor, about: BlockContext): tf.Tensor {
  return tf.tidy(() => {
    const { block, path, heads, eps, firstTokens, hooks, positions } = about;
    const [shift1, scale1, gate1, shift2, scale2, gate2] = modulationParts(
      tf.add(block.scale_shift_table, modulation),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // each [batch, ranges, size]

    const attend = (name: 'attn1' | 'attn2', queries: tf.Tensor, source: tf.Tensor, image?: tf.Tensor) => {
      const parts: Block['attn2'] = block[name];
      const at = `${path}.${name}`;
      let query = rmsNorm(hookedLinear(hooks, `${at}.to_q`, parts.to_q, queries), parts.norm_q.weight, eps);
      let key = rmsNorm(hookedLinear(hooks, `${at}.to_k`, parts.to_k, source), parts.norm_k.weight, eps);
      const value = hookedLinear(hooks, `${at}.to_v`, parts.to_v, source);
      if (name === 'attn1') {
        query = rotary(query, positions.cos, positions.sin, { heads });
        key = rotary(key, positions.cos, positions.sin, { heads });
        hooks?.attention?.(at, query, key, heads);
      }
      let mixed = attention(query, key, value, { heads });
      if (image) {
        // The same queries look at the picture by themselves, and what they find there is added.
        const { add_k_proj, add_v_proj, norm_added_k } = parts as ImageAttention;
        const imageKey = rmsNorm(hookedLinear(hooks, `${at}.add_k_proj`, add_k_proj, image), norm_added_k.weight, eps);
        const imageValue = hookedLinear(hooks, `${at}.add_v_proj`, add_v_proj, image);
        mixed = tf.add(mixed, attention(query, imageKey, imageValue, { heads }));
      }
      return hookedLinear(hooks, `${at}.to_out.0`, parts.to_out[0], mixed);
    };

    /** The residual stream with a sub-layer's output, gated, and with what hooks add beside it. */
    const residual = (
      name: 'attn1' | 'attn2' | 'ffn',
      stream: tf.Tensor,
      normed: tf.Tensor,
      output: tf.Tensor,
      gate?: tf.Tensor,
    ) => {
      const { before, after } = hooks?.branch?.(`${path}.${name}`, stream, normed, modulation) ?? {};
      const whole = before ? tf.add(output, before) : output;
      const joined = tf.add(stream, gate ? applyGate(whole, gate, firstTokens) : whole);
      return after ? tf.add(joined, after) : joined;
    };

    const normed1 = modulate(layerNorm(hidden, undefined, undefined, eps), shift1, scale1, firstTokens);
    const selfAttended = residual('attn1', hidden, normed1, attend('attn1', normed1, normed1), gate1);

    const { norm2 } = block;
    const normed2 = norm2 ? layerNorm(selfAttended, norm2.weight, norm2.bias, eps) : selfAttended;
    const crossAttended = residual(
      'attn2',
      selfAttended,
      normed2,
      attend('attn2', normed2, context.text, context.image),
    );

    const normed3 = modulate(layerNorm(crossAttended, undefined, undefined, eps), shift2, scale2, firstTokens);
    const inner = gelu(hookedLinear(hooks, `${path}.ffn.net.0.proj`, block.ffn.net[0].proj, normed3), 'tanh');
    const output = hookedLinear(hooks, `${path}.ffn.net.2`, block.ffn.net[2], inner);
    return residual('ffn', crossAttended, normed3, output, gate2);
  });
}

/** [batch, ranges, n, size] -> n tensors [batch, ranges, size] */
function modulationParts(table: tf.Tensor): tf.Tensor[] {
  const [batch, ranges, count, size] = table.shape as [number, number, number, number];
  return tf.split(table, count, 2).map((part) => tf.reshape(part, [batch, ranges, size]));
}

/** x [batch, tokens, size], shift and scale [batch, ranges, size] -> as x */
function modulate(x: tf.Tensor, shift: tf.Tensor, scale: tf.Tensor, firstTokens: number): tf.Tensor {
  return overRanges(x, [shift, scale], firstTokens, (tokens, [shift, scale]) =>
    tf.add(tf.mul(tokens, tf.add(scale!, 1)), shift!),
  );
}

/** x [batch, tokens, size], gate [batch, ranges, size] -> as x */
function applyGate(x: tf.Tensor, gate: tf.Tensor, firstTokens: number): tf.Tensor {
  return overRanges(x, [gate], firstTokens, (tokens, [gate]) => tf.mul(tokens, gate!));
}

/**
 * Computes the tokens of each range with its modulation, [batch, 1, size] each: all of them, or those of the first
 * latent frame and the rest.
 */
function overRanges(
  x: tf.Tensor,
  modulation: tf.Tensor[],
  firstTokens: number,
  compute: (tokens: tf.Tensor, modulation: tf.Tensor[]) => tf.Tensor,
): tf.Tensor {
  if (modulation[0]!.shape[1] === 1) return compute(x, modulation);
  const tokens = x.shape[1]!;
  if (tokens <= firstTokens)
    return compute(
      x,
      modulation.map((part) => tf.split(part, 2, 1)[0]!),
    );
  const [first, rest] = tf.split(x, [firstTokens, tokens - firstTokens], 1) as [tf.Tensor, tf.Tensor];
  const halves = modulation.map((part) => tf.split(part, 2, 1));
  return tf.concat(
    [
      compute(
        first,
        halves.map(([own]) => own!),
      ),
      compute(
        rest,
        halves.map(([, own]) => own!),
      ),
    ],
    1,
  );
}

function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x));
}

/** x [..., in] -> [..., size] through two layers with an activation between them. */
function mlp(
  hooks: Hooks | undefined,
  path: string,
  layers: { linear_1: Linear; linear_2: Linear },
  x: tf.Tensor,
  activate: (x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const hidden = activate(hookedLinear(hooks, `${path}.linear_1`, layers.linear_1, x));
  return hookedLinear(hooks, `${path}.linear_2`, layers.linear_2, hidden);
}

/** The eps of its norms is PyTorch's own. x [batch, image tokens, image width] -> [batch, image tokens, size] */
function embedImage(
  hooks: Hooks | undefined,
  path: string,
  { norm1, ff, norm2 }: NonNullable<TransformerParameters['condition_embedder']['image_embedder']>,
  x: tf.Tensor,
): tf.Tensor {
  const normed = layerNorm(x, norm1.weight, norm1.bias, 1e-5);
  const inner = gelu(hookedLinear(hooks, `${path}.ff.net.0.proj`, ff.net[0].proj, normed));
  return layerNorm(hookedLinear(hooks, `${path}.ff.net.2`, ff.net[2], inner), norm2.weight, norm2.bias, 1e-5);
}
