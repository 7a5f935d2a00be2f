import { expect, test } from 'vitest';
import { summariseConcepts } from '../../../../main/engine/evaluation/summarise-concepts.ts';
import type { EditMeasures, MethodMeasures, SceneMeasures } from '../../../../shared/domain/evaluation.ts';

const edit = (kind: string, changes: Partial<EditMeasures> = {}): EditMeasures => ({
  kind,
  to: 'x',
  variant: null,
  finished: false,
  success: true,
  preservation: 1,
  mse: 0.1,
  mseInside: 0.2,
  mseOutside: 0.05,
  identity: 0.8,
  textAgreement: 0.5,
  temporalCoherence: 0.9,
  seconds: 6,
  ...changes,
});

const measures = (method: MethodMeasures['method'], changes: Partial<MethodMeasures> = {}): MethodMeasures => ({
  method,
  learnSeconds: 100,
  reconstruction: {
    mse: 0.01,
    identity: 0.9,
    textAgreement: 0.5,
    temporalCoherence: 0.9,
    preservation: 1,
    seconds: 6,
  },
  edits: [],
  sliders: [],
  ...changes,
});

const scene = (seed: number, ...methods: MethodMeasures[]): SceneMeasures => ({
  seed,
  caption: { static: 'a [v] man', dynamic: 'is walking' },
  methods,
  sheet: [],
});

test("a scene's mean over its edits is one value, so that scenes with many edits weigh no more", () => {
  const many = measures('concept', { edits: [1, 2, 3].map(() => edit('shirt', { success: true })) });
  const few = measures('concept', { edits: [edit('light', { success: false })] });
  const [summary] = summariseConcepts([scene(0, many), scene(10, few)]).methods;
  expect(summary!.success).toMatchObject({ mean: 0.5, count: 2 });
  expect(summary!.psnr.mean).toBeCloseTo(20);
});

test('edits that replace the subject do not count for ID, nor unnamed ones for success', () => {
  const edits = [edit('subject', { identity: 0.1 }), edit('hat', { success: null, mseOutside: null })];
  const [summary] = summariseConcepts([scene(0, measures('concept', { edits }))]).methods;
  expect(summary!.editIdentity.mean).toBe(0.8);
  expect(summary!.success).toMatchObject({ mean: 1 });
  expect(summary!.errorOutside.mean).toBe(0.05);
});

test('rows come as truth, base, words alone, LoRA, concept, and kinds keep the methods beside each other', () => {
  const edits = [edit('shirt'), edit('light')];
  const all = (['concept', 'base', 'truth', 'lora', 'words', 'autoencoder'] as const).map((method) =>
    measures(method, { edits: method === 'autoencoder' ? [] : edits }),
  );
  const { methods, kinds } = summariseConcepts([scene(0, ...all)]);
  expect(methods.map(({ method }) => method)).toEqual(['truth', 'autoencoder', 'base', 'words', 'lora', 'concept']);
  expect(kinds.map(({ kind, method }) => `${kind} ${method}`).slice(0, 6)).toEqual([
    'shirt truth',
    'shirt base',
    'shirt words',
    'shirt lora',
    'shirt concept',
    'light truth',
  ]);
});

test('an edit with a slider turned down has a row of its own and counts in no mean', () => {
  const edits = [edit('motion', { success: false }), edit('motion', { success: true, variant: 'motion gain 0' })];
  const { methods, kinds } = summariseConcepts([scene(0, measures('concept', { edits }))]);
  expect(methods[0]!.success.mean).toBe(0);
  expect(kinds.map(({ kind, success }) => [kind, success.mean])).toEqual([
    ['motion', 0],
    ['motion, motion gain 0', 1],
  ]);
});

test('finished edits have rows of their own, which count in no mean of those as sampled and say nothing of reconstructions', () => {
  const finished = (changes: Partial<EditMeasures>) => edit('light', { finished: true, ...changes });
  const concept = measures('concept', {
    edits: [
      edit('light', { mse: 0.3, success: true }),
      finished({ mse: 0.1, success: false }),
      finished({ mse: 9, variant: 'motion gain 0' }),
    ],
  });
  const base = measures('base', { edits: [edit('light', { mse: 0.5 })] });
  const { methods, kinds } = summariseConcepts([scene(0, base, concept)]);
  const rows = methods.map(({ method, finished, editError, psnr }) => [method, finished, editError.mean, psnr.count]);
  expect(rows).toEqual([
    ['base', false, 0.5, 1],
    ['concept', false, 0.3, 1],
    ['concept', true, 0.1, 0],
  ]);
  const named = kinds.map(({ kind, method, finished, success }) => [kind, method, finished, success.mean]);
  expect(named).toEqual([
    ['light', 'base', false, 1],
    ['light', 'concept', false, 1],
    ['light', 'concept', true, 0],
    ['light, motion gain 0', 'concept', true, 1],
  ]);
});

test('slider curves are in the order of their gains', () => {
  const point = (gain: number, identity: number) => ({
    slider: 'identity' as const,
    gain,
    identity,
    mse: 0,
    motionAmount: 1,
    motionAgreement: 1,
  });
  const first = measures('concept', { sliders: [point(1, 0.9), point(0, 0.2)] });
  const second = measures('concept', { sliders: [point(0, 0.4), point(1, 0.7)] });
  const { sliders } = summariseConcepts([scene(0, first), scene(10, second)]);
  expect(sliders.map(({ gain, identity }) => [gain, Number(identity.mean!.toFixed(2))])).toEqual([
    [0, 0.3],
    [1, 0.8],
  ]);
});

test('each look is summarised by itself, those of one attribute together; other kinds of edits are no looks', () => {
  const edits = [
    edit('film', { to: 'sepia' }),
    edit('light', { to: 'fog' }),
    edit('shirt'),
    edit('light', { to: 'dawn' }),
  ];
  const { looks } = summariseConcepts([
    scene(0, measures('words', { edits })),
    scene(10, measures('words', { edits: [edit('light', { to: 'fog', success: false })] })),
  ]);
  expect(looks.map(({ kind, to, edits: count }) => `${kind} ${to} ${count}`)).toEqual([
    'light fog 2',
    'light dawn 1',
    'film sepia 1',
  ]);
  expect(looks[0]!.success).toMatchObject({ mean: 0.5, count: 2 });
});
