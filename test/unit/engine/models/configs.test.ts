import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  clipEmbeddingSpecs,
  clipLayerSpecs,
  clipTokens,
  clipVisionConfigSchema,
} from '../../../../main/engine/models/clip-vision/clip-vision-config.ts';
import { openVideoModel } from '../../../../main/engine/models/registry.ts';
import { presetOf } from '../../../../main/engine/models/wan/original/presets.ts';
import { cleanPrompt } from '../../../../main/engine/models/wan/tokenizer.ts';
import { transformerConfigSchema, transformerSpecs } from '../../../../main/engine/models/wan/transformer-config.ts';
import {
  checkVideoSize,
  vaeConfigSchema,
  vaeSpecs,
  vaeStrides,
} from '../../../../main/engine/models/wan/vae-config.ts';

const sizeOf = (specs: Map<string, { stored: number[] }>) =>
  [...specs.values()].reduce((sum, { stored }) => sum + stored.reduce((product, length) => product * length, 1), 0);

test('the transformer of Wan 2.1 1.3B has its published number of parameters', () => {
  const config = transformerConfigSchema.parse({ num_attention_heads: 12, ffn_dim: 8960, num_layers: 30 });
  expect(sizeOf(transformerSpecs(config))).toBe(1_418_996_800);
});

const latents = (size: number) => ({ latents_mean: new Array(size).fill(0), latents_std: new Array(size).fill(1) });
const wan21 = vaeConfigSchema.parse(latents(16));
const wan22 = vaeConfigSchema.parse({
  ...latents(48),
  base_dim: 160,
  decoder_base_dim: 256,
  z_dim: 48,
  is_residual: true,
  patch_size: 2,
  in_channels: 12,
  out_channels: 12,
  temperal_downsample: [false, true, true],
});

test('the autoencoders of Wan 2.1 and 2.2 have their published sizes and strides', () => {
  expect(sizeOf(vaeSpecs(wan21))).toBe(126_892_531);
  expect(sizeOf(vaeSpecs(wan22))).toBe(704_688_668);
  expect(vaeStrides(wan21)).toEqual({ frames: 4, height: 8, width: 8 });
  expect(vaeStrides(wan22)).toEqual({ frames: 4, height: 16, width: 16 });
});

test('clips that an autoencoder cannot take are refused with those that it can', () => {
  expect(() => checkVideoSize(wan22, 1, 32, 48)).not.toThrow();
  expect(() => checkVideoSize(wan22, 16, 32, 48)).toThrow('16 frames cannot be encoded: 1, 5, 9...');
  expect(() => checkVideoSize(wan22, 17, 40, 48)).toThrow(
    '48 x 40 pixels cannot be encoded: both must be multiples of 16',
  );
});

test('the transformers of Wan 2.1 and 2.2 for images to video have their published numbers of parameters', () => {
  const config = { num_attention_heads: 40, ffn_dim: 13824, num_layers: 40, in_channels: 36, out_channels: 16 };
  const withEncoder = transformerConfigSchema.parse({ ...config, image_dim: 1280, added_kv_proj_dim: 5120 });
  expect(sizeOf(transformerSpecs(withEncoder))).toBe(16_394_878_784);
  expect(sizeOf(transformerSpecs(transformerConfigSchema.parse(config)))).toBe(14_288_901_184);
});

test('what a transformer for images to video cannot be is said in words', () => {
  expect(() => transformerConfigSchema.parse({ image_dim: 1280 })).toThrow(
    'image_dim and added_kv_proj_dim do not fit',
  );
  const firstAndLast = { image_dim: 1280, added_kv_proj_dim: 5120, pos_embed_seq_len: 514 };
  expect(() => transformerConfigSchema.parse(firstAndLast)).toThrow('a first and a last frame (FLF2V)');
});

test("Wan 2.1's image encoder has the published number of parameters up to its last layer but one", () => {
  const config = clipVisionConfigSchema.parse({
    model_type: 'clip_vision_model',
    hidden_size: 1280,
    intermediate_size: 5120,
    num_hidden_layers: 32,
    num_attention_heads: 16,
    patch_size: 14,
    hidden_act: 'gelu',
  });
  expect(clipTokens(config)).toBe(257);
  expect(sizeOf(clipEmbeddingSpecs(config)) + 32 * sizeOf(clipLayerSpecs(config)) + 2 * 1280).toBe(630_766_080);
});

test('models of other classes are refused with what they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'motif-classes-'));
  const open = (name: string) => {
    writeFileSync(join(folder, 'model_index.json'), JSON.stringify({ _class_name: name }));
    return openVideoModel(folder);
  };
  await expect(open('WanVACEPipeline')).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining('VACE, which changes a clip by a second one, masks and reference pictures'),
    hint: expect.stringContaining('WanImageToVideoPipeline'),
  });
  await expect(open('StableDiffusionPipeline')).rejects.toMatchObject({ code: 'invalid-input' });
  rmSync(folder, { recursive: true });
});

test("what Wan's authors recommend for a file follows from its channels and its partner", () => {
  const text = { in_channels: 16, out_channels: 16 };
  const image = { in_channels: 36, out_channels: 16 };
  expect(presetOf(text, true)).toMatchObject({ flowShift: 12, boundaryRatio: 0.875, takesPicture: false });
  expect(presetOf(image, true)).toMatchObject({ flowShift: 5, boundaryRatio: 0.9, takesPicture: true });
  expect(presetOf(image, false)).toMatchObject({ flowShift: 3, takesPicture: true });
  expect(presetOf({ in_channels: 48, out_channels: 48 }, false)).toMatchObject({ expandTimesteps: true });
});

test('prompts are cleaned as the Wan pipeline cleans them', () => {
  expect(cleanPrompt('  a  &quot;dog&quot;\n&amp;amp; a&#33; cat ')).toBe('a "dog" & a! cat');
});
