import type { EvaluateTableResult } from '../../../../shared/domain/evaluation-table.ts';
import { formatTable } from '../../tables.ts';
import { timeTaken } from '../numbers.ts';
import { columnWords, printed } from './column-words.ts';
import { verdicts } from './plots.ts';
import { type ReportInput, tableTitles, wayTitles } from './table-report.ts';

const shown = [
  'trueError',
  'named',
  'mseToSource',
  'subjectIdentity',
  'textAgreement',
  'temporalCoherence',
  'motionAmount',
];

interface Part {
  title: string;
  header: string[];
  rows: string[][];
  verdict: string;
}

/** What ran, and a table with a verdict for each way in which clips were made. */
function partsOf(result: EvaluateTableResult): { about: string; parts: Part[] } {
  const { rows, ways, scenes, unfinished } = result;
  const told = verdicts(result);
  const parts = ways.flatMap((way): Part[] => {
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
      {
        title: wayTitles[way],
        header: ['', ...shown.map((column) => columnWords[column]!.label)],
        rows: own.map(({ row, cells }) => [
          row,
          ...shown.map((column) => printed(column, cells[column]?.interval?.mean)),
        ]),
        verdict: `${result.first}: ${verdict.join('; ') || 'nothing to compare'}.`,
      },
    ];
  });
  const left = unfinished > 0 ? `, ${unfinished} parts are not finished yet` : '';
  return {
    about: `${tableTitles[result.table]}: ${scenes.length} scenes, in ${timeTaken(result)}${left}.`,
    parts,
  };
}

/** The tables of `motif evaluate table2` and its like, for the terminal; the report says more. */
export function tableText(result: EvaluateTableResult): string {
  const { about, parts } = partsOf(result);
  return [
    about,
    ...parts.map(({ title, header, rows, verdict }) => `${title}\n${formatTable(header, rows)}\n${verdict}`),
  ].join('\n\n');
}

/** The same as Markdown, with what computed, for how long and from which seeds. */
export function tableMarkdown({ model, device, result }: Pick<ReportInput, 'model' | 'device' | 'result'>): string {
  const { about, parts } = partsOf(result);
  const { table, fast, scenes, learningSeeds, noiseSeeds, effort, budget } = result;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = (header: readonly string[]) => line(header.map((_, index) => (index === 0 ? '---' : '---:')));
  return [
    `## \`motif evaluate ${table}${fast ? ' --fast' : ''}\``,
    about,
    `Model ${model.name}; ${device.description}. Test seeds ${scenes.map(({ seed }) => seed).join(', ')}; learning seeds ${learningSeeds.join(', ')}; ` +
      `noise seeds ${noiseSeeds.join(', ')}. Every method learned for ${budget.toFixed(0)} s of processor time (${effort} of the default recipe).`,
    ...parts.map(({ title, header, rows, verdict }) =>
      [`### ${title}\n`, line(header), rule(header), ...rows.map(line), `\n${verdict}`].join('\n'),
    ),
  ]
    .join('\n\n')
    .concat('\n');
}
