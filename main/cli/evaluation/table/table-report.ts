import type { DeviceReport } from '../../../../shared/domain/engine.ts';
import type { EvaluateTableResult, TableName, TableRow, Way } from '../../../../shared/domain/evaluation-table.ts';
import type { ModelInfo } from '../../../../shared/domain/model.ts';
import { formatDuration, formatNumber } from '../../progress-text.ts';
import { timeTaken } from '../numbers.ts';
import { columnNames, columnWords, printed } from './column-words.ts';
import { html, Markup } from './markup.ts';
import { medianClip, type ShownClip } from './median-clips.ts';
import { hasPaper, paperNumber } from './papers.ts';
import { forestPlot, learningCurve, tradeOff, verdicts } from './plots.ts';
import { reportStyle } from './report-style.ts';

/** What a report is made of. */
export interface ReportInput {
  model: ModelInfo;
  device: DeviceReport;
  program: string;
  result: EvaluateTableResult;
  /** The words to run it again. */
  command: string;
  /** A strip as a data address, or null where it is not there. */
  picture(strip: string): string | null;
}

export const tableTitles: Readonly<Record<TableName, string>> = {
  table1: 'Ranks, stages and regularisers',
  table2: 'All methods side by side',
  ablation: 'What the parts of Set-and-Sequence are worth',
  dreamvideo: "One subject's looks, another's motion",
  'dreamvideo-subjects': 'Subjects doing other things at other places',
  'dreamvideo-motions': 'Motions done by others at other places',
  wide: 'Thirty scenes of any kind',
};

export const wayTitles: Readonly<Record<Way, string>> = {
  noise: 'From pure noise, as the papers do',
  editor: "By the editor's defaults, as sampled",
  finished: "By the editor's defaults, finished as a user gets it",
};

/** One page that needs nothing else: tables, plots, pictures, what is missing, and how to run it again. */
export function tableReport(input: ReportInput): string {
  const { result } = input;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${tableTitles[result.table]}</title><style>${new Markup(reportStyle)}</style></head><body>
<h1>${tableTitles[result.table]}</h1><p class="quiet">Motif, ${result.table}${result.fast ? ', fast' : ''}</p>
${whatRan(input)}${claims(result)}
${result.ways.map((way) => ofWay(input, way))}
${byKind(result)}${learning(result)}${missing(result)}
<h2>Columns</h2><dl>${shownColumns(result.rows).map((name) => html`<dt>${columnWords[name]!.label}</dt><dd>${columnWords[name]!.about}</dd>`)}</dl>
<h2>Again</h2><p><code>${input.command}</code></p>
</body></html>
`;
  return page.text;
}

function whatRan({ model, device, program, result }: ReportInput): Markup {
  const { scenes, learningSeeds, noiseSeeds, sampling, effort, budget, unfinished } = result;
  const facts: [string, string][] = [
    ['model', `${model.name}; weights ${result.weights.split('; ').length} files: ${result.weights}`],
    ...result.supplied.map(({ name, files }): [string, string] => [
      'measured by',
      `${name}, given by whoever ran this: ${files.map(({ file, sha256 }) => `${file} (SHA-256 ${sha256})`).join(', ')}`,
    ]),
    ['computed by', `${device.chosen} (${device.description}), ${device.threads} threads, Motif ${program}`],
    ['scenes', `${scenes.length}, of test seeds that no training has seen`],
    ['seeds', `learning ${learningSeeds.join(', ')}; noise ${noiseSeeds.join(', ')}`],
    ['sampling', `${sampling.steps} steps; from pure noise with guidance ${sampling.guidance}`],
    [
      'learning',
      `${formatNumber(effort)} of the default recipe's processor time for every method: ${formatDuration(budget)} of steps, over all threads`,
    ],
    ['time', timeTaken(result)],
    ...(unfinished > 0
      ? [['not finished', `${unfinished} parts that were planned are not there yet`] as [string, string]]
      : []),
  ];
  return html`<h2>What ran</h2><dl>${facts.map(([name, fact]) => html`<dt>${name}</dt><dd>${fact}</dd>`)}</dl>
<ul>${scenes.map(({ name, caption }) => html`<li>${name}: ${caption}</li>`)}</ul>`;
}

