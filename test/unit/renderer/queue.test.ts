import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { QueueState } from '../../../renderer/features/queue/queue.svelte.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { fakeServices, later, settled } from './fake-services.svelte.ts';

const page = { hidden: false };
beforeEach(() => {
  page.hidden = false;
  vi.stubGlobal('document', page);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

function makeJob(id: string, changes: Partial<Job> = {}): Job {
  return {
    id,
    kind: 'generate',
    title: id,
    state: 'queued',
    input: {},
    output: null,
    progress: null,
    checkpoint: null,
    error: null,
    attempts: 0,
    position: 1,
    createdAt: '2026-01-01T00:00:00Z',
    startedAt: null,
    finishedAt: null,
    ...changes,
  };
}

const waiting = ['a', 'b', 'c'].map((id, index) => makeJob(id, { position: index + 1 }));

async function start(jobs: Job[] = [], answers: Parameters<typeof fakeServices>[0] = {}) {
  const world = fakeServices({
    'jobs.list': () => jobs,
    'jobs.events': () => [],
    'settings.get': () => ({ queuePaused: false }),
    'jobs.move': () => jobs[0],
    ...answers,
  });
  const notified: string[] = [];
  const queue = new QueueState(world.services, world.notices, { notify: (_, body) => notified.push(body) });
  const ended: string[] = [];
  queue.whenDone(({ id, state }) => ended.push(`${id} ${state}`));
  world.open();
  await settled();
  const change = (job: Job) => world.emit('job.changed', { job });
  return { queue, ended, notified, change, ...world };
}

const idsOf = (jobs: readonly Job[]) => jobs.map(({ id }) => id);

it('sorts jobs by how they stand: those that wait by their turn, those that ended by when', async () => {
  const { queue } = await start([
    makeJob('third', { position: 3 }),
    makeJob('first', { position: 1.5 }),
    makeJob('runs', { state: 'running', kind: 'learn' }),
    makeJob('old', { state: 'done', finishedAt: '2026-01-01T01:00:00Z' }),
    makeJob('new', { state: 'cancelled', finishedAt: '2026-01-01T02:00:00Z' }),
    makeJob('halted', { state: 'paused', kind: 'learn' }),
    makeJob('broken', { state: 'failed', kind: 'import', finishedAt: '2026-01-01T00:30:00Z' }),
  ]);
  expect(idsOf(queue.running)).toEqual(['runs']);
  expect(idsOf(queue.waiting)).toEqual(['first', 'third']);
  expect(idsOf(queue.stopped)).toEqual(['halted']);
  expect(idsOf(queue.ended)).toEqual(['new', 'old', 'broken']);
  expect(idsOf(queue.learning)).toEqual(['runs', 'halted']);
  expect(idsOf(queue.imports)).toEqual(['broken']);
});

it('knows after a reload what learnings said before it, and goes on from there', async () => {
  const point = (step: number) => ({ step, loss: 1 });
  const sample = (step: number) => ({ type: 'sample', stage: 'identity', step, frames: {} });
  const { queue, emit, inputsOf } = await start(
    [makeJob('learns', { kind: 'learn', state: 'running' }), makeJob('a')],
    {
      'jobs.events': () => [{ type: 'loss', point: point(1) }, sample(100), { type: 'checkpoint' }],
    },
  );
  expect(inputsOf('jobs.events')).toEqual([{ reference: 'learns' }]);
  emit('job.event', { id: 'learns', event: { type: 'loss', point: point(2) } });
  emit('job.event', { id: 'learns', event: sample(200) });
  expect(queue.losses.learns).toEqual([point(1), point(2)]);
  // What was resumed from before step 200 makes its sample again.
  emit('job.event', { id: 'learns', event: sample(200) });
  expect(queue.samples.learns!.map(({ step }) => step)).toEqual([100, 200]);
});

it('tells once that a job has ended, whoever asked for it', async () => {
  const { ended, change } = await start([makeJob('a')]);
  change(makeJob('a', { state: 'running' }));
  change(makeJob('a', { state: 'done' }));
  change(makeJob('a', { state: 'done', title: 'another name' }));
  change(makeJob('elsewhere', { state: 'cancelled' }));
  expect(ended).toEqual(['a done', 'elsewhere cancelled']);
});

it('whoever waits for a job hears of its end, also when that was before', async () => {
  const { queue, change } = await start([makeJob('over', { state: 'failed' }), makeJob('a')]);
  expect((await queue.finished('over')).state).toBe('failed');
  const finished = queue.finished('a');
  change(makeJob('b', { state: 'done' }));
  change(makeJob('a', { state: 'paused' }));
  change(makeJob('a', { state: 'cancelled' }));
  expect((await finished).state).toBe('cancelled');
});

it('moves a job before another one that waits, or behind them all, and not beyond', async () => {
  const { queue, inputsOf } = await start(waiting);
  await queue.move('a', -1);
  await queue.move('c', 1);
  await queue.move('gone', 1);
  expect(inputsOf('jobs.move')).toEqual([]);
  await queue.move('b', -1);
  await queue.move('a', 1);
  await queue.move('b', 1);
  expect(inputsOf('jobs.move')).toEqual([
    { reference: 'b', before: 'a' },
    { reference: 'a', before: 'c' },
    { reference: 'b', before: null },
  ]);
});

it('cancels what it is told to, shows it so when it is, and tells when it cannot be', async () => {
  const refusal = later<void>();
  const { queue, change, told, inputsOf } = await start(waiting, { 'jobs.cancel': () => refusal.answer });
  queue.act('jobs.cancel', 'b');
  expect([inputsOf('jobs.cancel'), idsOf(queue.waiting)]).toEqual([[{ reference: 'b' }], ['a', 'b', 'c']]);
  change(makeJob('b', { state: 'cancelled' }));
  expect(idsOf(queue.waiting)).toEqual(['a', 'c']);
  refusal.fail(new AppError('not-found', 'There is no job "b".'));
  await settled();
  expect(told()).toEqual(['There is no job "b".']);
});

it('clears what has ended, each as it is forgotten', async () => {
  const { queue, emit, inputsOf } = await start([...waiting, makeJob('over', { state: 'done' })], {
    'jobs.remove': () => undefined,
  });
  queue.clearFinished();
  expect(inputsOf('jobs.remove')).toEqual([{ reference: 'over' }]);
  emit('job.removed', { id: 'over' });
  expect(idsOf(queue.ended)).toEqual([]);
});

it('says of what is asked for while the queue is paused that it waits, and resumes from there', async () => {
  const { queue, change, notices, inputsOf } = await start([], {
    'settings.get': () => ({ queuePaused: true }),
    'settings.set': () => undefined,
  });
  expect(queue.isPaused).toBe(true);
  change(makeJob('file', { kind: 'import' }));
  expect(notices.items).toEqual([]);
  change(makeJob('a'));
  expect(notices.items.map(({ message }) => message)).toEqual(['Waiting: the queue is paused.']);
  notices.items[0]!.action!.run();
  expect(inputsOf('settings.set')).toEqual([{ queuePaused: false }]);
});

it('follows a pause that another window set', async () => {
  const { queue, emit } = await start();
  emit('settings.changed', { settings: { queuePaused: true } });
  expect(queue.isPaused).toBe(true);
});

it('notifies of a learning that ends while nobody looks', async () => {
  const { change, notified } = await start();
  change(makeJob('seen', { kind: 'learn', state: 'done' }));
  page.hidden = true;
  change(makeJob('unseen', { kind: 'learn', state: 'done' }));
  change(makeJob('render', { state: 'done' }));
  expect(notified).toEqual(['unseen: done.']);
});

it('says that a clip is in the library already', async () => {
  const { change, told } = await start();
  change(makeJob('Import a.mp4', { kind: 'import', state: 'done', output: { clipId: 'a', duplicate: true } }));
  expect(told()).toEqual(['Import a.mp4: this clip is already in the library.']);
});

it('a list that cannot be had is told, and what is known stays', async () => {
  let isThere = true;
  const { queue, open, told } = await start([], {
    'jobs.list': () => {
      if (!isThere) throw new AppError('disconnected', 'Motif is not responding.');
      return waiting;
    },
  });
  isThere = false;
  open();
  await settled();
  expect([told(), idsOf(queue.jobs)]).toEqual([['Motif is not responding.'], ['a', 'b', 'c']]);
});
