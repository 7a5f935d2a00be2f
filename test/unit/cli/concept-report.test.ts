import { expect, test } from 'vitest';
import { formatConceptReport } from '../../../main/cli/evaluation/concept-report.ts';
import { summariseConcepts } from '../../../main/engine/evaluation/summarise-concepts.ts';
import type { EditMeasures, MethodMeasures } from '../../../shared/domain/evaluation.ts';
import { recipe } from '../../../shared/domain/recipe.ts';

const edit = (changes: Partial<EditMeasures>): EditMeasures => ({
  kind: 'light',
  to: 'night',
  variant: null,
  finished: false,
  success: true,
  preservation: 0.9,
  mse: 0.03,
  mseInside: 0.04,
  mseOutside: 0.01,
  identity: 0.8,
  textAgreement: 0.5,
  temporalCoherence: 0.99,
  seconds: 1.2,
  ...changes,
});

const words: MethodMeasures = {
  method: 'words',
  learnSeconds: null,
  reconstruction: null,
  edits: [edit({}), edit({ finished: true, success: false, mseOutside: 0.002, seconds: 1.3 })],
  sliders: [],
};

const base: MethodMeasures = {
  ...words,
  method: 'base',
  reconstruction: {
    mse: 0.05,
    identity: 0.6,
    textAgreement: 0.5,
    temporalCoherence: 0.9,
    preservation: 0.7,
    seconds: 3,
  },
  edits: [edit({})],
};

const told = formatConceptReport(
  {
    ...summariseConcepts([
      { seed: 0, caption: { static: 'a man', dynamic: 'is walking' }, methods: [base, words], sheet: [] },
    ]),
    sampling: { steps: 24, guidance: 4, seed: 1 },
    sheet: [],
    seconds: 60,
    takenOver: 0,
  },
  recipe.parse({}),
);
const [reconstructions, edits, kinds] = told.split('\n\n') as [string, string, string];

test('words alone stand among the edits as sampled and as finished, in the same columns', () => {
  expect(edits).toMatch(/^words alone +100 +90 +0\.0300 +0\.0400 +0\.0100 .* 1\.2$/m);
  expect(edits).toMatch(/^words alone, finished +0 +90 +0\.0300 +0\.0400 +0\.0020 .* 1\.3$/m);
  expect(kinds).toMatch(/^light +words alone +1 +100 /m);
  expect(kinds).toMatch(/^light +words alone, finished +1 +0 /m);
});

test('looks have a table of their own, each by what it changes to', () => {
  const table = told.split('\n\n').find((part) => part.startsWith('look'));
  expect(table).toMatch(/^light: night +words alone, finished +1 +0 +90 +0\.0400 +0\.0020 /m);
});

test('only what gives the clip back stands among the reconstructions, and only what starts from it is finished', () => {
  expect(reconstructions).toContain('base model from noise');
  expect(reconstructions).not.toContain('words alone');
  expect(told).not.toContain('base model from noise, finished');
});

test('what words alone and finished mean is told, without sliders too', () => {
  expect(told).toMatch(/Words alone: .*\(FlowEdit\)/);
  expect(told).toMatch(/0\.5 \(fidelity 0\.3, guidance 12/);
  expect(told).toMatch(/Finished: the change of colours done to the\s+source itself/);
});
