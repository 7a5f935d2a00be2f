import { colours, escapeXml, logarithmicTicks, round, text } from '../../media/svg.ts';

/** How one number grows with a size, for several contenders. */
export interface GrowthPanel {
  title: string;
  /** Of the vertical axis, with its unit. */
  label: string;
  curves: { name: string; points: { size: number; value: number }[] }[];
}

const panel = { width: 420, height: 300, left: 64, right: 16, top: 40, bottom: 36 };
const columns = 2;

/** Panels side by side as one SVG, both axes logarithmic, a colour for each contender. */
export function drawGrowthPlot(title: string, panels: readonly GrowthPanel[]): string {
  const names = [...new Set(panels.flatMap(({ curves }) => curves.map(({ name }) => name)))];
  const colourOf = (name: string) => colours[names.indexOf(name) % colours.length]!;
  const [width, head] = [columns * panel.width, 64];
  const height = head + Math.ceil(panels.length / columns) * panel.height;
  const legend = names.map((name, index) => text(panel.left + index * 130, 50, name, 'start', colourOf(name)));
  const drawn = panels.map((given, index) => {
    const [x, y] = [(index % columns) * panel.width, head + Math.floor(index / columns) * panel.height];
    return `<g transform="translate(${x} ${y})">${drawPanel(given, colourOf)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Inter, Helvetica, Arial, sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${panel.left}" y="28" font-size="16" fill="#16181c">${escapeXml(title)}</text>`,
    ...legend,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, label, curves }: GrowthPanel, colourOf: (name: string) => string): string {
  const points = curves.flatMap((curve) => curve.points);
  const sizes = [...new Set(points.map(({ size }) => size))].sort((a, b) => a - b);
  if (sizes.length === 0) return text(panel.left, panel.top, `${title}: nothing was measured`, 'start');
  const values = points.map(({ value }) => value);
  const range = (numbers: number[]): [number, number] => [Math.min(...numbers) / 1.2, Math.max(...numbers) * 1.2];
  const scale =
    ([low, high]: [number, number], from: number, to: number) =>
    (value: number) =>
      round(from + ((to - from) * Math.log(value / low)) / Math.log(high / low));
  const valueRange = range(values);
  const [right, bottom] = [panel.width - panel.right, panel.height - panel.bottom];
  const x = scale(range(sizes), panel.left, right);
  const y = scale(valueRange, bottom, panel.top);
  return [
    text(panel.left, panel.top - 10, `${title}: ${label}`, 'start', '#16181c'),
    ...logarithmicTicks(...valueRange).flatMap((tick) => [
      `<line x1="${panel.left}" x2="${right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#e3e5e8"/>`,
      text(panel.left - 8, y(tick) + 4, String(tick), 'end'),
    ]),
    ...sizes.map((size) => text(x(size), bottom + 18, String(size), 'middle')),
    ...curves.map(({ name, points: own }) => {
      const line = own.map(({ size, value }) => `${x(size)},${y(value)}`).join(' ');
      return `<polyline points="${line}" fill="none" stroke="${colourOf(name)}" stroke-width="2"/>`;
    }),
    `<rect x="${panel.left}" y="${panel.top}" width="${right - panel.left}" height="${bottom - panel.top}" fill="none" stroke="#9aa0a8"/>`,
  ].join('\n');
}
