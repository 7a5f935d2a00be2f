import { expect, it } from 'vitest';
import { insertWord } from '../../../renderer/features/learn/clip-words.ts';

it('inserts a mark with spaces around it, in place of what is chosen', () => {
  expect(insertWord('', '[v]', 0, 0)).toBe('[v] ');
  expect(insertWord('it burns', '[u]', 8, 8)).toBe('it burns [u] ');
  expect(insertWord('a dog', '[v]', 2, 2)).toBe('a [v] dog');
  expect(insertWord('a dog', '[v]', 1, 1)).toBe('a [v] dog');
  expect(insertWord('a big dog', '[v]', 2, 5)).toBe('a [v] dog');
});
