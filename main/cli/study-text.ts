import type { StudyQuestion, StudyResults } from '../../shared/domain/study.ts';
import { formatTable } from './tables.ts';

/** What is asked, in short. */
const asked: Readonly<Record<StudyQuestion, string>> = {
  identity: 'same person or thing as in the source',
  motion: 'same motion as in the source',
  words: 'follows the words',
  overall: 'better on the whole',
};

/** The results of a study for people. */
export function studyText(results: StudyResults): string {
  const { study, standIn, raters, counted, leftOut, mirrored, questions } = results;
  const { methods, first, notes } = study.settings;
  const labelOf = (name: string) => methods.find((method) => method.name === name)?.label ?? name;
  const head = standIn
    ? `${study.name}: JUDGE, NOT PEOPLE. Measures of the clips answer in place of raters.`
    : `${study.name}: ${counted} raters count, ${leftOut} left out for their answers to broken clips.`;
  const lines = [head, ...notes];
  if (!standIn && mirrored.of > 0)
    lines.push(`Sides changed, ${mirrored.hits} of ${mirrored.of} answers stayed the same${range(mirrored.interval)}.`);
  const preferences = questions.flatMap(({ question, preferences }) =>
    preferences.map(({ other, share, answers, wilson, bootstrap }) => [
      asked[question],
      labelOf(other),
      share === null ? '-' : `${percent(share)}%${range(wilson)}`,
      bootstrap ? range(bootstrap).trim() : '-',
      String(answers),
    ]),
  );
  const tables = [
    `How often ${labelOf(first)} is preferred (ties half; 95 %: Wilson, then bootstrap over raters)`,
    formatTable(['question', 'to', standIn ? 'by the judge' : 'by people', 'bootstrap', 'answers'], preferences),
  ];
  const strengths = questions.flatMap(({ question, strengths }) =>
    strengths.map(({ method, log, low, high }) => [
      asked[question],
      labelOf(method),
      `${log.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
    ]),
  );
  if (strengths.length > 0)
    tables.push(
      'Strength by Bradley and Terry (log, mean 0; 95 % by bootstrap over raters)',
      formatTable(['question', 'method', standIn ? 'by the judge' : 'by people'], strengths),
    );
  if (raters.length > 0)
    tables.push(
      'Raters',
      formatTable(
        ['rater', 'answers', 'source to broken clip', 'agrees with itself', ''],
        raters.map(({ name, answers, finished, attention, mirrored, leftOut }) => [
          name,
          `${answers}${finished ? '' : ' (not finished)'}`,
          `${attention.hits} of ${attention.of}`,
          `${mirrored.hits} of ${mirrored.of}`,
          leftOut ? 'left out' : '',
        ]),
      ),
    );
  return [...lines, '', ...tables].join('\n');
}

const percent = (share: number) => Math.round(100 * share);

const range = (interval: { low: number; high: number } | null) =>
  interval ? ` (${percent(interval.low)} to ${percent(interval.high)})` : '';
