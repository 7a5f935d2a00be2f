import { expect, test } from 'vitest';
import { escapeText, html } from '../../../../main/cli/evaluation/table/markup.ts';
import { medianClip } from '../../../../main/cli/evaluation/table/median-clips.ts';
import { paperNumber } from '../../../../main/cli/evaluation/table/papers.ts';
import { paretoFront, verdicts } from '../../../../main/cli/evaluation/table/plots.ts';
import { tableCsv } from '../../../../main/cli/evaluation/table/table-csv.ts';
import { tableReport } from '../../../../main/cli/evaluation/table/table-report.ts';
import { tableMarkdown, tableText } from '../../../../main/cli/evaluation/table/table-text.ts';
import type {
  Comparison,
  EvaluateTableResult,
  TableClip,
  TablePart,
} from '../../../../shared/domain/evaluation-table.ts';

const hostile = `<script>alert("1")</script> & 'it'`;

const interval = (mean: number) => ({ mean, low: mean - 0.001, high: mean + 0.001, scenes: 6 });
const cells = (mean: number) => ({
  trueError: { interval: interval(mean), missing: 0 },
  mseToSource: { interval: interval(mean), missing: 1 },
  textAgreement: { interval: interval(0.5 + mean), missing: 0 },
});
const comparison = (column: string, other: string, better: boolean | null): Comparison => ({
  way: 'noise',
  column,
  row: 'set-and-sequence',
  other,
  difference: interval(-0.01),
  p: 0.03125,
  corrected: 0.0625,
  better,
});
const clip = (mse: number, strip: string | null) =>
  ({ kind: 'light', to: 'night', way: 'noise', mse, strip }) as TableClip;
const part = (scene: string, mse: number, row = 'lora-8'): TablePart => ({
  scene,
  row,
  learningSeed: 1,
  learned: null,
  refused: null,
  clips: [clip(mse, `strips/${scene}.webp`), clip(9, null)],
  finished: true,
});

const result: EvaluateTableResult = {
  table: 'table2',
  version: 1,
  fast: false,
  effort: 1,
  budget: 100,
  sampling: { steps: 24, guidance: 4 },
  ways: ['noise'],
  first: 'set-and-sequence',
  supplied: [{ kind: 'clip', name: hostile, files: [{ file: 'image.onnx', sha256: 'abc123' }], settings: 'def' }],
  planned: [
    {
      row: 'set-and-sequence',
      label: 'Set-and-Sequence',
      stages: [{ label: 'motion', steps: 7, processorSecondsPerStep: 1 }],
    },
    { row: 'lora-8', label: hostile, stages: null },
  ],
  scenes: [{ name: 'a', seed: 0, caption: hostile, strip: 'strips/source.webp' }],
  learningSeeds: [1],
  noiseSeeds: [1],
  rows: [
    { row: 'set-and-sequence', label: 'Set-and-Sequence', way: 'noise', clips: 2, refused: 0, cells: cells(0.01) },
    { row: 'lora-8', label: hostile, way: 'noise', clips: 2, refused: 1, cells: cells(0.02) },
  ],
  comparisons: [comparison('trueError', 'lora-8', true), comparison('named', 'lora-8', null)],
  kinds: [{ row: 'lora-8', way: 'noise', kind: hostile, hits: 1, of: 2, low: 0.1, high: 0.9 }],
  leftOut: [{ kind: 'held', reason: hostile }],
  parts: [
    {
      ...part('a', 0.3, 'set-and-sequence'),
      learned: {
        seconds: 1,
        processorSeconds: 1,
        peakBytes: 1,
        steps: [],
        curves: [{ stage: hostile, losses: [1, 0.5] }],
      },
    },
    part('a', 0.3),
    part('b', 0.1),
    part('c', 0.2),
    { ...part('d', 1), refused: hostile },
  ],
  unfinished: 2,
  seconds: 60,
  takenOver: 0,
  weights: hostile,
};

const report = (changes: Partial<EvaluateTableResult> = {}) =>
  tableReport({
    model: { name: hostile } as never,
    device: { chosen: 'onnxruntime', description: hostile, threads: 2 } as never,
    program: '1',
    result: { ...result, ...changes },
    command: `motif evaluate table2 -o ${hostile}`,
    picture: (strip) => (strip.includes('b') ? 'data:image/webp;base64,AAAA' : null),
  });

test('text enters markup as text, whatever is in it', () => {
  expect(escapeText(hostile)).toBe('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;it&#39;');
  expect(html`<b title="${hostile}">${[html`<i>${1}</i>`, null, false, '<']}</b>`.text).toBe(
    `<b title="${escapeText(hostile)}"><i>1</i>&lt;</b>`,
  );
});

