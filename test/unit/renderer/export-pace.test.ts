import { expect, test } from 'vitest';
import { ExportPace } from '../../../renderer/features/queue/export-pace.ts';

function storage(stored: Record<string, string> = {}) {
  return {
    stored,
    getItem: (name: string) => stored[name] ?? null,
    setItem: (name: string, value: string) => {
      stored[name] = value;
    },
  };
}
const video = { preset: 'h264', isFinished: true, pixels: 80e6 } as const;
const done = (id: string, seconds: number) => ({
  id,
  state: 'done' as const,
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: new Date(Date.parse('2026-01-01T00:00:00.000Z') + 1000 * seconds).toISOString(),
});

test('an export is guessed at first, and then takes what the last ones took, after a reload too', () => {
  const place = storage();
  const pace = new ExportPace(place);
  expect(pace.secondsOf([video, video])).toBe(20);
  pace.begin('a', video);
  pace.end(done('a', 40));
  expect(pace.secondsOf([video])).toBe(40);
  pace.begin('b', video);
  pace.end(done('b', 20));
  expect(pace.secondsOf([video])).toBeCloseTo(80 / 3);
  expect(new ExportPace(place).secondsOf([video])).toBeCloseTo(80 / 3);
  // Other kinds are other work.
  expect(pace.secondsOf([{ ...video, preset: 'prores' }])).toBe(10);
  expect(pace.secondsOf([{ ...video, isFinished: false }])).toBe(2);
});

test('what failed, was cancelled, or somebody else exported says nothing', () => {
  const pace = new ExportPace(storage());
  pace.begin('a', video);
  pace.end({ ...done('a', 1), state: 'failed' });
  pace.end(done('stranger', 1));
  pace.begin('c', video);
  pace.end({ ...done('c', 0) });
  expect(pace.secondsOf([video])).toBe(10);
});

test('what was stored by something else is left aside', () => {
  expect(new ExportPace(storage({ 'motif.export-pace': '{"h264 finished":-1}' })).secondsOf([video])).toBe(10);
});
