import { colours, escapeXml, logarithmicTicks, round, text } from './svg.ts';

/** A curve of the plot: losses of one stage of learning in the order of its steps. */
export interface LossCurve {
  name: string;
  points: { step: number; loss: number }[];
}

const width = 860;
const height = 420;
const margin = { left: 72, right: 24, top: 48, bottom: 56 };

/**
 * Loss over steps as an SVG: the stages one after the other on one axis of steps, faint dots for single steps and a line for their moving
 * average, since the loss of one flow-matching step says more about its noise level than about progress. The axis is logarithmic.
 */
export function drawLossPlot(title: string, curves: LossCurve[]): string {
  const shown = curves
    .map((curve) => ({ ...curve, points: curve.points.filter(({ loss }) => Number.isFinite(loss) && loss > 0) }))
    .filter((curve) => curve.points.length > 0);
  const losses = shown.flatMap((curve) => curve.points.map(({ loss }) => loss));
  const [low, high] = logarithmicRange(losses);
  const lengths = shown.map((curve) => Math.max(...curve.points.map(({ step }) => step)) + 1);
  const total = Math.max(
    1,
    lengths.reduce((sum, length) => sum + length, 0),
  );
  const plotWidth = width - margin.left - margin.right;
  const plotHeight = height - margin.top - margin.bottom;
  const x = (step: number) => margin.left + (step / total) * plotWidth;
  const y = (loss: number) => margin.top + plotHeight * (1 - Math.log(loss / low) / Math.log(high / low));

  const parts: string[] = [];
  for (const value of logarithmicTicks(low, high)) {
    parts.push(
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${round(y(value))}" y2="${round(y(value))}" stroke="#e3e5e8"/>`,
      text(margin.left - 8, y(value) + 4, String(value), 'end'),
    );
  }
  for (const step of linearTicks(total)) parts.push(text(x(step), height - margin.bottom + 18, String(step), 'middle'));
  let offset = 0;
  for (const [index, curve] of shown.entries()) {
    const colour = colours[index % colours.length]!;
    const start = offset;
    if (index > 0) {
      parts.push(
        `<line x1="${round(x(start))}" x2="${round(x(start))}" y1="${margin.top}" y2="${height - margin.bottom}" stroke="#9aa0a8" stroke-dasharray="4 4"/>`,
      );
    }
    for (const { step, loss } of thin(curve.points, 600)) {
      parts.push(
        `<circle cx="${round(x(start + step))}" cy="${round(y(loss))}" r="1.4" fill="${colour}" opacity="0.28"/>`,
      );
    }
    const line = movingAverage(curve.points, Math.max(1, Math.round(curve.points.length / 20)))
      .map(({ step, loss }) => `${round(x(start + step))},${round(y(loss))}`)
      .join(' ');
    parts.push(`<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    parts.push(text(x(start) + 10, margin.top + 16, curve.name, 'start', colour));
    offset += lengths[index]!;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Inter, Helvetica, Arial, sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${margin.left}" y="28" font-size="16" fill="#16181c">${escapeXml(title)}</text>`,
    ...parts,
    `<rect x="${margin.left}" y="${margin.top}" width="${plotWidth}" height="${plotHeight}" fill="none" stroke="#9aa0a8"/>`,
    text(margin.left + plotWidth / 2, height - 14, 'step', 'middle'),
    `<text transform="translate(18 ${margin.top + plotHeight / 2}) rotate(-90)" text-anchor="middle" fill="#4a4f57">loss (logarithmic)</text>`,
    '</svg>',
    '',
  ].join('\n');
}

/** The mean of the `window` points up to each point. */
export function movingAverage(points: LossCurve['points'], window: number): LossCurve['points'] {
  let sum = 0;
  return points.map(({ step, loss }, index) => {
    sum += loss - (index >= window ? points[index - window]!.loss : 0);
    return { step, loss: sum / Math.min(window, index + 1) };
  });
}

function thin<T>(items: T[], most: number): T[] {
  const stride = Math.ceil(items.length / most);
  return stride <= 1 ? items : items.filter((_, index) => index % stride === 0);
}

function logarithmicRange(values: number[]): [number, number] {
  if (values.length === 0) return [0.1, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return [low / 1.15, Math.max(high * 1.15, low * 1.5)];
}

function linearTicks(total: number): number[] {
  const rough = total / 8;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough) ?? power);
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step);
}
