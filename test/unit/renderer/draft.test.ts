import { expect, it } from 'vitest';
import { Draft } from '../../../renderer/app/draft.svelte.ts';

it('a movement is one step of undo, whatever it passes through', () => {
  const draft = new Draft(0);
  for (const value of [1, 2, 3]) draft.amend(value);
  draft.settle();
  expect(draft.value).toBe(3);
  draft.undo();
  expect(draft.value).toBe(0);
  expect([draft.canUndo, draft.canRedo]).toEqual([false, true]);
  draft.redo();
  expect(draft.value).toBe(3);
});

it('a movement that ends where it began is no step, and neither is the same value again', () => {
  const draft = new Draft({ gain: 1 });
  draft.amend({ gain: 2 });
  draft.amend({ gain: 1 });
  draft.settle();
  draft.record({ gain: 1 });
  expect(draft.canUndo).toBe(false);
});

it('undo in the middle of a movement takes all of it back', () => {
  const draft = new Draft('before');
  draft.record('step');
  draft.amend('st');
  draft.amend('s');
  draft.undo();
  expect(draft.value).toBe('step');
  draft.undo();
  expect(draft.value).toBe('before');
});

it('a step after an undo forgets what was undone', () => {
  const draft = new Draft(0);
  draft.record(1);
  draft.undo();
  draft.record(2);
  expect(draft.canRedo).toBe(false);
  draft.undo();
  expect(draft.value).toBe(0);
});

it('what another window does in the middle of a movement is a step of its own', () => {
  const draft = new Draft('');
  draft.amend('mine');
  draft.amend('theirs', true);
  draft.amend('theirs too', true);
  draft.undo();
  expect(draft.value).toBe('mine');
  draft.undo();
  expect(draft.value).toBe('');
});

it('another value begins without a past, also in the middle of a movement', () => {
  const draft = new Draft(0);
  draft.record(1);
  draft.amend(2);
  draft.start(7);
  draft.settle();
  expect([draft.value, draft.canUndo, draft.canRedo]).toEqual([7, false, false]);
});

it('what is replaced is no step', () => {
  const draft = new Draft({ words: 'a', id: '' });
  draft.record({ words: 'b', id: '' });
  draft.replace({ words: 'b', id: 'saved' });
  expect(draft.value.id).toBe('saved');
  draft.undo();
  expect(draft.value).toEqual({ words: 'a', id: '' });
});
