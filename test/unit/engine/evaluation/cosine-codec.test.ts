import { expect, test } from 'vitest';
import { cosineCodec } from '../../../../main/engine/evaluation/cosine-codec.ts';
import { meanSquaredError } from '../../../../main/engine/metrics/mse.ts';
import { Random } from '../../../../main/engine/nn/random.ts';

const size = { count: 4, width: 12, height: 10 };
const numbers = 4 * 12 * 10 * 3;

/** A grey slope that moves, with a little noise. */
function clip(seed: number) {
  const random = new Random(seed);
  const data = new Uint8Array(numbers);
  for (let frame = 0; frame < 4; frame++)
    for (let y = 0; y < 10; y++)
      for (let x = 0; x < 12; x++) {
        const value = 60 + 10 * x + 3 * y + 2 * frame * (seed % 5) + random.integer(5);
        data.fill(value, ((frame * 10 + y) * 12 + x) * 3, ((frame * 10 + y) * 12 + x) * 3 + 3);
      }
  return { ...size, data };
}

const codec = cosineCodec([clip(1), clip(2), clip(3)]);

test('with all its coefficients a clip comes back as it was', () => {
  const other = clip(9);
  expect(meanSquaredError(codec.code(other, numbers).data, other.data)).toBeLessThan((1 / 255) ** 2);
});

test('fewer coefficients give a worse clip, and few are enough for a slope', () => {
  const other = clip(9);
  const errors = [4, 16, 64, 256, numbers].map((kept) => meanSquaredError(codec.code(other, kept).data, other.data));
  for (const [index, error] of errors.entries()) if (index > 0) expect(error).toBeLessThanOrEqual(errors[index - 1]!);
  expect(errors[1]).toBeLessThan(errors[0]! / 2);
  expect(-10 * Math.log10(errors[1]!)).toBeGreaterThan(30);
});

test('the coefficient with most energy is the mean of the brightness', () => {
  const flat = codec.code(clip(9), 1);
  const mean = clip(9).data.reduce((sum, value) => sum + value, 0) / numbers;
  for (const value of flat.data) expect(Math.abs(value - mean)).toBeLessThan(1);
});

test('a clip of another size is refused', () => {
  expect(() => codec.code({ ...size, width: 11, data: new Uint8Array(numbers) }, 4)).toThrow('4 frames of 12 x 10');
});
