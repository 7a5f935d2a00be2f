import { describe, expect, it } from 'vitest';
import {
  captionTexts,
  conceptCaptions,
  priorCaptions,
  stitchedCaption,
  tokenNames,
} from '../../../../main/engine/training/captions.ts';

const dancer = { static: 'a [v] man in a park', dynamic: 'is dancing in [u] motion, as the camera zooms in' };
const dog = { static: 'a [v] dog', dynamic: 'is running in [u] motion' };

describe('captions of a concept', () => {
  it('join both parts, and do without the second', () => {
    expect(captionTexts(dog).full).toBe('a [v] dog is running in [u] motion');
    expect(captionTexts({ static: 'a [v] dog', dynamic: '' }).full).toBe('a [v] dog');
  });

  it('of several clips name their own tokens', () => {
    const captions = conceptCaptions([dancer, dog]);
    expect(captions[1]).toEqual({ static: 'a [v2] dog', dynamic: 'is running in [u2] motion' });
    expect(tokenNames(captions)).toEqual(['v', 'u', 'v2', 'u2']);
    expect(stitchedCaption(captionTexts(captions[0]!), captionTexts(captions[1]!)).static).toBe(
      'a [v] man in a park on the left, a [v2] dog on the right',
    );
  });

  it('give every other prior prompt, without their tokens', () => {
    const prior = priorCaptions([dancer], 4).map(({ full }) => full);
    expect(prior[0]).toBe('a man in a park is dancing, as the camera zooms in');
    expect(prior[2]).toBe(prior[0]);
    expect(new Set(prior).size).toBe(3);
    expect(prior.join()).not.toMatch(/[[\]]/);
  });
});
