import { expect, it } from 'vitest';
import { fillTemplate, numberDuplicates } from '../../../renderer/features/queue/name-template.ts';

it('fills the places of a name template and leaves what it does not know', () => {
  expect(fillTemplate('{concept} {edit} {what}', { concept: 'Dancer', edit: 'edit 3' })).toBe('Dancer edit 3 {what}');
});

it('makes names that every file system takes', () => {
  expect(fillTemplate('{words}', { words: 'a/b: "c"?\u0007  d' })).toBe('a b c d');
  expect(fillTemplate('{words}', { words: '...' })).toBe('motif');
  expect(fillTemplate('{words}', { words: 'x'.repeat(300) })).toHaveLength(100);
});

it('numbers files of one name, before their ending', () => {
  const names = ['a.mp4', 'a.gif', 'a.mp4', 'folder', 'folder', 'a.mp4'];
  expect(numberDuplicates(names.map((name) => ({ name }))).map(({ name }) => name)).toEqual([
    'a.mp4',
    'a.gif',
    'a 2.mp4',
    'folder',
    'folder 2',
    'a 3.mp4',
  ]);
});