/** Which rows a claim holds against. */
function claims(result: EvaluateTableResult): Markup {
  const labels = labelsOf(result);
  const name = labels.get(result.first) ?? result.first;
  const list = (rows: readonly string[]) => rows.map((row) => labels.get(row) ?? row).join('; ');
  const told = verdicts(result).map(({ way, isFirst, better, worse, untold }) => {
    if (better.length + worse.length + untold.length === 0)
      return html`<li>${wayTitles[way]}: nothing to compare.</li>`;
    const parts = [
      better.length > 0 && `better in both than ${list(better)}`,
      worse.length > 0 && `worse in one or both than ${list(worse)}`,
      untold.length > 0 && `not told apart from ${list(untold)}`,
    ].filter(Boolean);
    return html`<li>${wayTitles[way]}: ${isFirst ? 'first; ' : ''}${parts.join('. ')}.</li>`;
  });
  const few = result.scenes.length < 6;
  return html`<h2>${name}</h2><p>Claims rest on two columns: ${columnWords.trueError!.label}, and ${columnWords.named!.label}. A difference is told apart where the 95 % interval of the
paired bootstrap over scenes, learning seeds and noise seeds does not hold 0.${few ? ` With ${result.scenes.length} scenes nothing is: the intervals of fewer than six are too narrow, and exact sign flips cannot reach 5 %.` : ''}</p><ul>${told}</ul>`;
}

function ofWay(input: ReportInput, way: Way): Markup | null {
  const { result } = input;
  const rows = result.rows.filter((row) => row.way === way);
  if (rows.length === 0) return null;
  const labels = labelsOf(result);
  const plots = ['trueError', 'named'].map((column) => {
    const own = result.comparisons.filter((each) => each.way === way && each.column === column);
    const plot = forestPlot(own, labels);
    const tests = own.flatMap(({ other, p, corrected }) =>
      p === null ? [] : [`${labels.get(other)}: p ${p.toFixed(3)}, by Holm ${corrected!.toFixed(3)}`],
    );
    return (
      plot &&
      html`<h3>${columnWords[column]!.label}: ${labels.get(result.first)} less each other row</h3>${plot}<p class="quiet">Exact sign flips over scenes. ${tests.join('; ')}.</p>`
    );
  });
  return html`<h2>${wayTitles[way]}</h2><div class="wide">${measures(result, rows)}</div>
${hasPaper(result.table) && html`<p class="quiet">In grey italics: the paper's own number, of another model, other people, another scale and other judges; Set-and-Sequence's are of ranks 1 and 8.</p>`}
${plots}<h3>What stays against what follows</h3>${tradeOff(rows)}${sheet(input, rows, way)}`;
}

function measures({ table, first }: EvaluateTableResult, rows: readonly TableRow[]): Markup {
  const shown = shownColumns(rows);
  return html`<table><thead><tr><th></th>${shown.map((column) => html`<th title="${columnWords[column]!.about}">${columnWords[column]!.label}</th>`)}</tr></thead><tbody>
${rows.map(
  ({
    row,
    label,
    cells,
    clips,
    refused,
  }) => html`<tr class="${row === first ? 'first' : row === 'truth' ? 'limit' : ''}"><td>${label}<small>${clips > 0 && `${clips} clips of ${cells.trueError?.interval?.scenes ?? 0} scenes`}${refused > 0 && `, refused ${refused}`}</small></td>
${shown.map((column) => {
  const { interval = null, missing = 0, hits, of } = cells[column] ?? {};
  const paper = paperNumber(table, row, column);
  return html`<td>${printed(column, interval?.mean)}${interval && interval.low !== interval.high && html`<small>${printed(column, interval.low)} to ${printed(column, interval.high)}</small>`}${of !== undefined && html`<small>${hits} of ${of}</small>`}${missing > 0 && html`<small>${missing} without</small>`}${paper !== undefined && html`<small class="paper">${paper}</small>`}</td>`;
})}</tr>`,
)}</tbody></table>`;
}

/** Those that hold a value in any row. */
function shownColumns(rows: readonly TableRow[]): string[] {
  return columnNames.filter((column) => rows.some(({ cells }) => cells[column]?.interval));
}

