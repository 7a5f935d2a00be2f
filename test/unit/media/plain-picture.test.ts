import { expect, it } from 'vitest';
import { plainError } from '../../../main/media/plain-picture.ts';

it('measures how unlike its mean colour a clip is: the variance over all channels', () => {
  expect(plainError(new Uint8Array(30).fill(90))).toBe(0);
  // Two pixels: red 0 and 200, green 50 and 50, blue 10 and 30.
  expect(plainError(Uint8Array.of(0, 50, 10, 200, 50, 30))).toBeCloseTo((100 ** 2 + 0 + 10 ** 2) / 3 / 255 ** 2, 9);
});
