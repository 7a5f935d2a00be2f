import { describe, expect, it } from 'vitest';
import { insertPhrase, phraseGroups } from '../../../renderer/features/edit/phrases.ts';
import { countChanges, markChanges, markUnknown, tokensOf } from '../../../renderer/features/edit/words.ts';
import { curveData } from '../../../renderer/features/learn/curve.ts';
import { fillTemplate } from '../../../renderer/features/queue/name-template.ts';
import { amend, record, redo, startHistory, undo } from '../../../shared/domain/history.ts';

const caption = 'a photograph of a [v] lady, in daylight, in a green park she is dancing in [u] motion';
const group = (id: string) => phraseGroups.find((known) => known.id === id)!;

describe('changed words', () => {
  it('marks nothing in the caption itself', () => {
    expect(countChanges(caption, caption)).toBe(0);
    expect(markChanges(caption, caption).some(({ kind }) => kind === 'changed')).toBe(false);
  });

  it('marks a run of changed words as one piece, and tokens as tokens', () => {
    const pieces = markChanges(caption.replace('in daylight', 'at sunset'), caption);
    expect(pieces.filter(({ kind }) => kind === 'changed').map(({ text }) => text)).toEqual(['at sunset,']);
    expect(pieces.filter(({ kind }) => kind === 'token').map(({ text }) => text)).toEqual(['[v]', '[u]']);
  });

  it('cuts out the words that a model was never taught, changed or not, and no token', () => {
    const pieces = markUnknown(
      markChanges('a [v] robot, at sunset', 'a [v] robot, in daylight'),
      new Set(['robot', 'sunset', 'v']),
    );
    expect(pieces.filter(({ isUnknown }) => isUnknown)).toEqual([
      { text: 'robot', kind: 'same', isUnknown: true },
      { text: 'sunset', kind: 'changed', isUnknown: true },
    ]);
    expect(pieces.map(({ text }) => text).join('')).toBe('a [v] robot, at sunset');
    expect(tokensOf('a [v] lady beside a [v2] dog, [v] in [u]')).toEqual(['[v]', '[v2]', '[u]']);
  });

  it('gives the prompt back when its pieces are put together', () => {
    const prompt = 'a [v] lady  on the moon,\nin [u] motion';
    expect(
      markChanges(prompt, caption)
        .map(({ text }) => text)
        .join(''),
    ).toBe(prompt);
  });
});

describe('phrases', () => {
  it('replaces the phrase of the same group, whatever its wording', () => {
    expect(insertPhrase(caption, group('light'), 'at sunset')).toBe(caption.replace('in daylight', 'at sunset'));
    expect(insertPhrase(caption, group('background'), 'on a beach')).toBe(
      caption.replace('in a green park', 'on a beach'),
    );
    expect(insertPhrase(caption, group('style'), 'pixel art of')).toBe(
      caption.replace('a photograph of', 'pixel art of'),
    );
  });

  it('puts a new look before the motion, and a camera at the end', () => {
    expect(insertPhrase(caption, group('object'), 'holding a ball')).toBe(
      caption.replace(' she is', ', holding a ball she is'),
    );
    expect(insertPhrase(caption, group('camera'), 'the camera pans')).toBe(`${caption}, the camera pans`);
  });
});

describe('history', () => {
  it('goes back and forth, and forgets what was undone when something new is done', () => {
    const three = record(record(startHistory(1), 2), 3);
    expect(undo(three).present).toBe(2);
    expect(redo(undo(three))).toEqual(three);
    expect(record(undo(three), 4)).toEqual({ past: [1, 2], present: 4, future: [] });
    expect(undo(startHistory(1))).toEqual(startHistory(1));
  });

  it('takes a movement as no step of its own', () => {
    expect(undo(amend(record(startHistory(1), 2), 5)).present).toBe(1);
  });
});

it('fills names and keeps them fit for every file system', () => {
  expect(fillTemplate('{concept} {edit} {what}', { concept: 'A/B: "C"', edit: 'edit 1' })).toBe('A B C edit 1 {what}');
  expect(fillTemplate('..', {})).toBe('motif');
});

it('draws both stages one after the other', () => {
  const point = (stage: 'identity' | 'motion', step: number, loss: number) => ({ stage, step, loss, learningRate: 0 });
  const [steps, identity, motion] = curveData([
    point('identity', 1, 3),
    point('identity', 2, 2),
    point('motion', 1, 1),
  ]);
  expect([steps, identity, motion]).toEqual([
    [1, 2, 3],
    [3, 2, null],
    [null, null, 1],
  ]);
});
