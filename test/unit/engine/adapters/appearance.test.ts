import { expect, it } from 'vitest';
import { appearanceOf, meanAppearance } from '../../../../main/engine/adapters/appearance.ts';

it('the appearance of a picture is the mean and the deviation less 1 of each channel of its first frame', () => {
  // Two channels of two frames of two pixels; what the second frame holds does not count.
  const values = Float32Array.of(1, 3, 100, -100, -2, -2, 7, 8);
  expect([...appearanceOf({ values, shape: [2, 2, 1, 2] })]).toEqual([2, -2, 0, -1]);
});

it('a picture of normalised noise is nearly blank', () => {
  const wave = Float32Array.from({ length: 400 }, (_, index) => Math.SQRT2 * Math.sin(index));
  for (const value of appearanceOf({ values: wave, shape: [1, 1, 20, 20] })) expect(Math.abs(value)).toBeLessThan(0.02);
});

it('several are averaged', () => {
  expect([...meanAppearance([Float32Array.of(1, 2), Float32Array.of(3, 6)])]).toEqual([2, 4]);
});
