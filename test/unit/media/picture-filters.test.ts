import { expect, test } from 'vitest';
import { upright } from '../../../main/media/orientation.ts';
import { nearestSize, pictureFilters } from '../../../main/media/picture-filters.ts';
import type { Probe } from '../../../main/media/probe-types.ts';

const probe = {
  width: 1280,
  height: 720,
  orientation: upright,
  interlaced: false,
  colour: { matrix: 'bt709', range: 'limited' },
} as Probe;
const plan = { crop: null, fit: 'crop', width: 256, height: 256, alpha: false, mapColours: false } as const;

test('cropping fills the target and cuts the longer side', () => {
  const filters = pictureFilters(probe, plan);
  expect(filters[0]).toMatch(/^scale=w=455:h=256:/);
  expect(filters).toContain('crop=w=256:h=256');
});

test('padding shows everything inside the target', () => {
  const filters = pictureFilters(probe, { ...plan, fit: 'pad' });
  expect(filters[0]).toMatch(/^scale=w=256:h=144:/);
  expect(filters.some((filter) => filter.startsWith('pad=w=256:h=256:'))).toBe(true);
});

test('a rectangle is cut as a share of the picture, so that a change of size keeps it', () => {
  const filters = pictureFilters(probe, { ...plan, crop: { left: 320, top: 0, width: 720, height: 720 } });
  expect(filters[0]).toBe('crop=w=iw*720/1280:h=ih*720/720:x=iw*320/1280:y=ih*0/720');
  expect(filters[1]).toMatch(/^scale=w=256:h=256:/);
  expect(filters).not.toContain('crop=w=256:h=256');
});

test('a rectangle outside the picture is refused', () => {
  expect(() => pictureFilters(probe, { ...plan, crop: { left: 1000, top: 0, width: 300, height: 100 } })).toThrow(
    /does not lie inside the picture of 1280x720/,
  );
});

test('deinterlacing comes first, then turning, then scaling with the colours of the file', () => {
  const filters = pictureFilters(
    {
      ...probe,
      interlaced: true,
      orientation: { ...upright, transpose: true },
      colour: { ...probe.colour, range: 'full' },
    },
    plan,
  );
  expect(filters[0]).toMatch(/^yadif/);
  expect(filters[1]).toBe('transpose=0');
  expect(filters[2]).toMatch(/in_color_matrix=bt709:in_range=pc$/);
});

test('RGB sources keep their numbers', () => {
  const [scale] = pictureFilters({ ...probe, colour: { ...probe.colour, matrix: 'rgb' } }, plan);
  expect(scale).not.toMatch(/matrix|range/);
});

test('the size of nearest shape is chosen, the first of equals', () => {
  const sizes = [
    [256, 256],
    [128, 128],
    [320, 192],
    [192, 320],
  ] as const;
  expect(nearestSize(sizes, { width: 1280, height: 720 })).toEqual([320, 192]);
  expect(nearestSize(sizes, { width: 720, height: 1280 })).toEqual([192, 320]);
  expect(nearestSize(sizes, { width: 500, height: 512 })).toEqual([256, 256]);
});
