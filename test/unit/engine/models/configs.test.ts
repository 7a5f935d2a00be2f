import { expect, test } from 'vitest';
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

test('models for images to video are refused in words', () => {
  expect(() => transformerConfigSchema.parse({ image_dim: 1280 })).toThrow('choose a text-to-video checkpoint');
});

test('prompts are cleaned as the Wan pipeline cleans them', () => {
  expect(cleanPrompt('  a  &quot;dog&quot;\n&amp;amp; a&#33; cat ')).toBe('a "dog" & a! cat');
});
