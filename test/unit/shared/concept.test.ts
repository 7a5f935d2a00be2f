import { expect, it } from 'vitest';
import { learnedPrompt, learnedSteps } from '../../../shared/domain/concept.ts';
import { recipe } from '../../../shared/domain/recipe.ts';

const dancer = { static: 'a [v] lady', dynamic: 'is dancing in [u] motion' };
const fire = { static: 'a [v] bonfire', dynamic: 'is flickering in [u] motion' };

it('begins the prompt of a joint concept with the tokens of each clip, worded as in its learning', () => {
  expect(learnedPrompt([dancer])).toBe('a [v] lady is dancing in [u] motion');
  expect(learnedPrompt([dancer, fire])).toBe(
    'a [v] lady is dancing in [u] motion on the left, a [v2] bonfire is flickering in [u2] motion on the right',
  );
  expect(learnedPrompt([dancer, fire, { static: 'a [v] dog', dynamic: '' }])).toMatch(/ and a \[v3\] dog$/);
});

it('was learned with the steps that were done, where it was ended early', () => {
  const asked = recipe.parse({ stepsIdentity: 250, stepsMotion: 400 });
  expect(learnedSteps({ recipe: asked, metrics: { stepsIdentity: 6, stepsMotion: 0 } })).toEqual({
    identity: 6,
    motion: 0,
  });
  expect(learnedSteps({ recipe: asked, metrics: {} })).toEqual({ identity: 250, motion: 400 });
});
