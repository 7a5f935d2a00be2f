import { expect, test } from 'vitest';
import {
  type Measurement,
  measurement,
  meetsTarget,
  middle,
  type Row,
  ratios,
} from '../../../main/cli/bench/measurement.ts';
import { runChild } from '../../../main/cli/bench/run-child.ts';

const measured = (milliseconds: number | null, peakBytes: number): Measurement => ({
  milliseconds,
  peakBytes,
  repetitions: 3,
});

const row = (ours: Measurement, peers: Measurement | null): Row => ({
  name: 'x',
  title: 'x',
  peer: true,
  target: { time: 1.15, memory: 0.6 },
  ours,
  peers,
});

test('of several rounds the middle time and the least disturbed peak count', () => {
  expect(middle([measured(30, 5), measured(10, 9), measured(20, 7)])).toMatchObject({ milliseconds: 20, peakBytes: 5 });
  expect(middle([measured(10, 5), measured(30, 6)])).toMatchObject({ milliseconds: 10 });
});

test('ratios are to the peer, and a target needs both time and memory', () => {
  expect(ratios(row(measured(11, 50), measured(10, 100)))).toEqual({ time: 1.1, memory: 0.5 });
  expect(meetsTarget(row(measured(11, 50), measured(10, 100)))).toBe(true);
  expect(meetsTarget(row(measured(12, 50), measured(10, 100)))).toBe(false);
  expect(meetsTarget(row(measured(11, 70), measured(10, 100)))).toBe(false);
});

test('without a peer, or where one side cannot, nothing is claimed', () => {
  expect(meetsTarget(row(measured(11, 50), null))).toBe(null);
  expect(ratios(row(measured(null, 1), measured(10, 100)))).toBe(null);
});

test('a child process answers with its last line, and one that breaks is told with its last words', async () => {
  const { signal } = new AbortController();
  const answer = JSON.stringify(measured(5, 6));
  const program = `console.log('noise'); console.log(${JSON.stringify(answer)})`;
  expect(await runChild(process.execPath, ['-e', program], signal, measurement)).toEqual(measured(5, 6));
  const broken = `process.stderr.write('cannot\\n'); process.exit(3)`;
  await expect(runChild(process.execPath, ['-e', broken], signal, measurement)).rejects.toMatchObject({
    code: 'engine-crashed',
    message: expect.stringContaining('cannot'),
  });
});
