import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openCheckpointFile } from '../../main/engine/formats/checkpoint-file.ts';
import { decodeE4M3, decodeE5M2 } from '../../main/engine/formats/float8.ts';
import { openLinkedWeights } from '../../main/engine/formats/linked-weights.ts';
import type { TensorSource } from '../../main/engine/formats/tensor-file.ts';
import { inspectPart } from '../../main/engine/models/wan/original/inspect.ts';
import { golden } from './golden.ts';

/** Of every file, by make_checkpoint_files.py: names, and hashes of shapes and values. */
const files = JSON.parse(readFileSync(golden('files/files.json'), 'utf8'));

/** As the script hashes: the shape as JSON with Python's spaces, then float32 values. */
function digest(shape: readonly number[], values: Float32Array): string {
  const hash = createHash('sha256').update(`[${shape.join(', ')}]`);
  return hash
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex')
    .slice(0, 12);
}

async function digests(source: TensorSource): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of source.names()) found[name] = digest(source.info(name).shape, await source.readFloats(name));
  await source.close();
  return found;
}

const partFiles = Object.keys(files).filter((name) => name.includes('.') && name !== 'blocks.gguf');

test.each(partFiles)('%s gives the tensors that its diffusers directory gives, to the bit', async (name) => {
  const { link } = await inspectPart(golden(`files/${name}`), { heads: 1 });
  expect(await digests(await openLinkedWeights(link))).toEqual(files[name]);
});

test('every kind of quantised block gives the values of the reference, to the bit', async () => {
  const { source } = await openCheckpointFile(golden('files/blocks.gguf'));
  expect(source.names()).toEqual(['Q8_0', 'Q4_K', 'Q5_K', 'Q6_K', 'F32', 'F16', 'BF16']);
  expect(await digests(source)).toEqual(files['blocks.gguf']);
});

test('every one of the 256 values of both kinds of float8 is that of PyTorch', () => {
  for (const [kind, decode] of [
    ['float8_e4m3fn', decodeE4M3],
    ['float8_e5m2', decodeE5M2],
  ] as const) {
    const values = new Float32Array(256);
    decode(
      Uint8Array.from({ length: 256 }, (_, index) => index),
      values,
    );
    const limit = 3.4028234663852886e38; // what the script's nan_to_num makes of infinities
    const plain = values.map((value) => (Number.isNaN(value) ? 12345 : Math.max(-limit, Math.min(limit, value))));
    expect(digest([256], plain)).toBe(files.float8[kind]);
  }
});

test.each(Object.keys(files.vaes))('the configuration of %s follows from its tensors', async (name) => {
  const { kind, config } = await inspectPart(golden(`files/${name}`));
  expect(kind).toBe('vae');
  expect(config).toMatchObject(files.vaes[name]);
});

test('the configurations of transformer and text encoder follow from their tensors', async () => {
  expect((await inspectPart(golden('files/wan_fp16.safetensors'), { heads: 1 })).config).toMatchObject({
    num_attention_heads: 1,
    attention_head_dim: 32,
    in_channels: 16,
    out_channels: 16,
    text_dim: 32,
    freq_dim: 32,
    ffn_dim: 32,
    num_layers: 1,
    patch_size: [1, 2, 2],
    cross_attn_norm: true,
  });
  for (const name of ['umt5_fp16.safetensors', 'models_t5_umt5-enc-bf16.pth', 'umt5-q8_0.gguf'])
    expect((await inspectPart(golden(`files/${name}`))).config).toMatchObject({
      vocab_size: 384,
      d_model: 32,
      d_kv: 8,
      d_ff: 64,
      num_layers: 2,
      num_heads: 3,
      relative_attention_num_buckets: 8,
    });
});
