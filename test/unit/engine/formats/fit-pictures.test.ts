import { expect, test } from 'vitest';
import { firstFrames, fitPictures } from '../../../../main/engine/formats/fit-pictures.ts';

const grey = (values: number[][]) => ({
  data: Uint8Array.from(values.flat().flatMap((value) => [value, value, value])),
  count: 1,
  width: values[0]!.length,
  height: values.length,
});
const reds = ({ data }: { data: Uint8Array }) => Array.from(data).filter((_, index) => index % 3 === 0);

test('pictures of the wanted size stay as they are', () => {
  const pictures = grey([[1, 2]]);
  expect(fitPictures(pictures, 2, 1)).toBe(pictures);
});

test('a wider picture loses both sides alike', () => {
  const made = fitPictures(
    grey([
      [9, 1, 2, 9],
      [9, 3, 4, 9],
    ]),
    2,
    2,
  );
  expect(reds(made)).toEqual([1, 2, 3, 4]);
});

test('one even colour stays that colour at any size', () => {
  const flat = grey(Array.from({ length: 7 }, () => Array(9).fill(77)));
  for (const [width, height] of [
    [3, 2],
    [20, 31],
    [9, 5],
  ] as const)
    expect(new Set(reds(fitPictures(flat, width, height)))).toEqual(new Set([77]));
});

test('a finer chequerboard than the new grid becomes grey', () => {
  const board = grey(Array.from({ length: 32 }, (_, y) => Array.from({ length: 32 }, (__, x) => ((x + y) % 2) * 200)));
  for (const value of reds(fitPictures(board, 8, 8)).slice(9, -9)) expect(Math.abs(value - 100)).toBeLessThan(8);
});

test('twice the size lies between neighbours', () => {
  expect(
    reds(
      fitPictures(
        grey([
          [0, 100],
          [0, 100],
        ]),
        4,
        4,
      ),
    ).slice(0, 4),
  ).toEqual([0, 25, 75, 100]);
});

test('the first frames are those, or all that there are', () => {
  const clip = { data: Uint8Array.from([1, 1, 1, 2, 2, 2]), count: 2, width: 1, height: 1 };
  expect(firstFrames(clip, 1)).toMatchObject({ count: 1, data: Uint8Array.from([1, 1, 1]) });
  expect(firstFrames(clip, 5).count).toBe(2);
});
