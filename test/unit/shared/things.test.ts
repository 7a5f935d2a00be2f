import { expect, it } from 'vitest';
import { changesThings, usualFor } from '../../../shared/domain/things.ts';

it.each([
  ['a photograph of a person in a yellow hoodie', 'a photograph of a person in a red shirt'],
  ['a woman in a blue top is dancing', 'a woman in a red top is dancing'],
  ['a man in a park', 'a man in a park holding a glass'],
  ['a man with a hat', 'a man'],
  ['a girl in a long striped dress, the camera is still', 'a girl in a short dress, the camera is still'],
])('from "%s" to "%s" changes only what is worn or held', (before, after) => {
  expect(changesThings(before, after)).toBe(true);
  expect(changesThings(after, before)).toBe(true);
});

it.each([
  ['a person in a yellow hoodie by day', 'a person in a yellow hoodie at night'],
  ['a person in a yellow hoodie in a room', 'a person in a red shirt on a beach'],
  ['a photograph by day', 'a photograph in blue light'],
  ['a hawk in a forest', 'a red hawk in a forest'],
  ['a photograph of a dog', 'a photograph of a dog'],
  ['a [v] lady in a blue top', 'a watercolour painting of a [v] lady in a blue top'],
])('from "%s" to "%s" changes more, or nothing', (before, after) => {
  expect(changesThings(before, after)).toBe(false);
});

it('an edit of a thing begins locked and with less of the concept, any other with all of both', () => {
  expect(usualFor('a [v] person in a blue top', 'a [v] person in a red top')).toEqual({
    lock: true,
    part: 0.75,
    recolour: { from: 'blue', to: 'red' },
  });
  expect(usualFor('a [v] person in a blue top', 'a [v] person in a blue top at night')).toEqual({
    lock: false,
    part: 1,
    recolour: null,
  });
});
