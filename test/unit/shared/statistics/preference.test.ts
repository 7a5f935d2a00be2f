import { expect, test } from 'vitest';
import { type Answer, bradleyTerry, preferenceOf, rankMethods } from '../../../../shared/statistics/preference.ts';
import { Random } from '../../../../shared/statistics/random.ts';

/** The American League of 1987 (Agresti, Categorical Data Analysis, table 10.10): who won how often against whom. */
const teams = ['Milwaukee', 'Detroit', 'Toronto', 'New York', 'Boston', 'Cleveland', 'Baltimore'];
const wins = [
  [0, 7, 9, 7, 7, 9, 11],
  [6, 0, 7, 5, 11, 9, 9],
  [4, 6, 0, 7, 7, 8, 12],
  [6, 8, 6, 0, 6, 7, 10],
  [6, 2, 6, 7, 0, 7, 12],
  [4, 4, 5, 6, 6, 0, 6],
  [2, 4, 1, 3, 1, 7, 0],
];

test("the strengths of Agresti's baseball teams are those of the literature", () => {
  const logs = bradleyTerry(wins, 0);
  const baltimore = logs[teams.indexOf('Baltimore')]!;
  const above = Object.fromEntries(teams.map((team, index) => [team, logs[index]! - baltimore]));
  const known = {
    Milwaukee: 1.5814,
    Detroit: 1.4364,
    Toronto: 1.2945,
    'New York': 1.2476,
    Boston: 1.1077,
    Cleveland: 0.6839,
  };
  for (const [team, log] of Object.entries(known)) expect(above[team]).toBeCloseTo(log, 3);
});

test('of two methods the odds are the wins, and whoever always wins stays finite', () => {
  const [a, b] = bradleyTerry(
    [
      [0, 6],
      [2, 0],
    ],
    0,
  );
  expect(Math.exp(a! - b!)).toBeCloseTo(3, 8);
  const [always, never] = bradleyTerry([
    [0, 10],
    [0, 0],
  ]);
  expect(Math.exp(always! - never!)).toBeCloseTo(10.5 / 0.5, 6);
  expect(always! + never!).toBeCloseTo(0, 12);
});

const answered = (left: string, right: string, answer: Answer['answer'], rater = 'a'): Answer => ({
  rater,
  item: `${left} ${right}`,
  left,
  right,
  answer,
});

test('a preference counts both sides and half of each tie', () => {
  const answers = [
    answered('ours', 'theirs', -1),
    answered('theirs', 'ours', 1, 'b'),
    answered('ours', 'theirs', 0, 'b'),
    answered('theirs', 'ours', -1),
    answered('ours', 'others', 1),
  ];
  const preference = preferenceOf(answers, 'ours', 'theirs');
  expect(preference).toMatchObject({ share: 0.625, answers: 4 });
  expect(preferenceOf(answers, 'theirs', 'ours').share).toBe(0.375);
  expect(preference.wilson!.low).toBeLessThan(0.625);
  expect(preferenceOf(answers, 'ours', 'nobody')).toEqual({ share: null, answers: 0, wilson: null, bootstrap: null });
});

test('raters whose preferences are known are found, in their order and within the intervals', () => {
  const random = new Random('raters');
  const truth = { first: 1, second: 0, third: -1 } as const;
  const methods = Object.keys(truth) as (keyof typeof truth)[];
  const answers: Answer[] = [];
  for (let rater = 0; rater < 12; rater++) {
    for (let pair = 0; pair < 40; pair++) {
      const [left, right] = random.shuffle(methods) as [keyof typeof truth, keyof typeof truth];
      const isLeft = random.uniform() < 1 / (1 + Math.exp(truth[right] - truth[left]));
      answers.push(answered(left, right, isLeft ? -1 : 1, `rater ${rater}`));
    }
  }
  const ranked = rankMethods(answers, { draws: 300 });
  expect(ranked.map(({ method }) => method)).toEqual(methods);
  for (const { method, low, high } of ranked) {
    const log = truth[method as keyof typeof truth];
    expect(low).toBeLessThan(log);
    expect(high).toBeGreaterThan(log);
  }
  expect(rankMethods(answers, { draws: 300 })).toEqual(ranked);
});
