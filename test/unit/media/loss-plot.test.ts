import { expect, test } from 'vitest';
import { drawLossPlot, movingAverage } from '../../../main/media/loss-plot.ts';

const falling = (count: number) =>
  Array.from({ length: count }, (_, step) => ({ step, loss: 0.9 * Math.exp(-step / count) }));

test('both stages stand one after the other on one axis of steps', () => {
  const svg = drawLossPlot('Losses', [
    { name: 'identity', points: falling(100) },
    { name: 'motion', points: falling(300) },
  ]);
  const lines = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map((match) =>
    match[1]!.split(' ').map((point) => Number(point.split(',')[0])),
  );
  expect(lines).toHaveLength(2);
  expect(lines[1]![0]).toBeGreaterThan(lines[0]!.at(-1)!);
  expect(lines[1]!.at(-1)).toBeLessThanOrEqual(860 - 24);
  expect(svg).toContain('identity');
  expect(svg).toContain('>step<');
});

test('a plot without points is still a picture', () => {
  expect(drawLossPlot('Nothing yet', [])).toContain('</svg>');
  expect(drawLossPlot('<&>', [{ name: 'a', points: [{ step: 0, loss: Number.NaN }] }])).toContain('&lt;&amp;&gt;');
});

test('the moving average looks back only', () => {
  const points = [1, 3, 5, 7].map((loss, step) => ({ step, loss }));
  expect(movingAverage(points, 2).map(({ loss }) => loss)).toEqual([1, 2, 4, 6]);
});
