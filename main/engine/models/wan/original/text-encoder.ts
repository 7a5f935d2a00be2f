import type { TensorSource } from '../../../formats/tensor-file.ts';
import { repeatedEmbeddings } from '../text-encoder-config.ts';
import { inputOnly, type NamedTensors, refusedWeights, scaleOf, sortNames } from './names.ts';

/**
 * The prompt reader (UMT5-XXL's encoder) under the three sets of names that its files have, by those of transformers: transformers' own,
 * which ComfyUI's files have; Wan's (wan/modules/t5.py); and llama.cpp's, in GGUF files.
 */
type Dialect = (name: string) => string | undefined;

const wanLayer: Record<string, string> = {
  norm1: '0.layer_norm',
  'attn.q': '0.SelfAttention.q',
  'attn.k': '0.SelfAttention.k',
  'attn.v': '0.SelfAttention.v',
  'attn.o': '0.SelfAttention.o',
  'pos_embedding.embedding': '0.SelfAttention.relative_attention_bias',
  norm2: '1.layer_norm',
  'ffn.gate.0': '1.DenseReluDense.wi_0',
  'ffn.fc1': '1.DenseReluDense.wi_1',
  'ffn.fc2': '1.DenseReluDense.wo',
};

const llamaLayer: Record<string, string> = {
  attn_norm: '0.layer_norm',
  attn_q: '0.SelfAttention.q',
  attn_k: '0.SelfAttention.k',
  attn_v: '0.SelfAttention.v',
  attn_o: '0.SelfAttention.o',
  attn_rel_b: '0.SelfAttention.relative_attention_bias',
  ffn_norm: '1.layer_norm',
  ffn_gate: '1.DenseReluDense.wi_0',
  ffn_up: '1.DenseReluDense.wi_1',
  ffn_down: '1.DenseReluDense.wo',
};

const transformersName =
  /^(shared|encoder\.final_layer_norm|encoder\.block\.\d+\.layer\.[01]\.(layer_norm|SelfAttention\.\w+|DenseReluDense\.\w+))\.weight$/;

/** Names by a table of a layer's parts, under `beginning`, and of what is not in a layer. */
function tabled(beginning: RegExp, layer: Record<string, string>, rest: Record<string, string>): Dialect {
  return (name) => {
    const path = name.endsWith('.weight') ? name.slice(0, -'.weight'.length) : undefined;
    if (path === undefined) return undefined;
    if (Object.hasOwn(rest, path)) return `${rest[path]}.weight`;
    const [whole, index] = beginning.exec(path) ?? [];
    const part = whole === undefined ? undefined : layer[path.slice(whole.length)];
    return part && `encoder.block.${index}.layer.${part}.weight`;
  };
}

/** By a tensor that a file under these names holds. */
const dialects: [sign: string, dialect: Dialect][] = [
  ['encoder.block.0.layer.0.SelfAttention.q.weight', (name) => (transformersName.test(name) ? name : undefined)],
  [
    'blocks.0.attn.q.weight',
    tabled(/^blocks\.(\d+)\./, wanLayer, { token_embedding: 'shared', norm: 'encoder.final_layer_norm' }),
  ],
  [
    'enc.blk.0.attn_q.weight',
    tabled(/^enc\.blk\.(\d+)\./, llamaLayer, { token_embd: 'shared', 'enc.output_norm': 'encoder.final_layer_norm' }),
  ],
];

export function isTextEncoder(source: TensorSource): boolean {
  return dialects.some(([sign]) => source.has(sign));
}

/** The tokenizer's own file, which ComfyUI keeps among the tensors. */
export const sentencePieceTensor = 'spiece_model';

/**
 * Names of transformers -> tensors of the file, and `text_encoder/config.json` from their shapes. Throws `invalid-input` for a text encoder
 * that is no UMT5.
 */
export function describeTextEncoder(source: TensorSource): { tensors: NamedTensors; config: Record<string, unknown> } {
  const dialect = dialects.find(([sign]) => source.has(sign))![1];
  const { names, scales } = sortNames(source, '');
  const tensors: NamedTensors = new Map();
  for (const name of names) {
    const known = dialect(name);
    if (known) tensors.set(known, { name, ...scaleOf(scales, name) });
    else if (name !== sentencePieceTensor && !repeatedEmbeddings.test(name) && !inputOnly.test(name))
      throw refusedWeights(source.path, [], name, 'the encoder of a UMT5');
  }
  const shape = (name: string) => source.info(tensors.get(name)?.name ?? name).shape;
  const layer = (index: number) => `encoder.block.${index}.layer`;
  const count = new Set([...tensors.keys()].flatMap((name) => /^encoder\.block\.(\d+)\./.exec(name)?.[1] ?? [])).size;
  const bias = (index: number) => `${layer(index)}.0.SelfAttention.relative_attention_bias.weight`;
  if (!tensors.has(bias(0)) || (count > 1 && !tensors.has(bias(count - 1))))
    throw refusedWeights(
      source.path,
      [[/^relative/, 'a T5 whose layers share their position bias']],
      'relative',
      'the encoder of a UMT5',
    );
  const [buckets = 0, heads = 0] = shape(bias(0));
  const [words, width] = shape('shared.weight');
  const [inner = 0] = shape(`${layer(0)}.0.SelfAttention.q.weight`);
  const [wide] = shape(`${layer(0)}.1.DenseReluDense.wi_0.weight`);
  return {
    tensors,
    config: {
      architectures: ['UMT5EncoderModel'],
      d_ff: wide,
      d_kv: inner / heads,
      d_model: width,
      feed_forward_proj: 'gated-gelu',
      layer_norm_epsilon: 1e-6,
      model_type: 'umt5',
      num_heads: heads,
      num_layers: count,
      relative_attention_max_distance: 128,
      relative_attention_num_buckets: buckets,
      vocab_size: words,
    },
  };
}
