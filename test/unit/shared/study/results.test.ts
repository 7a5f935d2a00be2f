import { describe, expect, it } from 'vitest';
import { type StudyItem, type StudyQuestion, studyQuestion } from '../../../../shared/domain/study.ts';
import { Random } from '../../../../shared/statistics/random.ts';
import { type GivenAnswer, studyResults } from '../../../../shared/study/results.ts';
import { attention, makeItem, makeStudy, mirrorOf } from '../../../fixtures/studies.ts';

const methods = ['ours', 'lora', 'words'];
/** What raters think of the methods, by question: differences are log odds. */
const truth: Record<StudyQuestion, Record<string, number>> = {
  identity: { ours: 1, lora: 0, words: -1 },
  motion: { ours: 0, lora: 0, words: 0 },
  words: { ours: -1, lora: 0, words: 1 },
  overall: { ours: 2, lora: 0, words: -2 },
};
const couples = methods.flatMap((a, index) => methods.slice(index + 1).map((b) => [a, b] as const));
const pairs = Array.from({ length: 30 }, (_, index) => makeItem(`p${index}`, ...couples[index % couples.length]!));
const mirrors = pairs.slice(0, 4).map((pair, index) => mirrorOf(pair, `m${index}`));
const items: StudyItem[] = [...pairs, ...mirrors, attention('x'), attention('y'), attention('z')];
const study = makeStudy(methods);

/** Answers of one rater who thinks so; a careless one takes any side. */
function answersOf(rater: string, { careless = false } = {}): GivenAnswer[] {
  const random = new Random(`simulated ${rater}`);
  return items.flatMap((item) =>
    studyQuestion.options.map((question): GivenAnswer => {
      const aIsLeft = random.uniform() < 0.5;
      const strength = (method: string) => ({ source: 9, broken: -9 })[method] ?? truth[question][method]!;
      const odds = careless ? 0 : strength(item.a.method) - strength(item.b.method);
      const likesA = random.uniform() < 1 / (1 + Math.exp(-odds));
      return { rater, item: item.id, question, aIsLeft, answer: likesA === aIsLeft ? -1 : 1 };
    }),
  );
}

const careful = Array.from({ length: 14 }, (_, index) => `careful ${index}`);
const raters = [...careful, 'careless'];
const given = [...careful.flatMap((rater) => answersOf(rater)), ...answersOf('careless', { careless: true })];
const results = studyResults(study, items, given, raters);

describe('the results of a study', () => {
  it('find the preferences that the raters have, within their intervals', () => {
    for (const { question, preferences, strengths } of results.questions) {
      for (const { other, share, answers, bootstrap } of preferences) {
        const known = 1 / (1 + Math.exp(truth[question][other]! - truth[question].ours!));
        expect(answers).toBe(10 * careful.length);
        expect(Math.abs(share! - known), `${question} ${other}`).toBeLessThan(0.12);
        expect(bootstrap!.low - 0.05).toBeLessThan(known);
        expect(bootstrap!.high + 0.05).toBeGreaterThan(known);
      }
      for (const { method, log } of strengths) expect(Math.abs(log - truth[question][method]!)).toBeLessThan(0.5);
    }
    const overall = results.questions.find(({ question }) => question === 'overall')!;
    expect(overall.strengths.map(({ method }) => method)).toEqual(methods);
    expect(overall.preferences[0]!.wilson!.low).toBeGreaterThan(0.5);
    const motion = results.questions.find(({ question }) => question === 'motion')!;
    for (const { wilson } of motion.preferences) {
      expect(wilson!.low).toBeLessThan(0.5);
      expect(wilson!.high).toBeGreaterThan(0.5);
    }
  });

  it('leave out who does not prefer a source to a broken clip, and say so', () => {
    expect(results).toMatchObject({ counted: careful.length, leftOut: 1, standIn: false });
    expect(results.raters.at(-1)).toMatchObject({ name: 'careless', leftOut: true, answers: 148, finished: true });
    expect(results.raters.at(-1)!.attention.of).toBe(12);
    expect(results.raters[0]).toMatchObject({ leftOut: false, attention: { hits: 12, of: 12 } });
  });

  it('count a mirror for agreement alone, whatever the sides', () => {
    expect(results.mirrored.of).toBe(careful.length * 16);
    const steady = items.map(
      (item, index): GivenAnswer => ({
        ...{ rater: 'ann', item: item.id, question: 'motion' },
        aIsLeft: index % 2 === 0,
        answer: index % 2 === 0 ? -1 : 1,
      }),
    );
    const { mirrored, questions } = studyResults(study, items, steady, ['ann']);
    expect(mirrored).toMatchObject({ hits: 4, of: 4 });
    expect(questions[1]!.preferences.map(({ answers }) => answers)).toEqual([10, 10]);
    const turned = steady.map((each) => (each.item === 'm0' ? { ...each, aIsLeft: !each.aIsLeft } : each));
    expect(studyResults(study, items, turned, ['ann']).mirrored).toMatchObject({ hits: 3, of: 4 });
  });

  it('count an answer that cannot tell as half of a win each', () => {
    const undecided = answersOf('ann').map((each) => ({ ...each, answer: 0 as const }));
    const { questions, leftOut } = studyResults(study, items, undecided, ['ann']);
    // Who cannot tell a source from a broken clip does not count either.
    expect(leftOut).toBe(1);
    expect(questions[0]!.preferences[0]).toMatchObject({ answers: 0, share: null });
    const attentive = undecided.filter(({ item }) => item.startsWith('p'));
    expect(studyResults(study, items, attentive, ['ann']).questions[0]!.preferences[0]).toMatchObject({ share: 0.5 });
  });

  it('without answers have no numbers, and tell no code', () => {
    const none = studyResults(study, items, [], []);
    expect(none.questions[0]).toMatchObject({ preferences: [{ share: null }, { share: null }], strengths: [] });
    expect(JSON.stringify(none)).not.toContain('code');
  });

  it('come from measures where those stand in for people', () => {
    const measured = pairs.map((item) => {
      const measures = (method: string) => ({
        ...{ identity: method === 'ours' ? 1 : 0, motion: null, words: 0, overall: methods.indexOf(method) },
      });
      const { a, b } = item;
      return { ...item, a: { ...a, measures: measures(a.method) }, b: { ...b, measures: measures(b.method) } };
    });
    const { questions, standIn, raters } = studyResults(study, measured, given, careful, { standIn: true });
    expect([standIn, raters]).toEqual([true, []]);
    expect(questions.map(({ preferences }) => preferences.map(({ share }) => share))).toEqual([
      [1, 1],
      [null, null],
      [0.5, 0.5],
      [0, 0],
    ]);
  });
});
