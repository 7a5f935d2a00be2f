import type { CodedRow } from '../../../../shared/domain/evaluation-twin.ts';
import { html, type Markup } from '../table/markup.ts';

const [width, height, left, bottom, right] = [820, 360, 60, 48, 190];

/** Rate on a logarithmic axis against PSNR: the cosine transform as a line, everything else as points. Null for fewer than two rows. */
export function rateDistortion(rows: readonly CodedRow[]): Markup | null {
  const points = rows.flatMap(({ way, kind, rate, psnr }) =>
    rate.mean !== null && psnr.mean !== null ? [{ way, kind, rate: rate.mean, psnr: psnr.mean }] : [],
  );
  if (points.length < 2) return null;
  const rates = points.map(({ rate }) => Math.log(rate));
  const levels = points.map(({ psnr }) => psnr);
  const scale = (values: number[], from: number, to: number) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (value: number) => from + ((to - from) * (value - low)) / Math.max(1e-9, high - low);
  };
  const x = scale(rates, left + 12, width - right);
  const y = scale(levels, height - bottom - 12, 20);
  const at = (point: (typeof points)[number]) => ({
    x: x(Math.log(point.rate)).toFixed(1),
    y: y(point.psnr).toFixed(1),
  });
  const line = points
    .filter(({ kind }) => kind === 'cosine')
    .sort((a, b) => a.rate - b.rate)
    .map((point) => `${at(point).x},${at(point).y}`)
    .join(' ');
  const ticks = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05].filter(
    (rate) => Math.log(rate) >= Math.min(...rates) && Math.log(rate) <= Math.max(...rates),
  );
  const named = points.filter(({ kind, way }) => kind !== 'cosine' || way.includes('equal rate'));
  const labels = apart(named.map((point) => ({ ...at(point), text: `${point.way}, ${point.psnr.toFixed(1)} dB` })));
  const steps = [Math.min(...levels), (Math.min(...levels) + Math.max(...levels)) / 2, Math.max(...levels)];
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Rate against PSNR">
<line class="axis" x1="${left}" x2="${width - right + 12}" y1="${height - bottom}" y2="${height - bottom}"/>
<line class="axis" x1="${left}" x2="${left}" y1="12" y2="${height - bottom}"/>
${ticks.map((rate) => html`<text class="quiet" x="${x(Math.log(rate))}" y="${height - bottom + 18}" text-anchor="middle">${(100 * rate).toFixed(1)} %</text>`)}
${steps.map((level) => html`<text class="quiet" x="${left - 8}" y="${y(level) + 4}" text-anchor="end">${level.toFixed(1)}</text>`)}
<polyline class="front" points="${line}"/>
${points.map((point) => {
  const place = at(point);
  return html`<g class="${point.kind === 'twin' ? 'point' : 'untold'}"><circle cx="${place.x}" cy="${place.y}" r="4"/></g>`;
})}
${labels.map(({ x, y, text }) => html`<text x="${(x + 8).toFixed(1)}" y="${(y + 4).toFixed(1)}">${text}</text>`)}
<text class="quiet" x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">rate: numbers of the code for each number of the pixels →</text>
<text class="quiet" transform="translate(14 ${height / 2}) rotate(-90)" text-anchor="middle">PSNR, dB →</text></svg>`;
}

/** About what a letter and a line of the labels take. */
const [letter, line] = [6.3, 14];

/** Moves labels down until none lies over another, from the highest on. */
function apart(labels: readonly { x: string; y: string; text: string }[]): { x: number; y: number; text: string }[] {
  const placed: { x: number; y: number; text: string }[] = [];
  const wanted = labels.map(({ x, y, text }) => ({ x: Number(x), y: Number(y), text })).sort((a, b) => a.y - b.y);
  for (const label of wanted) {
    const meets = (other: (typeof placed)[0]) =>
      Math.abs(other.y - label.y) < line &&
      label.x < other.x + letter * other.text.length &&
      other.x < label.x + letter * label.text.length;
    for (let other = placed.find(meets); other; other = placed.find(meets)) label.y = other.y + line;
    placed.push(label);
  }
  return placed;
}
