import { expect, it } from 'vitest';
import { vaeConfigSchema } from '../../../../main/engine/models/wan/vae-config.ts';
import { decodingMemory } from '../../../../main/engine/models/wan/work.ts';

const normal = { latents_mean: Array(16).fill(0), latents_std: Array(16).fill(1) };

it('says what decoding takes by the sizes of the network, as was measured on that of Wan 2.1', () => {
  const { perPixel, perFramePixel } = decodingMemory(vaeConfigSchema.parse(normal));
  // Two frames of what each convolution is given: 615 MB for 256 x 256 pixels, three times.
  expect((perPixel * 256 ** 2) / 3).toBeCloseTo(620e6, -7);
  expect(perFramePixel).toBe(62 * 96);
});

it('counts places where they are: squares of pixels as channels make them a quarter', () => {
  const whole = decodingMemory(vaeConfigSchema.parse({ ...normal, decoder_base_dim: 32 }));
  const squares = decodingMemory(
    vaeConfigSchema.parse({ ...normal, decoder_base_dim: 32, patch_size: 2, in_channels: 12, out_channels: 12 }),
  );
  expect(squares.perFramePixel).toBeCloseTo(whole.perFramePixel / 4, 6);
  expect(squares.perPixel).toBeCloseTo(whole.perPixel / 4, 6);
});
