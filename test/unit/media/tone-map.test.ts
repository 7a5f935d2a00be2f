import { expect, test } from 'vitest';
import type { ColourDescription } from '../../../main/media/probe-types.ts';
import { colourMapFor, cubeFile, nitsToPq, pqToNits } from '../../../main/media/tone-map.ts';

const colour = (over: Partial<ColourDescription>): ColourDescription => ({
  matrix: 'bt2020',
  range: 'limited',
  primaries: 'bt2020',
  transfer: 'smpte2084',
  hdr: 'pq',
  peakNits: undefined,
  ...over,
});
const grey = (nits: number) => [nitsToPq(nits), nitsToPq(nits), nitsToPq(nits)] as const;

test('the perceptual quantiser has its published values', () => {
  expect(nitsToPq(100)).toBeCloseTo(0.5081, 4);
  expect(nitsToPq(1000)).toBeCloseTo(0.7518, 4);
  expect(pqToNits(1)).toBeCloseTo(10_000, 3);
  expect(pqToNits(nitsToPq(203))).toBeCloseTo(203, 6);
});

test('ordinary video needs no map', () => {
  expect(colourMapFor(colour({ primaries: 'bt709', transfer: 'bt709', hdr: undefined }))).toBeUndefined();
  expect(colourMapFor(colour({ primaries: undefined, transfer: undefined, hdr: undefined }))).toBeUndefined();
});

test('black stays black, the peak becomes white, reference white stays bright, in order and without colour', () => {
  const map = colourMapFor(colour({}))!;
  expect(map(0, 0, 0)).toEqual([0, 0, 0]);
  expect(map(...grey(1000))[0]).toBeCloseTo(1, 2);
  expect(map(...grey(203))[0]).toBeGreaterThan(0.85);
  const levels = [0.1, 1, 10, 50, 100, 203, 400, 700, 1000].map((nits) => map(...grey(nits)));
  for (const [red, green, blue] of levels) {
    expect(Math.abs(red - green) + Math.abs(green - blue)).toBeLessThan(0.002);
  }
  for (let index = 1; index < levels.length; index++) {
    expect(levels[index]![0]).toBeGreaterThan(levels[index - 1]![0]);
  }
});

test('below the knee the light is passed on unchanged', () => {
  const [level] = colourMapFor(colour({}))!(...grey(20));
  expect(level).toBeCloseTo((20 / 203) ** (1 / 2.4), 3);
});

test('a brighter master is compressed more', () => {
  const usual = colourMapFor(colour({}))!(...grey(600))[0];
  const bright = colourMapFor(colour({ peakNits: 4000 }))!(...grey(600))[0];
  expect(bright).toBeLessThan(usual);
});

test('hybrid log-gamma white is white and its reference level bright', () => {
  const map = colourMapFor(colour({ transfer: 'arib-std-b67', hdr: 'hlg' }))!;
  expect(map(1, 1, 1)[0]).toBeGreaterThan(0.99);
  expect(map(0.75, 0.75, 0.75)[0]).toBeGreaterThan(0.85);
});

test('BT.2020 white and greys in standard range keep their values, and a colour both spaces hold gets purer numbers', () => {
  const map = colourMapFor(colour({ transfer: 'bt709', hdr: undefined }))!;
  expect(map(0.5, 0.5, 0.5).map((value) => +value.toFixed(3))).toEqual([0.5, 0.5, 0.5]);
  const [red, green] = map(0.7, 0.3, 0.3);
  expect(red).toBeGreaterThan(0.7);
  expect(green).toBeLessThan(0.3);
});

test('the cube lists every point, red fastest, and its tetrahedra stay within a level and a half of the map', () => {
  const map = colourMapFor(colour({}))!;
  const lines = cubeFile(map).trim().split('\n');
  expect(lines[0]).toBe('LUT_3D_SIZE 33');
  expect(lines).toHaveLength(1 + 33 ** 3);
  const point = (index: number) => lines[1 + index]!.split(' ').map(Number);
  expect(point(1)[0]).toBeCloseTo(map(1 / 32, 0, 0)[0], 5);
  // Between two neighbours on the grey axis interpolation is linear: the worst place is in the middle.
  for (let step = 4; step < 31; step++) {
    const at = (value: number) => value * (1 + 33 + 33 * 33);
    const middle = (point(at(step))[0]! + point(at(step + 1))[0]!) / 2;
    const code = (step + 0.5) / 32;
    expect(Math.abs(middle - map(code, code, code)[0]) * 255).toBeLessThan(1.5);
  }
});
