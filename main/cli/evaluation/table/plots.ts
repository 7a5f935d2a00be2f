import type {
  Comparison,
  EvaluateTableResult,
  LearningCost,
  TableRow,
  Way,
} from '../../../../shared/domain/evaluation-table.ts';
import { columnWords, printed } from './column-words.ts';
import { html, type Markup } from './markup.ts';

const labelWidth = 230;
const rowHeight = 26;
const plotWidth = 760;
const right = 96;

/** Paired differences of the first method to the others as points with intervals; nothing for none. */
export function forestPlot(comparisons: readonly Comparison[], labels: ReadonlyMap<string, string>): Markup | null {
  const shown = comparisons.flatMap((each) => (each.difference ? [{ ...each, difference: each.difference }] : []));
  if (shown.length === 0) return null;
  const { column } = shown[0]!;
  const extent =
    1.1 * Math.max(1e-9, ...shown.flatMap(({ difference: { low, high } }) => [Math.abs(low), Math.abs(high)]));
  const inner = plotWidth - labelWidth - right;
  const x = (value: number) => labelWidth + (inner * (value + extent)) / (2 * extent);
  const height = (shown.length + 1) * rowHeight + 8;
  const lowerIsBetter = column === 'trueError' || /^(mse|error)/.test(column);
  const [left, rightward] = lowerIsBetter ? ['better', 'worse'] : ['worse', 'better'];
  return html`<svg viewBox="0 0 ${plotWidth} ${height}" role="img" aria-label="Differences in ${columnWords[column]!.label}">
<line class="axis" x1="${x(0)}" x2="${x(0)}" y1="4" y2="${height - rowHeight}"/>
${shown.map(({ other, difference, better }, index) => {
  const y = (index + 0.6) * rowHeight;
  const told = better === null ? 'untold' : better ? 'good' : 'bad';
  return html`<g class="${told}"><text x="${labelWidth - 10}" y="${y + 4}" text-anchor="end">against ${labels.get(other) ?? other}</text>
<line x1="${x(difference.low)}" x2="${x(difference.high)}" y1="${y}" y2="${y}"/><circle cx="${x(difference.mean)}" cy="${y}" r="4"/>
<text x="${plotWidth - right + 8}" y="${y + 4}">${signed(column, difference.mean)}</text></g>`;
})}
<text class="quiet" x="${labelWidth}" y="${height - 8}">← ${left}</text><text class="quiet" x="${x(0)}" y="${height - 8}" text-anchor="middle">0</text>
<text class="quiet" x="${plotWidth - right}" y="${height - 8}" text-anchor="end">${rightward} →</text></svg>`;
}

function signed(column: string, value: number): string {
  return `${value > 0 ? '+' : ''}${printed(column, value)}`;
}

/**
 * What is better in neither way than another row's: the front of lower x and higher y, from left to right.
 */
export function paretoFront<T extends { x: number; y: number }>(points: readonly T[]): T[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || b.y - a.y);
  let best = Number.NEGATIVE_INFINITY;
  return sorted.filter(({ y }) => {
    const isOn = y > best;
    best = Math.max(best, y);
    return isOn;
  });
}

/**
 * How much of the source stays against how well the words are followed, one point a row, with the front of
 * the best trade-offs.
 */
