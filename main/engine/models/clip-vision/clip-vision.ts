import { join } from 'node:path';
import { attention, gelu, layerNorm } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { openWeights, readJson } from '../../formats/diffusers.ts';
import { middleSquare, pictureOf, planesOf } from '../../formats/picture-input.ts';
import type { Pictures } from '../../formats/raw-frames.ts';
import { type Linear, linear } from '../../nn/linear.ts';
import { loadParameters, type ParameterSpecs } from '../../nn/parameters.ts';
import { disposeTree, type Tree } from '../../nn/tree.ts';
import {
  type ClipProcessorConfig,
  type ClipVisionConfig,
  clipEmbeddingSpecs,
  clipLayerSpecs,
  clipProcessorConfigSchema,
  clipTokens,
  clipVisionConfigSchema,
} from './clip-vision-config.ts';

/**
 * What CLIP (arXiv 2103.00020) sees in a picture: CLIPVisionModel of transformers, of which image-to-video models read the hidden states
 * before the last layer.
 */
export interface ImageEncoder {
  /** Width of a token. */
  readonly width: number;
  /** Tokens of a picture, the first of them of the whole. */
  readonly tokens: number;
  /** The first picture -> [1, tokens, width]. Its weights are read layer by layer, and let go. */
  encode(pictures: Pictures, options?: { signal?: AbortSignal }): Promise<tf.Tensor>;
}

type Norm = { weight: tf.Tensor1D; bias: tf.Tensor1D };

type Embeddings = {
  embeddings: {
    class_embedding: tf.Tensor1D;
    position_embedding: { weight: tf.Tensor2D };
    patch_embedding: { weight: tf.Tensor2D }; // [3 * patch * patch, width]
  };
  pre_layrnorm: Norm;
};

type Layer = {
  layer_norm1: Norm;
  self_attn: { q_proj: Linear; k_proj: Linear; v_proj: Linear; out_proj: Linear };
  layer_norm2: Norm;
  mlp: { fc1: Linear; fc2: Linear };
};

/** What is not read before the first layer, or not at all. */
const layers = /(^|\.)(encoder|post_layernorm)\.|\.position_ids$/;

/** Opens a folder of an encoder and that of its `preprocessor_config.json`. Throws `not-found` or `damaged-file`. */
export async function openClipVision(encoderFolder: string, processorFolder: string): Promise<ImageEncoder> {
  const config = await readJson(join(encoderFolder, 'config.json'), clipVisionConfigSchema);
  const processorPath = join(processorFolder, 'preprocessor_config.json');
  const processor = await readJson(
    processorPath,
    clipProcessorConfigSchema.refine(
      ({ crop_size }) => crop_size === config.image_size,
      `its pictures are not of the ${config.image_size} x ${config.image_size} pixels that the image encoder takes`,
    ),
  );
  return {
    width: config.hidden_size,
    tokens: clipTokens(config),
    async encode(pictures, { signal } = {}) {
      const source = await openWeights(encoderFolder);
      try {
        // Some versions of transformers write one more name before all others.
        const prefix = source.has('vision_model.pre_layrnorm.weight') ? 'vision_model.' : '';
        /** Runs `step` with some of the weights; what it gives is computed when they are let go. */
        const within = async <T extends Tree>(path: string, specs: ParameterSpecs, step: (weights: T) => tf.Tensor) => {
          signal?.throwIfAborted();
          const weights = await loadParameters(source, specs, {
            prefix: prefix + path,
            ...(path ? {} : { ignore: layers }),
          });
          try {
            const result = tf.tidy(() => step(weights as T));
            await result.data();
            return result;
          } finally {
            disposeTree(weights);
          }
        };
        const pixels = clipPixels(processor, pictures);
        let x = await within<Embeddings>('', clipEmbeddingSpecs(config), (weights) => embed(config, weights, pixels));
        for (let index = 0; index < config.num_hidden_layers - 1; index++) {
          const before = x;
          x = await within<Layer>(`encoder.layers.${index}.`, clipLayerSpecs(config), (weights) =>
            encoderLayer(config, weights, before),
          ).finally(() => before.dispose());
        }
        return x;
      } finally {
        await source.close();
      }
    },
  };
}

/**
 * CLIPImageProcessor: the shorter side of the first picture made as long as `size` by cubic convolution, of that the middle, divided by 255
 * and normalised -> [3, side, side]. The same as transformers' with Pillow, but for values that its fixed-point weights round the other way
 * (by 1 of 255).
 */
export function clipPixels(
  { size, crop_size, image_mean, image_std }: ClipProcessorConfig,
  pictures: Pictures,
): Float32Array {
  const square = middleSquare(pictureOf(pictures, 0), crop_size, size);
  return planesOf(square, { mean: image_mean, deviation: image_std });
}

/** pixels [3, side, side] -> [1, tokens, width] */
function embed(
  { image_size, patch_size: patch, hidden_size: width, layer_norm_eps: eps }: ClipVisionConfig,
  { embeddings, pre_layrnorm }: Embeddings,
  pixels: Float32Array,
): tf.Tensor {
  const across = Math.floor(image_size / patch);
  const whole = tf.slice(
    tf.tensor(pixels, [3, image_size, image_size]),
    [0, 0, 0],
    [3, across * patch, across * patch],
  );
  const split = tf.transpose(tf.reshape(whole, [3, across, patch, across, patch]), [1, 3, 0, 2, 4]);
  const patches = linear(embeddings.patch_embedding, tf.reshape(split, [across * across, 3 * patch * patch]));
  const tokens = tf.concat([tf.reshape(embeddings.class_embedding, [1, width]), patches], 0); // [tokens, width]
  const placed = tf.expandDims(tf.add(tokens, embeddings.position_embedding.weight), 0);
  return layerNorm(placed, pre_layrnorm.weight, pre_layrnorm.bias, eps);
}

/** x [1, tokens, width] -> as x */
function encoderLayer(config: ClipVisionConfig, layer: Layer, x: tf.Tensor): tf.Tensor {
  const { num_attention_heads: heads, layer_norm_eps: eps, hidden_act } = config;
  const { q_proj, k_proj, v_proj, out_proj } = layer.self_attn;
  const normed = layerNorm(x, layer.layer_norm1.weight, layer.layer_norm1.bias, eps);
  const attended = attention(linear(q_proj, normed), linear(k_proj, normed), linear(v_proj, normed), { heads });
  const hidden = tf.add(x, linear(out_proj, attended));
  const inner = linear(layer.mlp.fc1, layerNorm(hidden, layer.layer_norm2.weight, layer.layer_norm2.bias, eps));
  const active = hidden_act === 'gelu' ? gelu(inner) : tf.mul(inner, tf.sigmoid(tf.mul(inner, 1.702)));
  return tf.add(hidden, linear(layer.mlp.fc2, active));
}
