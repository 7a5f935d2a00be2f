import { expect, test } from 'vitest';
import { cropTo, subjectBoxes } from '../../../../main/engine/evaluation/subject-crop.ts';

const size = { width: 40, height: 30, frameCount: 2 };

test('a square around the subject follows it, and is as large in every frame', () => {
  const coverage = new Uint8Array(2 * 30 * 40);
  const fill = (frame: number, left: number, top: number, side: number) => {
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++) coverage[(frame * 30 + y) * 40 + x] = 255;
  };
  fill(0, 4, 6, 10);
  fill(1, 20, 10, 8);
  // A tenth more than the largest side, rounded up, around each middle.
  expect(subjectBoxes(coverage, size)).toEqual([
    { left: 4, top: 6, side: 11 },
    { left: 19, top: 9, side: 11 },
  ]);
});

test('without a subject it is the whole frame, and a frame without one has the square before', () => {
  expect(subjectBoxes(undefined, size)[0]).toMatchObject({ side: 40 });
  const coverage = new Uint8Array(2 * 30 * 40);
  coverage[5 * 40 + 7] = 255;
  const [first, second] = subjectBoxes(coverage, size);
  expect(second).toEqual(first);
});

test('a crop of the whole square is the picture, and beyond the edge the edge goes on', () => {
  const data = Uint8Array.from({ length: 128 * 128 * 3 }, (_, i) => i % 251);
  const whole = { data, count: 1, width: 128, height: 128 };
  expect(cropTo(whole, [{ left: 0, top: 0, side: 128 }]).data).toEqual(data);
  const beyond = cropTo(whole, [{ left: -500, top: -500, side: 128 }]);
  expect(new Set(beyond.data)).toEqual(new Set(data.subarray(0, 3)));
});
