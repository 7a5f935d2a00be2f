import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import {
  exportRows,
  type LooksTimes,
  looksRows,
  looksTable,
  meetsGoal,
  percentile,
} from '../../../main/cli/bench/looks-rows.ts';
import { watchResidentMemory } from '../../../main/cli/bench/resident-memory.ts';

const times: LooksTimes = {
  firstTile: [5500, 5200],
  fiveTiles: [12_000, 14_000],
  oneLook: [2000, 2200],
  fiveLooks: [7000, 7400],
  previews: [700, 800, 1400],
  ffmpeg: [1000, 1100],
};
const rowOf = (device: string, words: string) =>
  looksRows(device, times, 2e9).find(({ what }) => what.includes(words))!;

test('times are the middle ones in seconds, with their ratio to ffmpeg alone, and five looks are told against one', () => {
  expect(rowOf('onnxruntime', 'first finished tile')).toMatchObject({ value: 5.2, unit: 's', toFfmpeg: 5.2 });
  expect(rowOf('onnxruntime', 'p95')).toMatchObject({ value: 1.4, atMost: 1.5 });
  expect(rowOf('onnxruntime', 'five looks')).toMatchObject({ value: 3.5, unit: 'x', atMost: 4 });
});

test('goals are those of what computes, and nothing is claimed where there are none', () => {
  expect(meetsGoal(rowOf('onnxruntime', 'first finished tile'))).toBe(true);
  expect(meetsGoal(rowOf('openvino', 'first finished tile'))).toBe(false);
  expect(meetsGoal(rowOf('cpu', 'first finished tile'))).toBe(null);
  expect(meetsGoal(rowOf('cpu', 'memory'))).toBe(false);
});

test('the table says what was met and what was missed', () => {
  const exported = exportRows({
    name: '4K',
    framesPerSecond: 3,
    ffmpegFramesPerSecond: 6,
    ownBytes: 4e8,
    allBytes: null,
    note: '',
  });
  const lines = looksTable([...looksRows('openvino', times, null), ...exported]).split('\n');
  expect(lines.find((line) => line.startsWith('clip dropped to first'))).toMatch(/5\.20 s .*5 s MISSED/);
  expect(lines.find((line) => line.startsWith('five looks'))).toMatch(/4 x met/);
  expect(lines.find((line) => line.startsWith('peak memory'))).toMatch(/ - .*measured on Linux only/);
  expect(lines.find((line) => line.startsWith('finished export at 4K'))).toMatch(/3\.00 frames\/s +0\.50/);
});

test('a percentile is a value that was measured', () => {
  expect(percentile([3, 1, 2], 0.5)).toBe(2);
  expect(percentile([5], 0.95)).toBe(5);
  expect(percentile([4, 3, 2, 1], 0.95)).toBe(4);
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});

test.runIf(process.platform === 'linux')('memory is that of this process and of what it started', async () => {
  const program = "const held = Buffer.alloc(3e8, 1); process.stdout.write('.'); setTimeout(() => held, 60_000)";
  const watch = watchResidentMemory();
  const child = spawn(process.execPath, ['-e', program]);
  await new Promise((held) => child.stdout.once('data', held));
  const { allBytes, ownBytes } = watch.end();
  child.kill();
  expect(allBytes! - ownBytes).toBeGreaterThan(2.5e8);
  expect(ownBytes).toBeGreaterThan(1e7);
});

test('watching memory does not keep a program from ending when what it measured was stopped', async () => {
  const file = resolve('main/cli/bench/resident-memory.ts');
  const program = `import(${JSON.stringify(pathToFileURL(file).href)}).then((m) => m.watchResidentMemory())`;
  const child = spawn(process.execPath, ['-e', program], { timeout: 20_000 });
  expect(await new Promise((ended) => child.once('exit', ended))).toBe(0);
}, 30_000);
