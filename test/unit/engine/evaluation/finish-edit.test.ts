import { expect, test } from 'vitest';
import { finishEdit } from '../../../../main/engine/evaluation/finish-edit.ts';
import type { Pictures } from '../../../../main/engine/formats/raw-frames.ts';

const [count, height, width] = [3, 24, 32];

/** A clip by a rule for each pixel; all channels differ. */
function clip(value: (frame: number, row: number, column: number) => number): Pictures {
  const data = new Uint8Array(count * height * width * 3);
  for (let frame = 0, at = 0; frame < count; frame++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        for (let channel = 0; channel < 3; channel++) data[at++] = value(frame, row, column) + 8 * channel;
  return { data, count, height, width };
}

const soft = (frame: number, row: number, column: number) => 40 + 2 * row + column + 10 * frame;
/** What no autoencoder of this size gives back. */
const detail = (row: number, column: number) => ((row + column) % 2 === 0 ? 8 : -8);

const coded = clip(soft);
const source = clip((frame, row, column) => soft(frame, row, column) + detail(row, column));

test('an edit that changes nothing leaves the source as it is, sharper than the model has it', () => {
  const { pictures } = finishEdit(source, coded, { pictures: coded, seconds: 0 }, { keepDetail: 1 });
  expect(pictures).toMatchObject({ count, height, width });
  expect(largestDifference(pictures, source)).toBeLessThanOrEqual(1);
});

test('a change of colour is done to the source, every frame by its own change, and the detail stays', () => {
  const darker = clip((frame, row, column) => 0.5 * soft(frame, row, column) + 20 * frame);
  const { pictures, seconds } = finishEdit(source, coded, { pictures: darker, seconds: 2 }, { keepDetail: 0.5 });
  const middle = at(pictures, 1, 12, 16);
  expect(Math.abs(middle - at(darker, 1, 12, 16))).toBeLessThan(12);
  expect(at(pictures, 2, 12, 16)).toBeGreaterThan(at(pictures, 0, 12, 16) + 20);
  expect(middle - at(pictures, 1, 12, 17)).toBeGreaterThan(4);
  expect(seconds).toBeGreaterThan(2);
});

test('the source itself is not written into', () => {
  const before = source.data.slice();
  finishEdit(source, coded, { pictures: clip(() => 0), seconds: 0 }, { keepDetail: 1 });
  expect(source.data).toEqual(before);
});

const at = ({ data }: Pictures, frame: number, row: number, column: number) =>
  data[((frame * height + row) * width + column) * 3]!;

const largestDifference = (a: Pictures, b: Pictures) =>
  a.data.reduce((most, value, index) => Math.max(most, Math.abs(value - b.data[index]!)), 0);