/** Of each row the median scene, between source and truth. */
function sheet({ result, picture }: ReportInput, rows: readonly TableRow[], way: Way): Markup {
  const strip = (file: string | null | undefined, label: string) => {
    const address = file ? picture(file) : null;
    return address && html`<span class="quiet">${label}</span><img src="${address}" alt="${label}">`;
  };
  const shown = rows.flatMap(({ row, label }) => {
    const median = row === 'truth' ? null : medianClip(result.parts, row, way);
    return median ? [{ label, ...median }] : [];
  });
  // Rows whose median is the same scene share its source and truth.
  const alike = [...new Set(shown.map(({ scene, clip }) => `${scene} ${clip.kind} ${clip.to}`))].map((name) =>
    shown.filter(({ scene, clip }) => `${scene} ${clip.kind} ${clip.to}` === name),
  );
  const truthOf = ({ scene, clip }: ShownClip) =>
    result.parts
      .find((part) => part.row === 'truth' && part.scene === scene)
      ?.clips.find(({ kind, to }) => kind === clip.kind && to === clip.to);
  return html`<h3>The median scene of each row by its true error</h3>
${alike.map((rows) => {
  const [first] = rows;
  const { scene, clip } = first!;
  const source = result.scenes.find(({ name }) => name === scene)?.strip;
  return html`<div class="sheet">${strip(source, `source, ${scene}`)}
${strip(truthOf(first!)?.strip, `truth: ${clip.kind} to ${clip.to}`)}
${rows.map((each) => strip(each.clip.strip, `${each.label}, true error ${printed('trueError', each.clip.mse)}`))}</div>`;
})}`;
}

function byKind({ kinds, ways, leftOut }: EvaluateTableResult): Markup | null {
  const names = [...new Set(kinds.map(({ kind }) => kind))];
  if (names.length === 0) return null;
  const rows = [...new Set(kinds.map(({ row }) => row))];
  const cell = (row: string, way: Way, kind: string) => {
    const found = kinds.find((each) => each.row === row && each.way === way && each.kind === kind);
    return found
      ? html`<td>${found.hits} of ${found.of}<small>${printed('success', found.low)} to ${printed('success', found.high)} %</small></td>`
      : html`<td>–</td>`;
  };
  return html`<h2>Named as changed, by kind of edit</h2><p class="quiet">With Wilson's interval of 95 %, as if clips were independent.</p>
<div class="wide"><table><thead><tr><th></th>${ways.flatMap((way) => names.map((kind) => html`<th>${kind}<br>${way}</th>`))}</tr></thead><tbody>
${rows.map((row) => html`<tr><td>${row}</td>${ways.flatMap((way) => names.map((kind) => cell(row, way, kind)))}</tr>`)}</tbody></table></div>
${leftOut.map(({ kind, reason }) => html`<p>Success of “${kind}” counts in no mean: ${reason}, so that it measures the model and not the methods.</p>`)}`;
}

function learning({ planned, parts }: EvaluateTableResult): Markup {
  const learned = planned.flatMap((row) => (row.stages ? [{ ...row, stages: row.stages }] : []));
  return html`<h2>Equal processor time</h2><table><thead><tr><th></th><th>steps</th><th>processor s a step</th><th>processor s of steps</th></tr></thead><tbody>
${learned.map(
  ({
    label,
    stages,
  }) => html`<tr><td>${label}</td><td>${stages.map((stage) => `${stage.label} ${stage.steps}`).join(', ')}</td>
<td>${stages.map(({ processorSecondsPerStep: each }) => formatNumber(each)).join(', ')}</td>
<td>${formatNumber(stages.reduce((sum, { steps, processorSecondsPerStep: each }) => sum + steps * each, 0))}</td></tr>`,
)}</tbody></table><p class="quiet">Encoding the clip, sampling prior clips and measuring what was learned come on top, as the columns of learning say.</p>
<h3>Losses on the first scene</h3><div class="curves">${learned.map(({ row, label }) =>
    learningCurve(label, parts.find((part) => part.row === row)?.learned?.curves ?? []),
  )}</div>`;
}

function missing({ parts, unfinished }: EvaluateTableResult): Markup {
  const refused = parts.filter((part) => part.refused !== null);
  const partly = parts.filter((part) => !part.finished);
  const items = [
    ...refused.map(
      ({ row, scene, learningSeed, refused: reason }) => `${row} refused ${scene}, seed ${learningSeed}: ${reason}`,
    ),
    ...partly.map(
      ({ row, scene, learningSeed, clips }) =>
        `${row} on ${scene}, seed ${learningSeed}: stopped after ${clips.length} clips`,
    ),
    ...(unfinished > 0 ? [`${unfinished} planned parts are not finished`] : []),
  ];
  return html`<h2>Refused and missing</h2>${items.length === 0 ? html`<p>Nothing.</p>` : html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`}`;
}

function labelsOf({ planned }: EvaluateTableResult): Map<string, string> {
  return new Map(planned.map(({ row, label }) => [row, label]));
}
