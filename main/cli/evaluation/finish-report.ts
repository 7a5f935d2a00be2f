import { usualDetail } from '../../../shared/domain/edit.ts';
import type { EvaluateFinishResult, FinishSummary } from '../../../shared/domain/evaluation-finish.ts';
import { startStrength } from '../../../shared/domain/strength.ts';
import { formatTable } from '../tables.ts';
import { percent, spread } from './numbers.ts';

const edits: Record<FinishSummary['edit'], string> = { perfect: 'perfect edits', words: 'edits from prompts alone' };

/** The tables of `motif evaluate finish`. */
export function formatFinishReport({ rows }: EvaluateFinishResult): string {
  const all = rows.filter(({ kind }) => kind === null);
  const tables = (['perfect', 'words'] as const).map((edit) =>
    formatTable(
      [edits[edit], ...columns],
      all.filter((row) => row.edit === edit).map((row) => [wayOf(row), ...cellsOf(row)]),
    ),
  );
  const byKind = formatTable(
    ['kind of edit', 'of', 'as', 'edits', 'inside', 'outside', 'sharp inside', 'named %', 'preserved %'],
    rows
      .filter(({ kind, keepDetail }) => kind !== null && (keepDetail === null || keepDetail === usualDetail))
      .map((row) => [
        row.kind!,
        edits[row.edit],
        wayOf(row),
        String(row.edits),
        spread(row.mseInside, 4),
        spread(row.mseOutside, 4),
        spread(row.sharpnessInside, 2),
        percent(row.success),
        percent(row.preservation),
      ]),
  );
  return [...tables, byKind, explanation].join('\n\n');
}

const columns = [
  'inside',
  'outside',
  'sharp inside',
  'sharp outside',
  'between',
  'flicker',
  'named %',
  'preserved %',
  'ms a picture',
];

const wayOf = ({ keepDetail }: FinishSummary) => (keepDetail === null ? 'enlarged' : `finished, detail ${keepDetail}`);

const cellsOf = (row: FinishSummary) => [
  spread(row.mseInside, 4),
  spread(row.mseOutside, 4),
  spread(row.sharpnessInside, 2),
  spread(row.sharpnessOutside, 2),
  spread(row.between, 2),
  spread(row.flicker, 5),
  percent(row.success),
  percent(row.preservation),
  spread(row.secondsPerPicture, 0, 1000),
];

const explanation = [
  'Mean ± standard deviation over scenes. Inside and outside: mean squared error against the re-rendered edit where it may change the',
  "picture and where it must not, at the model's frames; sharp: gradient energy as a share of the truth's; between: error between the",
  "model's frames as a share of that at them; flicker: mean square of the error's change from picture to picture; named and preserved:",
  "by the judge, at the model's size. Perfect edits are the truth, coded and decoded, so that finishing alone is judged; edits by words",
  `alone have the strength that a look begins with, ${startStrength}.`,
].join('\n');
