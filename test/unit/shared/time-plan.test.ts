import { expect, it } from 'vitest';
import { editSettings } from '../../../shared/domain/edit.ts';
import type { ModelInfo } from '../../../shared/domain/model.ts';
import { recipe } from '../../../shared/domain/recipe.ts';
import { planEditSeconds, planLearningTime, timedOn } from '../../../shared/domain/time-plan.ts';
import { makeConcept } from '../../fixtures/library.ts';
import { makeModelInfo, smallWork } from '../../fixtures/model-info.ts';

const model = makeModelInfo();
const times = (factor: number, { numbers, sides }: { numbers: number; sides: number }) => ({
  numbers: factor * numbers,
  sides: factor * sides,
});
const twice: ModelInfo = {
  ...model,
  name: 'n',
  directory: '/n',
  layers: 2,
  work: { ...smallWork, clip: times(2, smallWork.clip), prompt: times(2, smallWork.prompt) },
};
const device = { machine: 'here', matMulGflops: 100 };
const memoryBytes = 1e12;
const asked = recipe.parse({ stepsIdentity: 10, stepsMotion: 20 });
const timing = { prepare: 3, identity: 0.5, motion: 2, measure: 4, machine: 'here' };
const learned = (id: string, of: ModelInfo, changes: object = {}) => ({
  concept: makeConcept(id, ['c'], { recipe: asked, metrics: { timing: { ...timing, ...changes } } }),
  model: of,
});
const plan = (of: ModelInfo, timed: ReturnType<typeof learned>[], which = asked) =>
  planLearningTime(of, which, { device, memoryBytes, timed })!;

it('goes by what the same learning took here before', () => {
  const expected = plan(model, [learned('first', model)]);
  expect(expected.by).toBe('first');
  expect(expected.timing.motion).toBeCloseTo(2, 9);
  expect(expected.seconds).toBeCloseTo(3 + 10 * 0.5 + 20 * 2 + 4, 9);
});

it('scales it by what there is to compute: larger batches, another model', () => {
  const before = [learned('first', model)];
  const more = plan(model, before, recipe.parse({ ...asked, batchSizeMotion: 2 * asked.batchSizeMotion }));
  expect(more.timing.motion / 2).toBeGreaterThan(1.6);
  expect(more.timing.identity).toBeCloseTo(0.5, 9);
  const larger = plan(twice, before);
  expect(larger.by).toBe('first');
  expect(larger.timing.motion).toBeCloseTo(4, 9); // twice as many layers
  expect(larger.timing.prepare).toBeLessThan(6); // the autoencoder is the same
});

it('prefers the same model to a later learning on another, and the later of two', () => {
  const timed = [learned('old', model), learned('new', model, { motion: 3 }), learned('other', twice)];
  expect(plan(model, timed).by).toBe('new');
  expect(plan(model, timed).timing.motion).toBeCloseTo(3, 9);
  expect(plan(twice, timed).by).toBe('other');
});

it('goes by the rate of its products where nothing was learned on this machine, and then says nothing of a name', () => {
  const elsewhere = [
    learned('imported', model, { machine: 'elsewhere' }),
    learned('unmarked', model, { machine: undefined }),
  ];
  const expected = plan(model, elsewhere);
  expect(expected.by).toBe(null);
  const faster = planLearningTime(model, asked, { device: { ...device, matMulGflops: 200 }, memoryBytes, timed: [] })!;
  expect(faster.seconds).toBeCloseTo(expected.seconds / 2, 12);
  const unknown = { device: { ...device, matMulGflops: null }, memoryBytes, timed: elsewhere };
  expect(planLearningTime(model, asked, unknown)).toBe(null);
});

it('takes a stage that was not there to go as the one that was', () => {
  const one = plan(model, [learned('first', model, { motion: undefined })]);
  expect(one.timing.motion).toBeGreaterThan(0);
  expect(one.timing.identity).toBeCloseTo(0.5, 9);
});

it('plans an edit by the last one, else by a learning, else by the rate', () => {
  const settings = editSettings.parse({ prompt: 'p', steps: 10, fidelity: 0 });
  const frames = { width: 16, height: 16, frameCount: 5 };
  const edit = { settings, frames, rank: 3 };
  const seconds = (known: Partial<Parameters<typeof planEditSeconds>[2]>, changed = edit) =>
    planEditSeconds(model, changed, { device: null, timed: [], last: null, ...known });
  const last = { ...edit, seconds: 6 };
  expect(seconds({ last })).toBeCloseTo(6, 9);
  const more = seconds({ last }, { ...edit, settings: { ...settings, steps: 20 } })!;
  expect(more).toBeGreaterThan(6.5);
  expect(more).toBeLessThan(12); // it is decoded once
  expect(seconds({})).toBe(null);
  const byRate = seconds({ device })!;
  const byLearning = seconds({ device, timed: [learned('first', model)] })!;
  expect(byLearning / byRate).toBeGreaterThan(1000); // that learning was slow
});

it('knows of learnings only those that were timed, on models that are still here', () => {
  const [timed, untimed] = [learned('a', model).concept, makeConcept('b', ['c'])];
  expect(timedOn([timed, untimed], () => model).map(({ concept }) => concept.name)).toEqual(['a']);
  expect(timedOn([timed], () => null)).toEqual([]);
});
