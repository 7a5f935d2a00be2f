import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { watchInterruption } from '../../../main/cli/interruption.ts';

function fakeProcess() {
  const exits: number[] = [];
  return { source: Object.assign(new EventEmitter(), { exit: (code: number) => exits.push(code) }), exits };
}

test('the first Ctrl-C aborts the work, the second leaves at once with 130', () => {
  const { source, exits } = fakeProcess();
  const said: string[] = [];
  const { signal } = watchInterruption(source, (text) => said.push(text));
  source.emit('SIGINT');
  expect(signal.aborted).toBe(true);
  expect(said).toHaveLength(1);
  expect(exits).toEqual([]);
  source.emit('SIGINT');
  expect(exits).toEqual([130]);
});

test('after the work is over, Ctrl-C is no longer caught', () => {
  const { source } = fakeProcess();
  const { signal, dispose } = watchInterruption(source, () => {});
  dispose();
  source.emit('SIGTERM');
  expect(signal.aborted).toBe(false);
  expect(source.listenerCount('SIGINT')).toBe(0);
});
