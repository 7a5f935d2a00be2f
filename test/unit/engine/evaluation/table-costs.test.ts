import { expect, test } from 'vitest';
import { curvesOf } from '../../../../main/engine/evaluation/learned-concept.ts';
import { costOf, usualOf, withinBudget } from '../../../../main/engine/evaluation/table-costs.ts';
import { recipe } from '../../../../shared/domain/recipe.ts';

test('steps that compiled something do not count', () => {
  expect(usualOf([9, 1, 1.2, 0.8, 8, 1])).toBeCloseTo(1, 12);
  expect(usualOf([2])).toBe(2);
});

test('every recipe gets as many steps as fit into the budget, its stages in their proportion', () => {
  const costs = { identity: 1, motion: 2 };
  const whole = recipe.parse({});
  expect(costOf(whole, costs)).toBe(300 + 1200);
  expect(withinBudget(whole, costs, 750)).toMatchObject({ stepsIdentity: 150, stepsMotion: 300 });
  // One stage, which is called identity, has the number of the other.
  expect(withinBudget(recipe.parse({ method: 'lora-8' }), { identity: 3 }, 1500)).toMatchObject({ stepsMotion: 500 });
  expect(withinBudget(whole, costs, 0.001)).toMatchObject({ stepsIdentity: 1, stepsMotion: 1 });
});

test('a curve is the means of equal parts of the steps of each stage', () => {
  const losses = Array.from({ length: 48 }, (_, index) => ({
    stage: 'motion',
    step: index + 1,
    loss: index,
    learningRate: 1,
  }));
  const first = { stage: 'identity', step: 1, loss: 7, learningRate: 1 };
  const [identity, motion] = curvesOf([first, ...losses]);
  expect(identity).toEqual({ stage: 'identity', losses: [7] });
  expect(motion!.losses).toHaveLength(24);
  expect(motion!.losses.slice(0, 2)).toEqual([0.5, 2.5]);
});
