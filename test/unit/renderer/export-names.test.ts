import { expect, it } from 'vitest';
import { fileName, fillTemplate, numberDuplicates } from '../../../renderer/features/queue/name-template.ts';

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

it('tells forms of one ending apart, once', () => {
  const name = (template: string, preset: 'h264' | 'h265' | 'av1' | 'png', ownName: string | null = null) =>
    fileName(template, { concept: 'Dancer' }, { preset, ownName });
  expect(name('{concept}', 'h264')).toBe('Dancer.mp4');
  expect(name('{concept}', 'h265')).toBe('Dancer h265.mp4');
  expect(name('{concept}', 'av1')).toBe('Dancer av1.mp4');
  expect(name('{concept}', 'png')).toBe('Dancer');
  expect(name('{concept}', 'h264', 'For: web')).toBe('Dancer For web.mp4');
  expect(name('{concept} {preset}', 'h265')).toBe('Dancer h265.mp4');
  expect(name('{preset}/{concept}', 'h264', 'Small')).toBe('Small Dancer.mp4');
});
