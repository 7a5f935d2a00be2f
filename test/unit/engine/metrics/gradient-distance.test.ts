import { expect, test } from 'vitest';
import { gradientDistance } from '../../../../main/engine/metrics/gradient-distance.ts';

const size = { width: 32, height: 32 };

/** Stripes of a width, starting at an offset. */
function stripes(width: number, offset = 0, low = 60, high = 200): Uint8Array {
  const frame = new Uint8Array(32 * 32 * 3);
  for (let pixel = 0; pixel < 32 * 32; pixel++) {
    const bright = Math.floor(((pixel % 32) + offset) / width) % 2 === 0;
    frame.fill(bright ? high : low, pixel * 3, pixel * 3 + 3);
  }
  return frame;
}

test('equal clips have no distance, nor have those that differ by brightness alone', () => {
  expect(gradientDistance(stripes(8), stripes(8), size)).toBe(0);
  expect(gradientDistance(stripes(8), stripes(8, 0, 80, 220), size)).toBeCloseTo(0, 5);
});

test('moved edges are further away than weaker ones, and a missing picture is as far as can be', () => {
  const weaker = gradientDistance(stripes(8), stripes(8, 0, 90, 170), size);
  const moved = gradientDistance(stripes(8), stripes(8, 4), size);
  expect(weaker).toBeGreaterThan(0.1);
  expect(moved).toBeGreaterThan(weaker);
  expect(gradientDistance(stripes(8), new Uint8Array(32 * 32 * 3), size)).toBeCloseTo(1);
});

test('clips of unequal size are refused', () => {
  expect(() => gradientDistance(stripes(8), new Uint8Array(3), size)).toThrow(/equal size/);
});
