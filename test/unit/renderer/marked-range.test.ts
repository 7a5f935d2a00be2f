import { expect, test } from 'vitest';
import { markedRange } from '../../../renderer/features/learn/marked-range.ts';
import type { Clip } from '../../../shared/domain/clip.ts';

const clip = { fromSeconds: 2, toSeconds: 4.125, source: { rate: { numerator: 30, denominator: 1 } } } as Clip;

test("without marks the clip's own range is learned again, also with another crop or model", () => {
  expect(markedRange(clip, { inFrame: null, outFrame: null })).toEqual({ fromSeconds: 2, toSeconds: 4.125 });
});

test('marks are frames of the source, the last one included', () => {
  expect(markedRange(clip, { inFrame: 15, outFrame: 44 })).toEqual({ fromSeconds: 0.5, toSeconds: 1.5 });
  expect(markedRange(clip, { inFrame: 150, outFrame: null })).toEqual({ fromSeconds: 5, toSeconds: undefined });
  expect(markedRange(clip, { inFrame: null, outFrame: 89 })).toEqual({ fromSeconds: 2, toSeconds: 3 });
});

test("an end before the clip's own beginning starts at the source's", () => {
  expect(markedRange(clip, { inFrame: null, outFrame: 29 })).toEqual({ fromSeconds: 0, toSeconds: 1 });
});
