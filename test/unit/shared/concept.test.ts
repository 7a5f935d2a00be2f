import { expect, it } from 'vitest';
import {
  givesClipBack,
  hasOwnClip,
  learnedPrompt,
  learnedStages,
  learnedSteps,
} from '../../../shared/domain/concept.ts';
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

it('gives its clip back where it explains half of the clip, or is well above what mean colours come to', () => {
  const measured = (metrics: object) => givesClipBack({ metrics });
  expect(measured({})).toBe(null);
  // A dog and a candle whose layouts were lost, palms and waves that were kept.
  expect([7, 12.4, 21.1, 24.2].map((reconstructionPsnr) => measured({ reconstructionPsnr }))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  // A dark clip is near its mean colour whatever was learned, a stark one far from it.
  expect(measured({ reconstructionPsnr: 24, reconstructionMse: 0.004, plainMse: 0.002 })).toBe(false);
  expect(measured({ reconstructionPsnr: 16, reconstructionMse: 0.025, plainMse: 0.08 })).toBe(true);
});

it('the stages of a concept are those of its method, with the steps that were done of each', () => {
  const asked = { stepsIdentity: 250, stepsMotion: 400 };
  const stages = (method: 'lora' | 'dreamvideo', metrics: object) =>
    learnedStages({ recipe: recipe.parse({ ...asked, method }), metrics }).map(
      ({ label, steps }) => `${label} ${steps}`,
    );
  expect(stages('lora', {})).toEqual(['identity 400']);
  expect(stages('lora', { stepsIdentity: 7, stepsMotion: 0 })).toEqual(['identity 7']);
  expect(stages('dreamvideo', { stepsMotion: 3 })).toEqual(['words 250', 'identity 250', 'motion 3']);
});

it('begins edits at its clip where it has one of its own', () => {
  expect(hasOwnClip({ clipIds: ['a'], metrics: {} })).toBe(true);
  expect(hasOwnClip({ clipIds: ['a', 'b'], metrics: {} })).toBe(false);
  expect(hasOwnClip({ clipIds: ['a'], metrics: { isMix: true } })).toBe(false);
});
