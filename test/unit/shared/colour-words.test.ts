import { expect, it } from 'vitest';
import { recolourOf } from '../../../shared/domain/colour-words.ts';

it('words that change one colour alone ask for that thing to be recoloured', () => {
  expect(recolourOf('a red car on a street', 'a blue car on a street')).toEqual({ from: 'red', to: 'blue' });
  expect(recolourOf('a car on a street', 'a green car on a street')).toEqual({ from: null, to: 'green' });
  expect(recolourOf('an orange fish', 'a violet fish')).toEqual({ from: 'orange', to: 'purple' });
  expect(recolourOf('a [v] man in a gray shirt', 'a [v] man in a black shirt')).toEqual({ from: 'grey', to: 'black' });
});

it('of two things of one colour, one changes', () => {
  expect(recolourOf('a red car and a red ball', 'a blue car and a red ball')).toEqual({ from: 'red', to: 'blue' });
});

it.each([
  ['a red car', 'a red car'],
  ['a red car', 'a car'],
  ['a red car', 'a blue boat'],
  ['a red car by day', 'a blue car at night'],
  ['a red car and a green ball', 'a blue car and a yellow ball'],
  ['a gray car', 'a grey car'],
  ['a fast car', 'a blue car'],
  ['a man in a shirt', 'a man in a red coat'],
])('%s -> %s is more than a colour, or none', (before, after) => {
  expect(recolourOf(before, after)).toBeNull();
});
