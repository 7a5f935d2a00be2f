import { expect, test } from 'vitest';
import { strengthsOfView, twinSizes, twinStrengths } from '../../../shared/domain/twin.ts';

const tiny = { width: 128, height: 128, cell: 16 };

test('clips are brought to whole cells, and to about as many pixels as the network was trained on', () => {
  for (const [width, height] of twinSizes(tiny)) {
    expect([width % 16, height % 16]).toEqual([0, 0]);
    expect((width * height) / (128 * 128)).toBeGreaterThan(0.75);
    expect((width * height) / (128 * 128)).toBeLessThan(1.3);
  }
});

test('the shapes of wide and tall clips are among them, and the trained size comes first', () => {
  expect(twinSizes(tiny)[0]).toEqual([128, 128]);
  expect(twinSizes(tiny)).toContainEqual([176, 96]);
  expect(twinSizes(tiny)).toContainEqual([96, 176]);
  const shapes = twinSizes(tiny).map(([width, height]) => width / height);
  expect(Math.max(...shapes)).toBeGreaterThanOrEqual(4);
});

test('a view leaves the other latent out, and shows its own in full where it was out', () => {
  expect(strengthsOfView('structure', { structure: 0, dynamics: 1.2 })).toEqual({ structure: 1, dynamics: 0 });
  expect(strengthsOfView('dynamics', { structure: 1, dynamics: 0.5 })).toEqual({ structure: 0, dynamics: 0.5 });
  expect(strengthsOfView('both', { structure: 0.3, dynamics: 1.5 })).toEqual({ structure: 0.3, dynamics: 1.5 });
});

test('nothing is made of neither, nor of more than one and a half', () => {
  expect(twinStrengths.parse(undefined)).toEqual({ structure: 1, dynamics: 1 });
  expect(twinStrengths.safeParse({ structure: 0, dynamics: 0 }).success).toBe(false);
  expect(twinStrengths.safeParse({ structure: 1.6 }).success).toBe(false);
});
