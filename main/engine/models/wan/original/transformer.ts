import type { TensorSource } from '../../../formats/tensor-file.ts';
import { inputOnly, type NamedTensors, refusedWeights, scaleOf, sortNames } from './names.ts';

/**
 * The transformer under the names of Wan's own code (https://github.com/Wan-Video/Wan2.1, wan/modules/model.py), as ComfyUI keeps it too,
 * by what diffusers calls the same things. The affine norm before cross-attention is the third there and the second here.
 */
const topNames: Record<string, string> = {
  patch_embedding: 'patch_embedding',
  'time_embedding.0': 'condition_embedder.time_embedder.linear_1',
  'time_embedding.2': 'condition_embedder.time_embedder.linear_2',
  'time_projection.1': 'condition_embedder.time_proj',
  'text_embedding.0': 'condition_embedder.text_embedder.linear_1',
  'text_embedding.2': 'condition_embedder.text_embedder.linear_2',
  'head.head': 'proj_out',
};

const blockNames: Record<string, string> = {
  'self_attn.q': 'attn1.to_q',
  'self_attn.k': 'attn1.to_k',
  'self_attn.v': 'attn1.to_v',
  'self_attn.o': 'attn1.to_out.0',
  'self_attn.norm_q': 'attn1.norm_q',
  'self_attn.norm_k': 'attn1.norm_k',
  'cross_attn.q': 'attn2.to_q',
  'cross_attn.k': 'attn2.to_k',
  'cross_attn.v': 'attn2.to_v',
  'cross_attn.o': 'attn2.to_out.0',
  'cross_attn.norm_q': 'attn2.norm_q',
  'cross_attn.norm_k': 'attn2.norm_k',
  norm3: 'norm2',
  'ffn.0': 'ffn.net.0.proj',
  'ffn.2': 'ffn.net.2',
};

/** What tensors of other members of the family begin with, and what those are. */
const otherClasses: [beginning: RegExp, what: string][] = [
  [
    /^(img_emb|blocks\.\d+\.cross_attn\.(k_img|v_img|norm_k_img))\./,
    "a model for image to video with an image encoder, which is read from a folder in diffusers' layout",
  ],
  [/^vace_/, 'a VACE model, for editing'],
  [/^(motion_encoder|face_adapter|pose_patch_embedding)/, 'an Animate model'],
  [/^(casual_audio_encoder|audio_injector|audio_proj)/, 'a model driven by sound'],
  [/^(control_adapter|ref_conv)/, 'a model driven by a camera or controls'],
];

const prefixes = ['', 'model.diffusion_model.', 'diffusion_model.', 'model.'];

/** What stands before every name, or undefined where this is no transformer of Wan. */
export function transformerPrefix(source: TensorSource): string | undefined {
  return prefixes.find(
    (prefix) => source.has(`${prefix}head.modulation`) && source.has(`${prefix}patch_embedding.weight`),
  );
}

/** Names of diffusers -> tensors of the file. Throws `invalid-input` for a relative of another class. */
export function transformerNames(source: TensorSource, prefix: string): NamedTensors {
  const { names, scales } = sortNames(source, prefix);
  const tensors: NamedTensors = new Map();
  for (const name of names) {
    const known = diffusersName(name);
    if (known) tensors.set(known, { name: prefix + name, ...scaleOf(scales, name) });
    else if (!inputOnly.test(name)) throw refusedWeights(source.path, otherClasses, name, 'a transformer of Wan');
  }
  return tensors;
}

function diffusersName(name: string): string | undefined {
  if (name === 'head.modulation') return 'scale_shift_table';
  const modulation = /^(blocks\.\d+)\.modulation$/.exec(name);
  if (modulation) return `${modulation[1]}.scale_shift_table`;
  const [, block, path, kind] = /^(blocks\.\d+\.)?(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (path === undefined) return undefined;
  const known = block ? blockNames : topNames;
  return Object.hasOwn(known, path) ? `${block ?? ''}${known[path]}.${kind}` : undefined;
}

/**
 * `transformer/config.json` as diffusers writes it, from the shapes of the tensors by their diffusers names. Wan's models have heads of 128
 * channels; `heads` says how many there are where that is known otherwise.
 */
export function transformerConfig(
  source: TensorSource,
  tensors: NamedTensors,
  heads?: number,
): Record<string, unknown> {
  const shape = (name: string) => source.info(tensors.get(name)?.name ?? name).shape;
  const [width = 0, inChannels = 0, ...patch] = shape('patch_embedding.weight');
  const count = heads ?? width / 128;
  if (patch.length !== 3 || !Number.isInteger(count) || count < 1 || width % count)
    throw refusedWeights(
      source.path,
      [],
      `patch_embedding.weight [${[width, inChannels, ...patch]}]`,
      'a model of Wan, whose heads have 128 channels',
    );
  const outValues = shape('proj_out.weight')[0] ?? 0;
  const layers = new Set([...tensors.keys()].flatMap((name) => /^blocks\.(\d+)\./.exec(name)?.[1] ?? []));
  return {
    _class_name: 'WanTransformer3DModel',
    added_kv_proj_dim: null,
    attention_head_dim: width / count,
    cross_attn_norm: tensors.has('blocks.0.norm2.weight'),
    eps: 1e-6,
    ffn_dim: shape('blocks.0.ffn.net.0.proj.weight')[0],
    freq_dim: shape('condition_embedder.time_embedder.linear_1.weight')[1],
    image_dim: null,
    in_channels: inChannels,
    num_attention_heads: count,
    num_layers: layers.size,
    out_channels: outValues / patch.reduce((product, length) => product * length, 1),
    patch_size: patch,
    qk_norm: 'rms_norm_across_heads',
    rope_max_seq_len: 1024,
    text_dim: shape('condition_embedder.text_embedder.linear_1.weight')[1],
  };
}
