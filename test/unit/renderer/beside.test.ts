import { expect, it } from 'vitest';
import { besideAdded, besideRemoved, canActBeside } from '../../../renderer/features/edit/beside.ts';
import { promptTogether, tokensAfter } from '../../../shared/domain/concept.ts';
import { editSettings } from '../../../shared/domain/edit.ts';

const concept = (id: string, captions: [string, string][], model = 'tiny') => ({
  id,
  version: 1,
  model,
  captions: captions.map(([looks, moves]) => ({ static: looks, dynamic: moves })),
});
const dancer = concept('dancer', [['a [v] lady', 'dances in [u] motion']]);
const dog = concept('dog', [['a [v] dog', 'runs in [u] motion']]);
const pair = concept('pair', [
  ['a [v] boy', 'waves in [u] motion'],
  ['a [v2] girl', 'walks in [u2] motion'],
]);
const start = (prompt: string) => editSettings.parse({ prompt, fidelity: 0.3, guidance: 12, whole: true });

it('tokens are numbered on after the clips that come before', () => {
  expect(tokensAfter('a [v] boy with a [v2] girl in [u] motion', 0)).toBe('a [v] boy with a [v2] girl in [u] motion');
  expect(tokensAfter('a [v] boy with a [v2] girl in [u] motion', 1)).toBe('a [v2] boy with a [v3] girl in [u2] motion');
  expect(promptTogether([dancer, pair, dog])).toBe(
    'a [v] lady dances in [u] motion and a [v2] boy waves in [u2] motion on the left, a [v3] girl walks in [u3] motion on the right and a [v4] dog runs in [u4] motion',
  );
});

it('whoever is added brings words, and the first one makes it a clip from noise', () => {
  const first = { ...start(promptTogether([dancer])) };
  const one = besideAdded(first, [dancer], pair);
  expect(one).toMatchObject({ prompt: promptTogether([dancer, pair]), fidelity: 0, whole: false, guidance: 4 });
  expect(one.others).toEqual([
    { conceptId: 'pair', conceptVersion: 1, sliders: { identity: 1, motion: 1, directions: {} } },
  ]);
  const two = besideAdded({ ...first, ...one, prompt: 'a [v] lady in the snow' }, [dancer, pair], dog);
  expect(two.prompt).toBe('a [v] lady in the snow and a [v4] dog runs in [u4] motion');
  expect(two).not.toHaveProperty('fidelity');
});

it('whoever goes takes tokens along, and those behind move up', () => {
  const acting = [dancer, pair, dog];
  const others = ['pair', 'dog'].map((conceptId) => ({ conceptId, conceptVersion: 1, sliders: {} }));
  const settings = editSettings.parse({ prompt: promptTogether(acting), others });
  const without = besideRemoved(settings, acting, 1);
  expect(without.prompt).toBe(promptTogether([dancer, dog]));
  expect(without.others?.map(({ conceptId }) => conceptId)).toEqual(['dog']);
  const own = { ...settings, prompt: 'a [v] lady, a [v3] girl and a [v4] dog' };
  expect(besideRemoved(own, acting, 1).prompt).toBe('a [v] lady, a girl and a [v2] dog');
  expect(besideRemoved(own, acting, 2).prompt).toBe('a [v] lady, a [v3] girl and a dog');
});

it('those of another model, those that act already, and a fifth cannot act beside', () => {
  const stranger = concept('stranger', [['a [v] cat', '']], 'other');
  expect(canActBeside([dancer, dog, pair, stranger], [dancer])).toEqual([dog, pair]);
  const four = [dancer, dog, pair, concept('bird', [['a [v] bird', '']])];
  expect(canActBeside([...four, concept('fish', [['a [v] fish', '']])], four)).toEqual([]);
});