export function tradeOff(rows: readonly TableRow[]): Markup | null {
  const points = rows.flatMap(({ row, label, cells }) => {
    const [x, y] = [cells.mseToSource?.interval, cells.textAgreement?.interval];
    return x && y ? [{ row, label, x: x.mean, y: y.mean }] : [];
  });
  if (points.length < 2) return null;
  const [width, height, margin] = [plotWidth, 340, 56];
  const scale = (values: number[], from: number, to: number) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const span = Math.max(1e-9, high - low);
    return (value: number) => from + ((to - from) * (value - low + 0.08 * span)) / (1.16 * span);
  };
  const x = scale(
    points.map((point) => point.x),
    margin,
    width - 170,
  );
  const y = scale(
    points.map((point) => point.y),
    height - margin,
    16,
  );
  const front = paretoFront(points.filter(({ row }) => row !== 'truth'));
  const line = front.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ');
  const [lowest, highest] = [points.map((p) => p.x), points.map((p) => p.y)].map((all) => [
    Math.min(...all),
    Math.max(...all),
  ]);
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="MSE to the source against C-T">
<line class="axis" x1="${margin}" x2="${width - 150}" y1="${height - margin + 8}" y2="${height - margin + 8}"/>
<line class="axis" x1="${margin - 8}" x2="${margin - 8}" y1="8" y2="${height - margin}"/>
<polyline class="front" points="${line}"/>
${points.map(
  (
    point,
  ) => html`<g class="${point.row === 'truth' ? 'untold' : 'point'}"><circle cx="${x(point.x)}" cy="${y(point.y)}" r="4"/>
<text x="${x(point.x) + 8}" y="${y(point.y) + 4}">${point.label}</text></g>`,
)}
<text class="quiet" x="${margin}" y="${height - margin + 24}">${printed('mseToSource', lowest![0])}</text>
<text class="quiet" x="${width - 150}" y="${height - margin + 24}" text-anchor="end">${printed('mseToSource', lowest![1])}</text>
<text class="quiet" x="${(width - 100) / 2}" y="${height - margin + 42}" text-anchor="middle">MSE to the source: less stays →</text>
<text class="quiet" x="${margin - 12}" y="${height - margin}" text-anchor="end">${printed('textAgreement', highest![0])}</text>
<text class="quiet" x="${margin - 12}" y="20" text-anchor="end">${printed('textAgreement', highest![1])}</text>
<text class="quiet" transform="translate(14 ${height / 2}) rotate(-90)" text-anchor="middle">C-T: follows the words →</text></svg>`;
}

const curveWidth = 250;
const curveHeight = 110;

/** The losses of a learning, stage after stage, each over its own steps, on one scale from 0. */
export function learningCurve(label: string, curves: LearningCost['curves']): Markup | null {
  const known = curves.filter(({ losses }) => losses.length > 1);
  if (known.length === 0) return null;
  const highest = Math.max(1e-9, ...known.flatMap(({ losses }) => losses));
  const width = (curveWidth - 8 * (known.length - 1)) / known.length;
  const y = (loss: number) => (curveHeight - 40) * (1 - loss / highest) + 20;
  return html`<svg class="curve" viewBox="0 0 ${curveWidth} ${curveHeight}" role="img" aria-label="Losses of ${label}">
<text x="0" y="12">${label}</text>
${known.map(({ stage, losses }, index) => {
  const left = index * (width + 8);
  const x = (at: number) => left + (width * at) / (losses.length - 1);
  const points = losses.map((loss, at) => `${x(at).toFixed(1)},${y(loss).toFixed(1)}`).join(' ');
  return html`<polyline points="${points}"/><line class="axis" x1="${left}" x2="${left + width}" y1="${y(0)}" y2="${y(0)}"/>
<text class="quiet" x="${left}" y="${curveHeight - 18}">${stage}</text>
<text class="quiet" x="${left}" y="${curveHeight - 4}">${losses[0]!.toFixed(2)} to ${losses.at(-1)!.toFixed(2)}</text>`;
})}</svg>`;
}

/**
 * What the claims rest on, in a sentence for each way: first is a row whose differences to all others are
 * told apart in both primary columns.
 */
export function verdicts({ comparisons, ways }: Pick<EvaluateTableResult, 'comparisons' | 'ways'>): {
  way: Way;
  isFirst: boolean;
  better: string[];
  worse: string[];
  untold: string[];
}[] {
  return ways.map((way) => {
    const own = comparisons.filter((each) => each.way === way && ['trueError', 'named'].includes(each.column));
    const others = [...new Set(own.map(({ other }) => other))];
    const told = (other: string) => own.filter((each) => each.other === other).map(({ better }) => better);
    const better = others.filter((other) => told(other).every((value) => value === true));
    const worse = others.filter((other) => told(other).some((value) => value === false));
    const untold = others.filter((other) => !better.includes(other) && !worse.includes(other));
    return {
      way,
      isFirst: others.length > 0 && better.length === others.length,
      better,
      worse,
      untold,
    };
  });
}
