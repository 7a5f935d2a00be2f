import { expect, test } from 'vitest';
import { rateDistortion } from '../../../main/cli/evaluation/twin/rate-distortion.ts';
import { twinPage } from '../../../main/cli/evaluation/twin/twin-page.ts';
import { formatTwinReport } from '../../../main/cli/evaluation/twin/twin-text.ts';
import type { CodedRow, EvaluateTwinResult } from '../../../shared/domain/evaluation-twin.ts';

const known = (mean: number) => ({ mean, deviation: 0.5, count: 3 });
const unknown = { mean: null, deviation: null, count: 0 };
const row = (way: string, kind: CodedRow['kind'], rate: number, psnr: number): CodedRow => ({
  ...{
    way,
    kind,
    set: 'world',
    clips: 3,
    rate: known(rate),
    psnr: known(psnr),
    ssim: known(0.8),
    perceptual: known(0.2),
    lpips: known(0.31),
    frechet: 7.25,
    frechetVideo: 812.5,
  },
  ...{ psnrStructure: unknown, psnrDynamics: unknown, encodeSeconds: known(1), decodeSeconds: known(1) },
});
const rows = [
  row('<b>twin</b>', 'twin', 0.005, 26),
  row('DCT of equal rate', 'cosine', 0.005, 24),
  row('DCT, 1.00 %', 'cosine', 0.01, 25),
];
const result: EvaluateTwinResult = {
  ...{ rows, reenacted: [], worded: [], twins: [], supplied: [], sheet: [], seconds: 1, takenOver: 0 },
};

test('the page needs nothing from elsewhere, and names are text whatever they hold', () => {
  const page = twinPage(result, 'heading', [{ name: 'sheet', png: Buffer.from([1, 2, 3]) }]);
  expect(page).not.toMatch(/(src|href)="(?!data:)/);
  expect(page).toContain('&lt;b&gt;twin&lt;/b&gt;');
  expect(page).not.toContain('<b>twin');
  expect(page).toContain('data:image/png;base64,AQID');
});

test('the plot draws a point for each row, higher for more decibels, further right for a higher rate', () => {
  const plot = rateDistortion(rows)!.text;
  const circles = [...plot.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(circles).toHaveLength(3);
  expect(circles[0]![1]).toBeLessThan(circles[1]![1]!);
  expect(circles[0]![0]).toBe(circles[1]![0]);
  expect(circles[2]![0]).toBeGreaterThan(circles[1]![0]!);
  expect(rateDistortion(rows.slice(0, 1))).toBeNull();
  // Points that are nearly the same have labels below each other.
  const crowded = [0, 0.01, 0.02, 0.03].map((step) => row(`twin ${step}`, 'twin', 0.005, 26 + step));
  const labels = [...rateDistortion([...rows, ...crowded])!.text.matchAll(/<text x="[\d.]+" y="([\d.]+)">/g)];
  const heights = labels.map(([, y]) => Number(y)).sort((a, b) => a - b);
  expect(heights).toHaveLength(6);
  for (const [index, y] of heights.slice(1).entries()) expect(y - heights[index]!).toBeGreaterThanOrEqual(13.9);
});

test('the text has every row, and says which numbers cannot be compared', () => {
  const text = formatTwinReport(result);
  for (const { way } of rows) expect(text).toContain(way);
  expect(text).toContain('0.500');
  expect(text).toContain('cannot be compared with LPIPS');
});

test("columns of a user's networks are there where they measured", () => {
  const [without, all] = [[], ['lpips', 'i3d'] as const].map((kinds) => {
    const supplied = kinds.map((kind) => ({ kind, name: kind, files: [], settings: '' }));
    return formatTwinReport({ ...result, supplied });
  });
  expect(without).toContain('7.25');
  expect(without).not.toMatch(/FVD {2}|812|0\.31/);
  for (const text of ['LPIPS  ', 'FVD  ', '0.3100 ± 0.5000', '812.5']) expect(all).toContain(text);
});
