import { expect, test } from 'vitest';
import { measureFinish } from '../../../../main/engine/evaluation/measure-finish.ts';
import { summariseFinish } from '../../../../main/engine/evaluation/summarise-finish.ts';
import type { Pictures } from '../../../../main/engine/formats/raw-frames.ts';
import type { FinishMeasures } from '../../../../shared/domain/evaluation-finish.ts';

/** Smooth enough for the small picture to say all of it, but for a fine pattern that only the large one has. */
function pictures(scale: number, count: number, { gain = 1, fine = 0 } = {}): Pictures {
  const [width, height] = [16 * scale, 12 * scale];
  const data = new Uint8Array(count * width * height * 3);
  for (let frame = 0, at = 0; frame < count; frame++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let channel = 0; channel < 3; channel++, at++) {
          const value = 90 + 40 * Math.sin(x / scale / (3 + channel)) + 20 * Math.cos(y / scale / 3);
          data[at] = Math.round(gain * (value + fine * ((x + y) % 2)));
        }
  return { data, count, width, height };
}
const small = { base: pictures(1, 3), edited: pictures(1, 3, { gain: 0.6 }) };
const large = { source: pictures(4, 5, { fine: 12 }), target: pictures(4, 5, { gain: 0.6, fine: 12 }) };
/** The left half may change. */
const mask = Uint8Array.from({ length: 5 * 64 * 48 }, (_, pixel) => (pixel % 64 < 32 ? 255 : 0));

test('a change of light is finished close to the truth and as sharp, which the edit enlarged is not', () => {
  const finished = measureFinish({ ...large, mask }, small, { keepDetail: 1 });
  const enlarged = measureFinish({ ...large, mask }, small, null);
  expect(enlarged).toMatchObject({ keepDetail: null, secondsPerPicture: null });
  expect(finished.secondsPerPicture).toBeGreaterThan(0);
  expect(finished.mseInside).toBeLessThan(0.3 * enlarged.mseInside!);
  expect(finished.mseOutside).toBeLessThan(0.3 * enlarged.mseOutside!);
  expect(finished.sharpnessInside).toBeGreaterThan(0.8);
  expect(finished.sharpnessInside).toBeLessThan(1.5);
  expect(enlarged.sharpnessInside).toBeLessThan(0.3);
  expect(finished.between).toBeCloseTo(1, 1);
  expect(finished.flicker).toBeLessThan(1e-5);
});

test('a truth that is the source itself is met exactly by a change that is none', () => {
  const same = { source: large.source, target: large.source, mask };
  const none = { base: small.base, edited: small.base };
  for (const keepDetail of [1, 0.5, 0])
    expect(measureFinish(same, none, { keepDetail })).toMatchObject({
      mseInside: 0,
      mseOutside: 0,
      flicker: 0,
      sharpnessOutside: 1,
    });
});

test('where nothing may change, or everything, the other place has no error, and a single picture no time', () => {
  const everywhere = { ...large, mask: mask.map(() => 255) };
  expect(measureFinish(everywhere, small, { keepDetail: 1 })).toMatchObject({
    mseOutside: null,
    sharpnessOutside: null,
  });
  const first = (of: Pictures) => ({ ...of, count: 1, data: of.data.subarray(0, of.data.length / of.count) });
  const still = { source: first(large.source), target: first(large.target), mask: mask.subarray(0, 64 * 48) };
  const edit = { base: first(small.base), edited: first(small.edited) };
  expect(measureFinish(still, edit, { keepDetail: 1 })).toMatchObject({ between: null, flicker: null });
});

test('pictures are handed over in their order', () => {
  const seen: number[] = [];
  measureFinish({ ...large, mask }, small, { keepDetail: 1 }, (rgb, index) => {
    expect(rgb).toHaveLength(64 * 48 * 3);
    seen.push(index);
  });
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test('rows are means over the edits of a scene, then over scenes, of all kinds and of each', () => {
  const edit = (kind: string, mseInside: number | null, success: boolean | null): FinishMeasures => ({
    ...{
      edit: 'words',
      keepDetail: 1,
      kind,
      to: 'x',
      mseInside,
      mseOutside: 0,
      sharpnessInside: 1,
      sharpnessOutside: 1,
    },
    ...{ between: 1, flicker: 0, success, preservation: 1, secondsPerPicture: 0.1 },
  });
  const rows = summariseFinish([
    { seed: 0, edits: [edit('light', 0.1, true), edit('hat', 0.3, false)], sheet: [] },
    { seed: 10, edits: [edit('light', 0.4, null)], sheet: [] },
  ]);
  expect(rows.map(({ kind, edits }) => [kind, edits])).toEqual([
    [null, 3],
    ['hat', 1],
    ['light', 2],
  ]);
  expect(rows[0]!.mseInside.mean).toBeCloseTo(0.3);
  expect(rows[0]!.mseInside.count).toBe(2);
  expect(rows[0]!.success).toMatchObject({ mean: 0.5, count: 1 });
  expect(rows[2]!.success).toMatchObject({ mean: 1, count: 1 });
});
