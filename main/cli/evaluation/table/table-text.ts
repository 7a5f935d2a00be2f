import type { EvaluateTableResult } from '../../../../shared/domain/evaluation-table.ts';
import { formatDuration } from '../../progress-text.ts';
import { formatTable } from '../../tables.ts';
import { columnWords, printed } from './column-words.ts';
import { verdicts } from './plots.ts';
import { tableTitles, wayTitles } from './table-report.ts';

const shown = [
  'trueError',
  'named',
  'mseToSource',
  'subjectIdentity',
  'textAgreement',
  'temporalCoherence',
  'motionAmount',
];

/** The tables of `motif evaluate table2` and its like, for the terminal; the report says more. */
export function tableText(result: EvaluateTableResult): string {
  const { rows, ways, scenes, seconds, takenOver, unfinished } = result;
  const told = verdicts(result);
  const parts = ways.flatMap((way) => {
    const own = rows.filter((row) => row.way === way);
    if (own.length === 0) return [];
    const { isFirst = false, better = [], worse = [], untold = [] } = told.find((each) => each.way === way) ?? {};
    const list = (name: string, of: readonly string[]) => (of.length > 0 ? [`${name} ${of.join(', ')}`] : []);
    const verdict = [
      ...(isFirst ? ['first'] : []),
      ...list('better than', better),
      ...list('worse than', worse),
      ...list('not told apart from', untold),
    ];
    return [
      `${wayTitles[way]}\n${formatTable(
        ['', ...shown.map((column) => columnWords[column]!.label)],
        own.map(({ row, cells }) => [row, ...shown.map((column) => printed(column, cells[column]?.interval?.mean))]),
      )}\n${result.first}: ${verdict.join('; ') || 'nothing to compare'}.`,
    ];
  });
  const left = unfinished > 0 ? `, ${unfinished} parts are not finished yet` : '';
  const kept = takenOver > 0 ? `, with ${takenOver} parts of earlier runs` : '';
  return [
    `${tableTitles[result.table]}: ${scenes.length} scenes, in ${formatDuration(seconds)}${kept}${left}.`,
    ...parts,
  ].join('\n\n');
}
