import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createHumanOutput, createJsonOutput } from '../../../main/cli/output.ts';
import { formatDuration, formatProgress, formatRate } from '../../../main/cli/progress-text.ts';
import type { Progress } from '../../../shared/domain/job.ts';

const halfway: Progress = {
  phase: 'identity',
  done: 300,
  total: 600,
  unit: 'steps',
  perSecond: 2,
  etaSeconds: 150,
  loss: 0.1234,
};

function streams() {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const read = (stream: PassThrough) => String(stream.read() ?? '');
  return { stdout, stderr, out: () => read(stdout), err: () => read(stderr) };
}

test('results go to stdout and everything else to stderr', () => {
  const { out, err, ...both } = streams();
  const output = createHumanOutput(both);
  output.note('Working.');
  output.warning('The sound was left out.');
  output.error({ code: 'not-found', message: 'No such clip.', hint: 'See `motif clips`.' });
  output.result('clip', { id: 'c1' }, 'c1');
  expect(out()).toBe('c1\n');
  expect(err()).toBe('Working.\nWarning: The sound was left out.\nError: No such clip.\nSee `motif clips`.\n');
});

test('without a terminal, progress is one line every few seconds, and the last step is always told', () => {
  const { err, ...both } = streams();
  let seconds = 0;
  const output = createHumanOutput(both, () => seconds);
  for (const [time, done] of [
    [0, 1],
    [1, 100],
    [6, 300],
    [7, 600],
  ] as const) {
    seconds = time;
    output.progress('Learning', { ...halfway, done });
  }
  expect(err().trim().split('\n')).toEqual([
    'Learning: identity 1/600 steps, 2.00 steps/s, 2:30 left, loss 0.123',
    'Learning: identity 300/600 steps, 2.00 steps/s, 2:30 left, loss 0.123',
    'Learning: identity 600/600 steps, 2.00 steps/s, loss 0.123',
  ]);
});

test('on a terminal, progress is a bar with rate, time left and loss', () => {
  const { stdout, stderr } = streams();
  const terminal = Object.assign(stderr, { isTTY: true, columns: 120, cursorTo: () => {}, clearLine: () => {} });
  const output = createHumanOutput({ stdout, stderr: terminal });
  output.progress('Learning', halfway);
  output.endProgress();
  const drawn = String(stderr.read() ?? '');
  expect(drawn).toContain('Learning: identity');
  expect(drawn).toContain('50%');
  expect(drawn).toContain('2:30 left');
});

test('for machines every line on stdout is one JSON object with its type', () => {
  const { out, err, ...both } = streams();
  const output = createJsonOutput(both);
  output.progress('Learning', halfway);
  output.event('loss', { point: { step: 1, loss: 0.5 } });
  output.warning('odd');
  output.error({ code: 'internal', message: 'broken\nin two lines' });
  output.result('clip', { id: 'c1' }, 'for people');
  const lines = out().trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).type)).toEqual(['progress', 'loss', 'warning', 'error', 'clip']);
  expect(err()).toBe('');
});

test('durations and rates stay readable over many orders of magnitude', () => {
  expect([3.4, 75, 185, 3729].map(formatDuration)).toEqual(['3 s', '1:15', '3:05', '1:02:09']);
  expect(formatRate(0.05, 'steps')).toBe('20.0 s/step');
  expect(formatRate(2400, 'frames')).toBe('2400 frames/s');
  expect(formatProgress('Export', { ...halfway, total: 0, perSecond: null, etaSeconds: null, loss: undefined })).toBe(
    'Export: identity',
  );
});
