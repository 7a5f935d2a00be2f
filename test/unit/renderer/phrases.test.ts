import { expect, it } from 'vitest';
import { insertPhrase, phraseGroups } from '../../../renderer/features/edit/phrases.ts';

const group = (id: string) => phraseGroups.find((one) => one.id === id)!;
const prompt =
  'a photograph of a [v] lady wearing a pink top, in daylight, in a green park she is dancing in [u] motion';

it('puts a phrase in the place of the one of its group that is there, however it is worded', () => {
  expect(insertPhrase(prompt, group('background'), 'on a beach')).toContain('in daylight, on a beach she is');
  expect(insertPhrase(prompt, group('light'), 'at night')).toContain('pink top, at night, in a green park');
});

it('puts a new one where such phrases stand: at the beginning, before the motion, at the end', () => {
  expect(insertPhrase('a [v] dog', group('style'), 'pixel art of')).toBe('pixel art of a [v] dog');
  expect(insertPhrase('a [v] dog is running in [u] motion', group('weather'), 'in fog')).toBe(
    'a [v] dog, in fog is running in [u] motion',
  );
  expect(insertPhrase('a [v] dog.', group('camera'), 'the camera pans')).toBe('a [v] dog, the camera pans');
});