test('a report holds no script and nothing from elsewhere, though names, reasons and captions say so', () => {
  const page = report();
  expect(page).not.toMatch(/<script/i);
  expect(page).toContain(escapeText(hostile));
  expect(page).not.toMatch(/(src|href)="(?!data:)/);
  expect(page).not.toMatch(/\bNaN\b|undefined|\[object/);
});

test("the paper's number stands in grey beside ours, and a memory of one is never printed", () => {
  expect(report()).toContain('<small class="paper">.0223</small>');
  expect(paperNumber('table2', 'lora-8', 'identity')).toBe('.703');
  expect(paperNumber('dreamvideo', 'base', 'frameTextAgreement')).toBeUndefined();
  expect(paperNumber('dreamvideo', 'dreamvideo-no-motion', 'frameTextAgreement')).toBeUndefined();
  expect(paperNumber('wide', 'lora-8', 'identity')).toBeUndefined();
});

test('a report says how long it took, and what lay there already', () => {
  expect(report()).toContain('<dd>1:00</dd>');
  expect(report({ takenOver: 1 })).toContain('<dd>1:00, with 1 part of earlier runs</dd>');
  expect(report({ takenOver: 3 })).toContain('<dd>1:00, with 3 parts of earlier runs</dd>');
});

test('a report has plots as SVG, what is missing, and how to run it again', () => {
  const page = report();
  expect(page.match(/<svg /g)).toHaveLength(4);
  expect(page).toContain('2 planned parts are not finished');
  expect(page).toContain('1 without');
  expect(page).toContain('motif evaluate table2 -o');
  expect(report({ rows: [], comparisons: [], kinds: [], parts: [] })).toContain('nothing to compare');
});

test('what a user gave to measure with is named with its hash, and has columns of its own', () => {
  const page = report();
  expect(page).toContain('image.onnx (SHA-256 abc123)');
  expect(page).not.toContain('<th title="mean cosine of the words');
  const supplied = { ...cells(0.01), clipText: { interval: interval(0.31), missing: 0 } };
  const frechetVideo = { interval: { mean: 812.34, low: 812.34, high: 812.34, scenes: 6 }, missing: 0 };
  const [first, ...others] = result.rows;
  const rows = [{ ...first!, cells: { ...supplied, frechetVideo } }, ...others];
  const measured = report({ rows });
  expect(measured).toContain('>CLIP-T</th>');
  expect(measured).toContain('<td>0.310<small>0.309 to 0.311</small>');
  expect(measured).toContain('<td>812.3</td>');
  expect(tableCsv({ ...result, rows })).toContain('noise,set-and-sequence,Set-and-Sequence,frechetVideo,812.34,');
});

test('a row is first only where both primary columns are told apart from every other', () => {
  const [untold] = verdicts(result);
  expect(untold).toMatchObject({ isFirst: false, better: [], untold: ['lora-8'] });
  const both = [comparison('trueError', 'lora-8', true), comparison('named', 'lora-8', true)];
  expect(verdicts({ ...result, comparisons: both })[0]).toMatchObject({ isFirst: true, better: ['lora-8'] });
  const worse = [comparison('trueError', 'lora-8', true), comparison('named', 'lora-8', false)];
  expect(verdicts({ ...result, comparisons: worse })[0]).toMatchObject({ isFirst: false, worse: ['lora-8'] });
  expect(tableText(result)).toMatch(/set-and-sequence: not told apart from lora-8\./);
});

test('a table as Markdown has every row, what computed, and the verdict', () => {
  const device = { description: 'ONNX Runtime' } as never;
  const page = tableMarkdown({ model: { name: 'motif-tiny' } as never, device, result });
  const lines = page.split('\n').filter((line) => line.startsWith('|'));
  expect(lines[0]).toMatch(/^\| {2}\| true error \| named × kept \|/);
  expect(lines).toHaveLength(2 + result.rows.length);
  expect(new Set(lines.map((line) => line.split(' | ').length)).size).toBe(1);
  expect(page).toContain('Model motif-tiny; ONNX Runtime. Test seeds');
  expect(page).toContain('set-and-sequence: not told apart from lora-8.');
});

test('the picture of a row is of its median scene, not of its best', () => {
  expect(medianClip(result.parts.slice(0, 4), 'lora-8', 'noise')).toMatchObject({ scene: 'c', clip: { mse: 0.2 } });
  expect(medianClip(result.parts, 'lora-8', 'editor')).toBeNull();
});

test('the front holds what nothing beats in both', () => {
  const points = [
    { x: 2, y: 3 },
    { x: 1, y: 1 },
    { x: 3, y: 2 },
    { x: 1, y: 2 },
  ];
  expect(paretoFront(points)).toEqual([
    { x: 1, y: 2 },
    { x: 2, y: 3 },
  ]);
});

test('the CSV quotes what holds commas or quotes', () => {
  const named = { ...result, rows: [{ ...result.rows[1]!, label: 'a "b", c' }] };
  const [header, line] = tableCsv(named).split('\r\n');
  expect(header).toMatch(/^way,row,label,column,mean/);
  expect(line).toBe(
    'noise,lora-8,"a ""b"", c",trueError,0.02,0.019,0.021,6,0,-0.01,-0.011,-0.009000000000000001,0.03125,0.0625',
  );
});
