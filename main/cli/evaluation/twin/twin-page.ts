import type { EvaluateTwinResult } from '../../../../shared/domain/evaluation-twin.ts';
import { html, type Markup, Markup as Raw } from '../table/markup.ts';
import { reportStyle } from '../table/report-style.ts';
import { rateDistortion } from './rate-distortion.ts';
import {
  codedTable,
  notes,
  paperHeader,
  paperRows,
  paperTrials,
  paperTrialsHeader,
  reenactedCells,
  reenactedHeader,
  wordedCells,
  wordedHeader,
} from './twin-text.ts';

const sets = { world: 'Test scenes', real: 'Real clips' };

/** A page that needs nothing else: tables, the plots and the contact sheets. `sheets` are PNG files. */
export function twinPage(
  result: EvaluateTwinResult,
  heading: string,
  sheets: readonly { name: string; png: Buffer }[],
): string {
  const { rows, reenacted, worded, supplied } = result;
  const table = (
    header: string[],
    body: string[][],
  ): Markup => html`<div class="wide"><table><thead><tr>${header.map((cell) => html`<th>${cell}</th>`)}</tr></thead>
<tbody>${body.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
  const parts = (['world', 'real'] as const).map((set) => {
    const own = rows.filter((row) => row.set === set);
    if (own.length === 0) return null;
    const { header, cells } = codedTable(own, supplied);
    return html`<h2>${sets[set]} (${own[0]!.clips})</h2>${table(['', ...header], cells)}${rateDistortion(own)}`;
  });
  const reenactment =
    reenacted.length === 0
      ? null
      : html`<h2>Structure of one clip with the dynamics of another</h2>${table(
          ['', ...reenactedHeader],
          reenacted.map((row) => [row.twin, ...reenactedCells(row)]),
        )}`;
  const words =
    worded.length === 0
      ? null
      : html`<h2>Clips of words</h2>${table(
          ['', ...wordedHeader],
          worded.map((row) => [row.way, ...wordedCells(row)]),
        )}`;
  const page = html`<title>Structure and dynamics</title><style>${new Raw(reportStyle)}</style>
<h1>Structure and dynamics, side by side with other codes</h1><p>${heading}</p>
${parts}${reenactment}${words}
<h2>In the paper</h2>${table(paperHeader, paperRows)}${table(paperTrialsHeader, paperTrials)}
${notes.map((note) => html`<p>${note}</p>`)}
${sheets.map(({ name, png }) => html`<h2>${name}</h2><img alt="${name}" src="data:image/png;base64,${png.toString('base64')}" style="max-width:100%">`)}`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">${page.text}</html>\n`;
}
