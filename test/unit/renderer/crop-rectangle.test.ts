import { expect, it } from 'vitest';
import { cropBetween } from '../../../renderer/features/player/crop-rectangle.ts';

const picture = { width: 640, height: 360 };

it('draws a rectangle from corner to corner, whichever comes first, and none that is too small', () => {
  expect(cropBetween({ x: 200, y: 100 }, { x: 300, y: 260 }, picture, null)).toEqual({
    left: 200,
    top: 100,
    width: 100,
    height: 160,
  });
  expect(cropBetween({ x: 300, y: 260 }, { x: 200, y: 100 }, picture, null)).toEqual({
    left: 200,
    top: 100,
    width: 100,
    height: 160,
  });
  expect(cropBetween({ x: 300, y: 260 }, { x: 310, y: 100 }, picture, null)).toBe(null);
});

it('keeps a ratio, as far as the pointer goes and the picture reaches', () => {
  expect(cropBetween({ x: 0, y: 0 }, { x: 320, y: 20 }, picture, 16 / 9)).toEqual({
    left: 0,
    top: 0,
    width: 320,
    height: 180,
  });
  // A square that would leave the picture below ends at its edge.
  expect(cropBetween({ x: 100, y: 160 }, { x: 500, y: 300 }, picture, 1)).toEqual({
    left: 100,
    top: 160,
    width: 200,
    height: 200,
  });
  expect(cropBetween({ x: 500, y: 350 }, { x: 420, y: 340 }, picture, 9 / 16)).toEqual({
    left: 420,
    top: 208,
    width: 80,
    height: 142,
  });
});
