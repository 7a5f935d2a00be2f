import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ComposeState } from '../../../renderer/features/compose/compose.svelte.ts';
import { recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { makeClip, makeConcept } from '../../fixtures/library.ts';
import { fakePage, fakeServices, later, settled } from './fake-services.svelte.ts';

beforeEach(() => {
  fakePage();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const waltz = makeConcept('waltz', ['ballroom']);
const tango = makeConcept('tango', ['street']);
const elsewhere = makeConcept('elsewhere', ['street'], { model: 'other' });
const hawk = makeClip('hawk', { notes: 'a [v] hawk\nit turns in [u] motion' });

function start(answers: Parameters<typeof fakeServices>[0] = {}) {
  const world = fakeServices({ 'jobs.enqueue': () => ({ id: 'job' }), ...answers });
  const library = {
    allConcepts: [waltz, tango, elsewhere],
    clipById: (id: string) => (id === hawk.id ? hawk : null),
  };
  const learn = { model: null, recipe: recipe.parse({ rank: 3 }) };
  return { compose: new ComposeState(world.services, world.notices, library, learn), ...world };
}

it('concepts and clips are learned together in the order in which they were chosen, each with its words', async () => {
  const { compose, inputsOf } = start();
  compose.chosen = ['hawk', 'waltz'];
  compose.setWords(compose.parts[0]!, { static: ' a [v] hawk at night ' });
  expect(await compose.start()).toBe(true);
  expect(inputsOf('jobs.enqueue')).toMatchObject([
    {
      kind: 'learn',
      name: 'hawk + waltz',
      clips: [
        { clipId: 'hawk', caption: { static: 'a [v] hawk at night', dynamic: 'it turns in [u] motion' } },
        { clipId: 'ballroom', caption: waltz.captions[0] },
      ],
      recipe: { rank: 3 },
      model: 'fake',
    },
  ]);
  expect([compose.chosen, compose.name]).toEqual([[], '']);
});

it('needs two, with both tokens each', () => {
  const { compose } = start();
  compose.chosen = ['hawk'];
  expect(compose.isReady).toBe(false);
  compose.chosen = ['hawk', 'waltz'];
  expect(compose.isReady).toBe(true);
  compose.setWords(compose.parts[1]!, { dynamic: 'is dancing' });
  expect(compose.isReady).toBe(false);
});

it('while it is on its way into the queue nothing is asked twice, and a refusal keeps what was chosen', async () => {
  const refusal = later<never>();
  const { compose, inputsOf, told } = start({ 'jobs.enqueue': () => refusal.answer });
  compose.chosen = ['hawk', 'waltz'];
  compose.name = 'Both';
  const starting = compose.start();
  await settled();
  expect(compose.starting).toBe(true);
  expect(await compose.start()).toBe(false);
  expect(inputsOf('jobs.enqueue')).toMatchObject([{ name: 'Both' }]);
  refusal.fail(new AppError('conflict', 'Another program writes this library.'));
  expect(await starting).toBe(false);
  expect([compose.starting, told(), compose.chosen, compose.name]).toEqual([
    false,
    ['Another program writes this library.'],
    ['hawk', 'waltz'],
    'Both',
  ]);
});

it('the identity of one and the motion of another are put together under the names of both', async () => {
  const mixed = makeConcept('mixed', ['ballroom', 'street']);
  const { compose, inputsOf } = start({ 'concepts.mix': () => mixed });
  compose.choosePart('identity', 'waltz');
  expect([compose.canMix, await compose.mix()]).toEqual([false, null]);
  compose.choosePart('motion', 'waltz');
  expect(compose.canMix).toBe(false);
  compose.choosePart('motion', 'tango');
  expect(compose.mixedWords).toBe('a [v] person in a blue jacket is dancing in [u] motion');
  expect(await compose.mix()).toEqual(mixed);
  expect(inputsOf('concepts.mix')).toEqual([{ identity: 'waltz', motion: 'tango', name: 'waltz as tango' }]);
});

it('a mix that cannot be made is told, and keeps its name', async () => {
  const { compose, told } = start({
    'concepts.mix': () => {
      throw new AppError('conflict', 'They are of different models.');
    },
  });
  compose.choosePart('identity', 'waltz');
  compose.choosePart('motion', 'elsewhere');
  compose.mixName = 'Mine';
  expect(await compose.mix()).toBeNull();
  expect([told(), compose.mixName]).toEqual([['They are of different models.'], 'Mine']);
});

it('beside a concept only another one of its model can act', () => {
  const { compose } = start();
  compose.chooseTogether('beside', 'elsewhere');
  expect(compose.together.beside).toBeNull();
  compose.chooseTogether('own', 'waltz');
  expect(compose.besideChoices.map(({ id }) => id)).toEqual(['tango']);
  expect(compose.together.beside).toBeNull();
  compose.chooseTogether('beside', 'tango');
  expect([compose.together.own?.id, compose.together.beside?.id]).toEqual(['waltz', 'tango']);
});
