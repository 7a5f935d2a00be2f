import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { inspectPart } from '../../../../main/engine/models/wan/original/inspect.ts';
import {
  type FullSize,
  fullSizes,
  textEncoderShapes,
  transformerShapes,
  writeSparse,
} from '../../../bench/full-size-models.ts';
import { processorSeconds } from '../../../fixtures/processor-time.ts';

const folder = mkdtempSync(join(tmpdir(), 'motif-full-size-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Wan's own name of a transformer's tensor. */
function wanName(name: string): string {
  if (name === 'scale_shift_table') return 'head.modulation';
  const pairs: [RegExp, string][] = [
    [/scale_shift_table/, 'modulation'],
    [/condition_embedder\.time_embedder\.linear_(\d)/, 'time_embedding.$1'],
    [/condition_embedder\.text_embedder\.linear_(\d)/, 'text_embedding.$1'],
    [/condition_embedder\.time_proj/, 'time_projection.1'],
    [/embedding\.1/, 'embedding.0'],
    [/^proj_out/, 'head.head'],
    [/attn1/, 'self_attn'],
    [/attn2/, 'cross_attn'],
    [/to_out\.0/, 'o'],
    [/to_([qkv])\b/, '$1'],
    [/ffn\.net\.0\.proj/, 'ffn.0'],
    [/ffn\.net\.2/, 'ffn.2'],
    [/\.norm2\./, '.norm3.'],
  ];
  return pairs.reduce((text, [from, to]) => text.replace(from, to), name);
}

test.each(Object.keys(fullSizes) as FullSize[])(
  'the published configuration of %s follows from the shapes in its file, in little time and memory',
  async (size) => {
    const shapes = transformerShapes(size);
    const file = join(folder, `${size}.safetensors`);
    writeSparse(file, new Map([...shapes].map(([name, shape]) => [wanName(name), shape])));
    let inspected: Awaited<ReturnType<typeof inspectPart>> | undefined;
    const seconds = await processorSeconds(async () => {
      inspected = await inspectPart(file);
    });
    expect(seconds).toBeLessThan(2);
    const { kind, config, link } = inspected!;
    expect(kind).toBe('transformer');
    expect(config).toMatchObject({
      ...fullSizes[size].transformer,
      attention_head_dim: 128,
      freq_dim: 256,
      text_dim: 4096,
      patch_size: [1, 2, 2],
      cross_attn_norm: true,
    });
    expect(Object.keys(link.tensors).sort()).toEqual([...shapes.keys()].sort());
  },
);

test("UMT5-XXL's configuration follows from the shapes in its file", async () => {
  const file = join(folder, 'umt5_xxl.safetensors');
  writeSparse(file, textEncoderShapes());
  const { kind, config } = await inspectPart(file);
  expect(kind).toBe('text_encoder');
  expect(config).toMatchObject({
    vocab_size: 256_384,
    d_model: 4096,
    d_ff: 10_240,
    d_kv: 64,
    num_heads: 64,
    num_layers: 24,
    relative_attention_num_buckets: 32,
  });
});

test('a relative of Wan that is not supported is named', async () => {
  const shapes = transformerShapes('Wan2.1-T2V-1.3B');
  const named = [...shapes].map(([name, shape]): [string, number[]] => [wanName(name), shape]);
  for (const [tensor, what] of [
    ['vace_blocks.0.after_proj.weight', 'VACE'],
    ['img_emb.proj.1.weight', 'image encoder'],
    ['casual_audio_encoder.weights', 'sound'],
    ['something.else.weight', 'something.else.weight'],
  ] as const) {
    const file = join(folder, 'relative.safetensors');
    writeSparse(file, new Map([...named, [tensor, [4]]]));
    await expect(inspectPart(file)).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining(what),
    });
  }
});
