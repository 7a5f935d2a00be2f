import { expect, it } from 'vitest';
import { curveData, stagesOf } from '../../../renderer/features/learn/curve.ts';
import type { LossPoint } from '../../../shared/domain/engine.ts';

const points = (stage: LossPoint['stage'], count: number): LossPoint[] =>
  Array.from({ length: count }, (_, index) => ({ stage, step: index + 1, loss: index % 2, learningRate: 1e-3 }));

it("draws the motion's steps after those of the looks, each in its own series", () => {
  expect(curveData([...points('identity', 2), ...points('motion', 1)])).toEqual([
    [1, 2, 3],
    [0, 1, null],
    [null, null, 0],
    [null, null, null],
  ]);
});

it('averages neighbours where there are more points than can be told apart', () => {
  const [steps, losses] = curveData(points('identity', 1200));
  expect(steps).toHaveLength(300);
  expect(new Set(losses)).toEqual(new Set([0.5]));
  expect(steps.at(-1)).toBe(1200);
});

it('names the stages in their order, and draws all after the third with the third', () => {
  const four = ['words', 'identity', 'motion', 'more'].flatMap((stage) => points(stage, 1));
  expect(stagesOf(four)).toEqual(['words', 'identity', 'motion', 'more']);
  expect(curveData(four)).toEqual([
    [1, 2, 3, 4],
    [0, null, null, null],
    [null, 0, null, null],
    [null, null, 0, 0],
  ]);
});
