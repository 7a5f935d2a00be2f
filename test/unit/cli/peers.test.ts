import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Measurement } from '../../../main/cli/bench/measurement.ts';
import { bestPeer, type PartResult, parts, peerRows, verdicts } from '../../../main/cli/bench/peers.ts';
import { peersReport } from '../../../main/cli/bench/peers-report.ts';
import { measurePart, type PeersOptions } from '../../../main/cli/bench/run-peers.ts';

const measured = (milliseconds: number | null, peakBytes: number, first = 100): Measurement => ({
  milliseconds,
  processorMilliseconds: 2 * (milliseconds ?? 1),
  peakBytes,
  repetitions: 3,
  firstMilliseconds: first,
  startMilliseconds: first + 1000,
});

const machine = { processor: 'x', threads: 2, memoryBytes: 8e9, node: '24' };
const result = (part: string, rows: PartResult['rows']): PartResult => ({
  part,
  measuredAt: '2026-01-01T00:00',
  machine,
  rows,
});
const row = (contender: string, rounds: Measurement[], size: number | null = null) => ({ size, contender, rounds });
const reference = parts.find(({ name }) => name === 'reference-step')!;

test('each device is compared with the fastest peer that it may be compared with', () => {
  const rows = peerRows(
    result('reference-step', [
      row('openvino', [measured(20, 50)]),
      row('onnxruntime', [measured(80, 40)]),
      row('eager-float32', [measured(90, 200)]),
      row('compiled-float32', [measured(70, 100)]),
      row('compiled-bfloat16', [measured(50, 100)]),
      row('eager-bfloat16', [measured(null, 1)]),
    ]),
  );
  expect(bestPeer(rows, null)?.contender).toBe('compiled-bfloat16');
  expect(verdicts(reference, rows)).toMatchObject([
    { device: 'openvino', peer: 'compiled-bfloat16', time: 0.4, processorTime: 0.4, memory: 0.5, met: true },
    { device: 'onnxruntime', peer: 'compiled-float32', memory: 0.4, met: true },
  ]);
  expect(verdicts(reference, rows.slice(0, 2))).toEqual([]);
});

test('the first round tells the cold start, the last one the start with what was compiled before', () => {
  const [one] = peerRows(result('text', [row('openvino', [measured(10, 5, 500), measured(12, 5, 80)])]));
  expect(one).toMatchObject({
    milliseconds: 10,
    coldStartMilliseconds: 1500,
    warmStartMilliseconds: 1080,
    compileMilliseconds: 490,
  });
});

test('the report has a table of each part, the targets, and a plot of what grows', () => {
  const growth = [2, 4].flatMap((size) => [
    row('openvino', [measured(10 * size, 5e8)], size),
    row('eager-float32', [measured(20 * size, 9e8)], size),
  ]);
  const { text, plot, data } = peersReport([
    result('depth', growth),
    result('reference-step', [row('openvino', [measured(60, 90)]), row('eager-float32', [measured(100, 100)])]),
  ]);
  expect(text).toMatch(/openvino +4 +40(\.0)? .* 0\.50 \/ 0\.56/);
  expect(text).toMatch(/0\.60 of 0\.5 +0\.60 +0\.90 of 0\.7 +MISSED: time and memory/);
  expect(plot).toMatch(/^<svg [\s\S]*polyline[\s\S]*<\/svg>/);
  expect(data.parts[1]!.verdicts).toHaveLength(1);
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-peers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a part that was measured is not measured again, and a contender that fails is a row with its reason', async () => {
  const script = join(folder, 'measure.mjs');
  writeFileSync(script, `console.log(JSON.stringify(${JSON.stringify(measured(5, 6))}))`);
  const peerScript = join(folder, 'peer.mjs');
  writeFileSync(peerScript, `process.stderr.write('no torch here'); process.exit(1)`);
  const options: PeersOptions = {
    folder: join(folder, 'results'),
    model: 'm',
    ownScript: script,
    peerScript,
    python: process.execPath,
    contenders: ['onnxruntime', 'eager-float32'],
    rounds: 2,
    seconds: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
  };
  const first = await measurePart(reference, options);
  expect(first.rows.map(({ contender, rounds }) => [contender, rounds.length])).toEqual([
    ['onnxruntime', 2],
    ['eager-float32', 2],
  ]);
  expect(first.rows[1]!.rounds[0]).toMatchObject({
    milliseconds: null,
    note: expect.stringContaining('no torch here'),
  });
  rmSync(script);
  expect(await measurePart(reference, options)).toEqual(first);
});

test('a part in which a size grows goes on with the size at which it was ended', async () => {
  const script = join(folder, 'measure.mjs');
  const log = join(folder, 'log');
  writeFileSync(
    script,
    `import { appendFileSync } from 'node:fs';
appendFileSync(${JSON.stringify(log)}, process.argv[process.argv.indexOf('--layers') + 1] + ' ');
console.log(JSON.stringify(${JSON.stringify(measured(5, 6))}))`,
  );
  const ended = new AbortController();
  const options: PeersOptions = {
    folder: join(folder, 'results'),
    model: 'm',
    ownScript: script,
    peerScript: script,
    python: process.execPath,
    contenders: ['onnxruntime', 'openvino'],
    rounds: 1,
    seconds: 1,
    signal: ended.signal,
    onProgress: (what) => {
      if (what === 'depth 8 openvino') ended.abort(new Error('ended'));
    },
  };
  const depth = parts.find(({ name }) => name === 'depth')!;
  await expect(measurePart(depth, options)).rejects.toThrow();
  expect(readFileSync(log, 'utf8')).toMatch(/^2 2 4 4 8 /);
  const again = { ...options, signal: new AbortController().signal, onProgress: () => {} };
  writeFileSync(log, '');
  const { rows } = await measurePart(depth, again);
  expect(readFileSync(log, 'utf8')).toBe('8 8 16 16 32 32 ');
  expect(rows.map(({ size }) => size)).toEqual([2, 2, 4, 4, 8, 8, 16, 16, 32, 32]);
});
