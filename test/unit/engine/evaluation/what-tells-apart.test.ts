import { expect, test } from 'vitest';
import { whatTellsApart } from '../../../../main/engine/evaluation/evaluate-twin.ts';

test('folders are called by what is not the same in all of them', () => {
  expect(whatTellsApart(['/c/twin/full/export', '/c/twin/no-averaging/export'])).toEqual(['full', 'no-averaging']);
  expect(whatTellsApart(['/a/small', '/b/c/large'])).toEqual(['a/small', 'b/c/large']);
  expect(whatTellsApart(['C:\\twins\\one', 'C:\\twins\\two'])).toEqual(['one', 'two']);
});

test('a folder alone, and one that is given twice, has its own name', () => {
  expect(whatTellsApart([])).toEqual([]);
  expect(whatTellsApart(['/c/twin'])).toEqual(['twin']);
  expect(whatTellsApart(['/c/twin', '/c/twin'])).toEqual(['twin', 'twin']);
});
