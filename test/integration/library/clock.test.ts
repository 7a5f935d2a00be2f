import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Services } from '../../../main/services/services.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { addClips, learnRequest, openTestServices, runNew } from '../../fixtures/services.ts';

let folder: string;
let services: Services;
const day = 24 * 3600 * 1000;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-05-01T12:00:00Z') });
  folder = makeTempFolder('clock');
  addClips(folder, 'river-1a2b', 'lake-3c4d');
  services = await openTestServices(folder);
});
afterEach(async () => {
  await services.close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

/** Starts again when the clock says so much more. */
async function startAfter(days: number): Promise<void> {
  await services.close();
  vi.setSystemTime(Date.now() + days * day);
  services = await openTestServices(folder);
}

/** A learning that failed with a checkpoint, one that was done, and a clip in the trash. */
async function leaveThings(): Promise<{ failed: string; done: string }> {
  const failed = await runNew(services, learnRequest('river', 6, 'a [v] person that breaks once'));
  const done = await runNew(services, learnRequest('river', 2));
  await services.call['library.delete']({ items: [{ kind: 'clip', id: 'lake-3c4d' }] });
  expect([failed.state, done.state]).toEqual(['failed', 'done']);
  return { failed: failed.id, done: done.id };
}
const has = (id: string) => existsSync(join(folder, 'home/jobs', id));

it.each([400, 3650, -3650])('a clock that jumps by %d days deletes nothing', async (days) => {
  const { failed, done } = await leaveThings();
  for (const jump of [days, days, -2 * days, 0]) await startAfter(jump);
  expect(await services.call['library.trash']()).toHaveLength(1);
  expect(has(failed)).toBe(true);
  expect(services.queue.get(done).state).toBe('done');
});

it('what is old goes as the days pass', async () => {
  const { failed, done } = await leaveThings();
  for (let days = 0; days < 29; days++) await startAfter(1);
  expect([(await services.call['library.trash']()).length, has(failed)]).toEqual([1, true]);
  for (let days = 0; days < 3; days++) await startAfter(1);
  expect([(await services.call['library.trash']()).length, has(failed)]).toEqual([0, false]);
  expect(services.queue.get(done).state).toBe('done');
  for (let starts = 0; starts < 21; starts++) await startAfter(3);
  expect(services.queue.list().map(({ id }) => id)).toEqual([failed]);
});

it('the trash is emptied at once by who asks for it, whatever the clock says', async () => {
  await leaveThings();
  await startAfter(-3650);
  expect((await services.call['library.emptyTrash']()).count).toBe(1);
});
