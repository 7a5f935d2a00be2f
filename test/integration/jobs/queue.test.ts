import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClipStore } from '../../../main/library/clips.ts';
import { openLibrary } from '../../../main/library/open.ts';
import type { Services } from '../../../main/services/services.ts';
import { makeClip, makeTempFolder } from '../../fixtures/library.ts';
import { processorSeconds } from '../../fixtures/processor-time.ts';
import { addClips, learnRequest, openTestServices, runNew } from '../../fixtures/services.ts';

let folder: string;
let home: string;
let services: Services;
const foldersOf = (kind: string) => readdirSync(join(home, kind));

beforeEach(async () => {
  folder = makeTempFolder('jobs');
  home = join(folder, 'home');
  addClips(folder, 'river-1a2b', 'lake-3c4d');
  services = await openTestServices(folder);
});
afterEach(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

describe('learning', () => {
  it('makes a concept with its file, its losses and its versions, and leaves no job folder', async () => {
    const states: string[] = [];
    const job = await runNew(services, learnRequest('river', 6), { onChange: ({ state }) => states.push(state) });
    expect(job).toMatchObject({ state: 'done', attempts: 1, error: null, checkpoint: null });
    const { conceptId, version } = job.output as { conceptId: string; version: number };
    const concept = await services.call['concepts.get']({ reference: conceptId });
    expect(concept).toMatchObject({ name: 'Dancer', version: 1, clipIds: ['river-1a2b'], model: 'fake', rank: 64 });
    expect(version).toBe(1);
    // What the next one on this machine is planned by.
    expect(concept.metrics.timing).toMatchObject({ machine: 'fake', identity: expect.any(Number) });
    expect(readFileSync(services.library.absolutePath(concept.file), 'utf8')).toMatch(/^learned from step 0 to 6\n/);
    expect((await services.call['concepts.losses']({ reference: 'Dancer' })).map(({ step }) => step)).toEqual([
      0, 1, 2, 3, 4, 5,
    ]);
    expect(foldersOf('jobs')).toEqual([]);
    expect(states[0]).toBe('running');
    expect(states.at(-1)).toBe('done');

    const again = await runNew(services, { ...learnRequest('lake', 2), conceptId: 'dancer' });
    expect(again.output).toEqual({ conceptId, version: 2 });
    expect((await services.call['concepts.versions']({ reference: conceptId })).map(({ clipIds }) => clipIds)).toEqual([
      ['river-1a2b'],
      ['lake-3c4d'],
    ]);
    expect(foldersOf(`concepts/${conceptId}`).sort()).toEqual(['v1', 'v2']);
  });

  it('that loses its clip is done once more from another seed, and the better one is kept', async () => {
    const learned = async (steps: number, caption: string) => {
      const job = await runNew(services, learnRequest('river', steps, caption));
      expect(job).toMatchObject({ state: 'done', attempts: 1 });
      return services.call['concepts.get']({ reference: (job.output as { conceptId: string }).conceptId });
    };
    const cured = await learned(600, 'a [v] person who loses once');
    expect(cured).toMatchObject({ recipe: { seed: 2 }, metrics: { reconstructionMse: 0 } });
    expect(cured.notes).toMatch(/^Learned twice, since the first lost the clip: seed 1, seed 2\./);
    // Neither is better: the first stays. With few steps any seed would lose it.
    expect(await learned(600, 'a [v] person who loses always')).toMatchObject({ recipe: { seed: 1 } });
    expect(await learned(500, 'a [v] person who loses once')).toMatchObject({ recipe: { seed: 1 }, notes: '' });
    expect(foldersOf('jobs')).toEqual([]);
  });

  it('that fails keeps its checkpoint, leaves the library as it was, and goes on from there when retried', async () => {
    const job = await runNew(services, learnRequest('river', 6, 'a [v] person that breaks once'));
    expect(job).toMatchObject({ state: 'failed', error: { code: 'internal', message: 'step 4 broke' } });
    expect(job.checkpoint).toBe(`jobs/${job.id}`);
    expect([await services.call['concepts.list'](), foldersOf('concepts')]).toEqual([[], []]);
    expect(services.queue.retry(job.id)).toMatchObject({ state: 'queued', error: null });
    expect(await services.queue.run(job.id)).toMatchObject({ state: 'done', attempts: 2 });
    const { file } = await services.call['concepts.get']({ reference: 'Dancer' });
    expect(readFileSync(services.library.absolutePath(file), 'utf8')).toMatch(/^learned from step 4 to 6\n/);
  });

  it('is paused by its signal, shows so after a restart, and resumes from its checkpoint', async () => {
    const controller = new AbortController();
    const job = await runNew(services, learnRequest('river', 50), {
      signal: controller.signal,
      onChange: ({ progress }) => progress && progress.done >= 5 && controller.abort(),
    });
    expect(job.state).toBe('paused');
    await services.close();
    services = await openTestServices(folder);
    expect(services.queue.get(job.id)).toMatchObject({ state: 'paused', checkpoint: `jobs/${job.id}` });
    const events = services.queue.events(job.id);
    expect(events.filter(({ type }) => type === 'loss').length).toBeGreaterThanOrEqual(5);

    const done = await services.queue.run(job.id);
    expect(done).toMatchObject({ state: 'done', attempts: 2 });
    const concept = await services.call['concepts.get']({ reference: 'Dancer' });
    expect(readFileSync(services.library.absolutePath(concept.file), 'utf8')).toMatch(
      /learned from step [1-9]\d* to 50/,
    );
    // Steps that were told twice are in the curve once.
    expect((await services.call['concepts.losses']({ reference: 'Dancer' })).map(({ step }) => step)).toEqual(
      Array.from({ length: 50 }, (_, step) => step),
    );
  });

  it('refuses captions and clips that cannot be, before there is a job', () => {
    expect(() => services.queue.enqueue(learnRequest('river', 6, 'a person'))).toThrow('has no [v]');
    expect(() => services.queue.enqueue(learnRequest('sea', 6))).toThrow('There is no clip "sea"');
    expect(() => services.queue.enqueue(learnRequest('river', 0))).toThrow('nothing would be learned');
    expect(services.queue.list()).toEqual([]);
  });
});

it('refuses a clip that was made for another model, with both sizes', async () => {
  await services.close();
  const library = openLibrary({ home, program: 'test' });
  const frames = {
    file: 'clips/big/frames.rgb',
    frameCount: 5,
    width: 32,
    height: 16,
    rate: { numerator: 8, denominator: 1 },
  };
  new ClipStore(library).insert(makeClip('big', { frames }));
  library.close();
  services = await openTestServices(folder);
  const job = await runNew(services, learnRequest('big', 2));
  expect(job).toMatchObject({
    state: 'failed',
    error: { code: 'invalid-input', message: expect.stringMatching(/32x16.*16x16/) },
  });
});

describe('editing', () => {
  beforeEach(async () => {
    await runNew(services, learnRequest('river', 2));
  });
  const request = (settings: object) => ({
    kind: 'generate' as const,
    conceptId: 'dancer',
    settings: { prompt: 'a [v] person on a beach', steps: 2, ...settings },
  });

  it('with the same settings twice gives the same edit, unless it is to be made anew', async () => {
    const first = (await runNew(services, request({ seed: 5 }))).output as { editId: string };
    const second = (await runNew(services, request({ seed: 5 }))).output;
    expect(second).toEqual({ editId: first.editId, reused: true });
    const third = (await runNew(services, { ...request({ seed: 5 }), reuse: false })).output as { editId: string };
    expect(third.editId).not.toBe(first.editId);
    const bytes = async (id: string) =>
      readFileSync(services.library.absolutePath((await services.call['edits.get']({ reference: id })).frames.file));
    expect((await bytes(third.editId)).equals(await bytes(first.editId))).toBe(true);
    expect(
      (
        await services.call['edits.list']({
          conceptId: (await services.call['concepts.get']({ reference: 'dancer' })).id,
        })
      ).length,
    ).toBe(2);
  });

  it('keeps the recipe of the result: concept version, source, parent and settings', async () => {
    const { output } = await runNew(services, request({}));
    const first = await services.call['edits.get']({ reference: (output as { editId: string }).editId });
    expect(first).toMatchObject({
      conceptVersion: 1,
      sourceClipId: 'river-1a2b',
      parentId: null,
      settings: { steps: 2, seed: 1 },
    });
    expect(first.frames).toMatchObject({ width: 16, height: 16, frameCount: 5 });
    const child = await runNew(services, { ...request({ seed: 9 }), parentId: first.id, sourceClipId: 'lake' });
    expect(await services.call['edits.get']({ reference: (child.output as { editId: string }).editId })).toMatchObject({
      parentId: first.id,
      sourceClipId: 'lake-3c4d',
    });
  });

  it('and exporting refuse a direction that the concept does not have, before there is a job', () => {
    const jobs = services.queue.list().length;
    const sliders = { directions: { 64: 1 } };
    expect(() => services.queue.enqueue(request({ sliders }))).toThrow(/Direction 64.*directions 0 to 63/);
    const lora = { kind: 'export' as const, what: 'lora' as const, conceptId: 'dancer', dialect: 'kohya' as const };
    expect(() => services.queue.enqueue({ ...lora, sliders })).toThrow(/Direction 64/);
    expect(services.queue.list()).toHaveLength(jobs);
  });

  it('that fails or is cancelled leaves library and folders as they were', async () => {
    const failed = await runNew(services, request({ prompt: 'it breaks' }));
    expect(failed).toMatchObject({ state: 'failed', error: { message: 'sampling broke' } });
    const controller = new AbortController();
    const cancelled = await runNew(services, request({ steps: 200 }), {
      signal: controller.signal,
      onChange: ({ progress }) => progress && controller.abort(),
    });
    expect(cancelled.state).toBe('cancelled');
    expect([await services.call['edits.list'](), foldersOf('edits'), foldersOf('jobs')]).toEqual([[], [], []]);
  });

  it('as a preview takes few steps, is cached, and is no edit', async () => {
    const ask = () =>
      services.call['edits.preview']({ conceptId: 'dancer', settings: { prompt: 'beach', steps: 60, seed: 3 } });
    const first = await ask();
    expect(first).toMatchObject({ cached: false, frames: { frameCount: 5 } });
    expect(existsSync(services.library.absolutePath(first.frames.file))).toBe(true);
    expect(await ask()).toMatchObject({ cached: true, frames: first.frames });
    expect(await services.call['edits.list']()).toEqual([]);
  });

  it('as a preview that two windows ask for is computed once, also when one of them gives it up', async () => {
    const request = { conceptId: 'dancer', settings: { prompt: 'two windows', steps: 8 } };
    const leaving = new AbortController();
    const left = services.call['edits.preview'](request, { signal: leaving.signal });
    const stayed = services.call['edits.preview'](request);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    const { cached, frames } = await stayed;
    expect(cached).toBe(false);
    expect(existsSync(services.library.absolutePath(frames.file))).toBe(true);
    expect(foldersOf('previews')).toHaveLength(1);
  });

  it('previews are forgotten, the least recently used first, when they outgrow their limit', async () => {
    const ask = async (seed: number) =>
      (await services.call['edits.preview']({ conceptId: 'dancer', settings: { prompt: 'beach', seed } })).frames.file;
    // Two of them: each has its frames, those of the clip that it was made of, and a description.
    await services.call['settings.set']({ previewCacheBytes: 2 * (2 * 5 * 16 * 16 * 3 + 1000) });
    const [first, second] = [await ask(1), await ask(2)];
    await sleep(20);
    await ask(1);
    const third = await ask(3);
    const exists = (file: string) => existsSync(services.library.absolutePath(file));
    expect([first, second, third].map(exists)).toEqual([true, false, true]);
  });
});

describe('exporting a concept', () => {
  it('writes a LoRA file, numbers or refuses or replaces one that exists', async () => {
    await runNew(services, learnRequest('river', 2));
    const output = join(folder, 'out', 'dancer.safetensors');
    const request = {
      kind: 'export' as const,
      what: 'lora' as const,
      conceptId: 'Dancer',
      dialect: 'kohya' as const,
      output,
    };
    const files = [];
    for (const overwrite of ['number', 'number', 'replace'] as const) {
      files.push(((await runNew(services, { ...request, overwrite })).output as { file: string }).file);
    }
    expect(files).toEqual([output, join(folder, 'out', 'dancer 2.safetensors'), output]);
    expect(readFileSync(output, 'utf8')).toBe('kohya');
    expect(await runNew(services, { ...request, overwrite: 'refuse' })).toMatchObject({
      state: 'failed',
      error: { code: 'conflict' },
    });
  });
});

describe('the queue', () => {
  const done = (count: number) => expect.poll(() => services.queue.list({ states: ['done'] }).length).toBe(count);

  it('works through learning one by one in its order, which can be changed', async () => {
    const order: string[] = [];
    services.on('job.changed', ({ job }) => job.state === 'done' && order.push(job.id));
    const [first, second, third] = ['river', 'lake', 'river'].map((clip) =>
      services.queue.enqueue(learnRequest(clip, 2)),
    );
    services.queue.move(third!.id, first!.id);
    services.queue.move(first!.id, null);
    services.queue.start();
    await done(3);
    expect(order).toEqual([third!.id, second!.id, first!.id]);
  });

  it('keeps its order however often it is changed, and leaves a job where it is that is moved before itself', () => {
    const ids = ['river', 'lake', 'river', 'lake'].map((clip) => services.queue.enqueue(learnRequest(clip, 2)).id);
    const order = () => services.queue.list().map(({ id }) => id);
    for (let count = 0; count < 200; count++) {
      const [moved, before] = count % 2 === 0 ? [ids[2]!, ids[1]!] : [ids[1]!, ids[2]!];
      services.queue.move(moved, before);
      expect(order()).toEqual([ids[0], moved, before, ids[3]]);
    }
    const before = order();
    services.queue.move(before[2]!, before[2]!);
    expect(order()).toEqual(before);
    expect(services.queue.list().every(({ position }) => Number.isInteger(position))).toBe(true);
  });

  it('is changed and listed as fast behind thousands of finished jobs', async () => {
    const [first, second] = ['river', 'lake'].map((clip) => services.queue.enqueue(learnRequest(clip, 2)));
    await services.close();
    const library = openLibrary({ home, program: 'test' });
    library.write(() => {
      const copy = library.db.prepare(
        `INSERT INTO jobs (id, kind, title, state, input, position, created_at)
         SELECT 'old-' || ?, kind, title, 'done', input, -1 - ?, created_at FROM jobs WHERE id = ?`,
      );
      for (let count = 0; count < 3000; count++) copy.run(count, count, first!.id);
    });
    const plan = library.db.prepare(
      "EXPLAIN QUERY PLAN SELECT * FROM jobs WHERE state IN ('queued') ORDER BY position",
    );
    expect(JSON.stringify(plan.all())).toContain('USING INDEX jobs_by_state');
    library.close();
    services = await openTestServices(folder);
    const seconds = await processorSeconds(() => {
      services.queue.move(second!.id, first!.id);
      expect(services.queue.list({ states: ['queued'] }).map(({ id }) => id)).toEqual([second!.id, first!.id]);
      expect(services.queue.get(first!.id.slice(0, -1)).id).toBe(first!.id);
    });
    expect(seconds).toBeLessThan(0.5);
  });

  it('holds back a paused job, and takes it up again when it is resumed', async () => {
    const job = services.queue.enqueue(learnRequest('river', 2));
    expect(services.queue.control(job.id, 'pause')).toMatchObject({ requested: false, job: { state: 'paused' } });
    services.queue.start();
    services.queue.enqueue(learnRequest('lake', 2));
    await done(1);
    expect(services.queue.get(job.id).state).toBe('paused');
    services.queue.control(job.id, 'resume');
    await done(2);
  });

  it('pauses and cancels a job that runs, and goes on with the next', async () => {
    const long = services.queue.enqueue(learnRequest('river', 2000));
    const next = services.queue.enqueue(learnRequest('lake', 2));
    services.queue.start();
    await expect.poll(() => services.queue.get(long.id).progress?.done ?? 0).toBeGreaterThan(3);
    services.queue.control(long.id, 'pause');
    await expect.poll(() => services.queue.get(long.id).state).toBe('paused');
    await expect.poll(() => services.queue.get(next.id).state).toBe('done');
    expect(foldersOf('jobs')).toEqual([long.id]);
    services.queue.control(long.id, 'cancel');
    expect(services.queue.get(long.id)).toMatchObject({ state: 'cancelled', checkpoint: null });
    expect(foldersOf('jobs')).toEqual([]);
    services.queue.remove(long.id);
    expect(() => services.queue.get(long.id)).toThrow('There is no job');
  });

  it('lets a preview go before what learns, which goes on from its checkpoint', async () => {
    services.queue.start();
    const { id } = services.queue.enqueue(learnRequest('river', 600));
    await expect.poll(() => services.queue.get(id).progress?.done ?? 0).toBeGreaterThan(4);
    const other = services.queue.enqueue(learnRequest('lake', 2));
    expect(await services.call['jobs.makeWay']()).toEqual({ makesWay: true });
    await expect.poll(() => services.queue.get(id).state).toBe('paused');
    const request = { conceptId: null, sourceClipId: 'river-1a2b', settings: { prompt: 'a lake at night' } };
    await services.call['edits.preview']({ ...request, settings: { ...request.settings, fidelity: 0 } });
    // No other learning takes the place that was made.
    expect(services.queue.get(other.id).state).toBe('queued');
    await services.close();
    services = await openTestServices(folder);
    expect(services.queue.list({ states: ['queued'] }).map((job) => job.id)).toEqual([id, other.id]);
    services.queue.start();
    await expect.poll(() => services.queue.get(id).state).toBe('done');
    const { file } = await services.call['concepts.get']({
      reference: String((services.queue.get(id).output as { conceptId: string }).conceptId),
    });
    expect(readFileSync(services.library.absolutePath(file), 'utf8')).not.toMatch(/^learned from step 0 /);
  });

  it('pauses a rendering that runs, which begins again when it goes on', async () => {
    await runNew(services, learnRequest('river', 2));
    const settings = { prompt: 'a [v] person on a beach', steps: 200 };
    const { id } = services.queue.enqueue({ kind: 'generate', conceptId: 'dancer', settings });
    const stop = services.on('job.changed', ({ job }) => {
      if (job.id !== id || job.progress === null) return;
      stop();
      services.queue.control(id, 'pause');
    });
    services.queue.start();
    await expect.poll(() => services.queue.get(id).state).toBe('paused');
    expect(services.queue.get(id).progress).toBeNull();
    expect(foldersOf('jobs')).toEqual([]);
    services.queue.control(id, 'resume');
    await done(2);
    expect(await services.call['edits.list']()).toHaveLength(1);
  });

  it('that is paused ends what runs and begins nothing but imports, also after a restart, until it goes on', async () => {
    await services.call['settings.set']({ queuePaused: true });
    const [first, second] = ['river', 'lake'].map((clip) => services.queue.enqueue(learnRequest(clip, 2)));
    const running = services.queue.run(first!.id);
    services.queue.start();
    expect((await running).state).toBe('done');
    const refused = services.queue.enqueue({ kind: 'import', path: join(folder, 'none.mp4') });
    await expect.poll(() => services.queue.get(refused.id).state).toBe('failed');
    await services.close();
    services = await openTestServices(folder);
    services.queue.start();
    await sleep(200);
    expect(services.queue.get(second!.id)).toMatchObject({ state: 'queued', attempts: 0 });
    await services.call['settings.set']({ queuePaused: false });
    await done(2);
  });

  it('refuses what makes no sense for the state of a job', async () => {
    const job = await runNew(services, learnRequest('river', 2));
    const { call } = services;
    for (const act of [call['jobs.pause'], call['jobs.resume'], call['jobs.cancel'], call['jobs.retry']])
      await expect(act({ reference: job.id })).rejects.toMatchObject({ code: 'conflict' });
    expect((await services.queue.run(job.id)).attempts).toBe(1);
  });

  it('leaves what ran interrupted when the program is closed', async () => {
    const job = services.queue.enqueue(learnRequest('river', 2000));
    services.queue.start();
    await expect.poll(() => services.queue.get(job.id).progress?.done ?? 0).toBeGreaterThan(3);
    await services.close();
    services = await openTestServices(folder);
    expect(services.queue.get(job.id)).toMatchObject({ state: 'interrupted', checkpoint: `jobs/${job.id}` });
  });
});

describe('a second program', () => {
  it('reads, says who writes, and asks the first to pause, resume and cancel', async () => {
    const reader = await openTestServices(folder, { program: 'reader' });
    try {
      expect(reader.library.status()).toMatchObject({ access: 'read', holder: { pid: process.pid, program: 'test' } });
      expect(() => reader.queue.enqueue(learnRequest('river', 2))).toThrow(
        expect.objectContaining({
          code: 'library-locked',
          message: expect.stringContaining('written by test (process'),
        }),
      );
      await expect(openTestServices(folder, { access: 'write' })).rejects.toMatchObject({ code: 'library-locked' });

      const running = runNew(services, learnRequest('river', 2000));
      await expect.poll(() => reader.queue.list()[0]?.progress?.done ?? 0).toBeGreaterThan(1);
      const { id } = reader.queue.list()[0]!;
      expect(reader.queue.control(id, 'pause')).toMatchObject({ requested: true });
      expect((await running).state).toBe('paused');
      await expect.poll(() => reader.queue.get(id).state).toBe('paused');

      reader.queue.control(id, 'resume');
      await expect.poll(() => services.queue.get(id).state).toBe('queued');
      reader.queue.control(id, 'cancel');
      await expect.poll(() => services.queue.get(id).state).toBe('cancelled');
      expect(() => reader.queue.control(id, 'pause')).toThrow('there is nothing to pause');
      expect(foldersOf('control')).toEqual([]);
    } finally {
      await reader.close();
    }
  });
});
