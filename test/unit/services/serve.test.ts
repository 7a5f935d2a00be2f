import { rmSync, writeFileSync } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mediaResponse } from '../../../main/host/media-response.ts';
import { mediaFile } from '../../../main/services/media.ts';
import type { Services } from '../../../main/services/services.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { type AppContract, appContract } from '../../../shared/ipc/app-contract.ts';
import { type Client, connect } from '../../../shared/ipc/rpc.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { overMessagePort } from '../../fixtures/message-port.ts';
import { addClips, learnRequest, openTestServices } from '../../fixtures/services.ts';

let folder: string;
let services: Services;
let port: MessagePort;
let window: Client<AppContract>;

beforeEach(async () => {
  folder = makeTempFolder('ipc');
  addClips(folder, 'river-1a2b');
  services = await openTestServices(folder);
  const { port1, port2 } = new MessageChannel();
  services.serve(overMessagePort(port1));
  window = connect(appContract, overMessagePort(port2));
  port = port2;
});
afterEach(async () => {
  port.close();
  await services.close();
  rmSync(folder, { recursive: true });
});

/** Enqueues in the window, runs in the program behind it. */
async function learn(): Promise<string> {
  const job = await window.call['jobs.enqueue'](learnRequest('river', 4));
  await services.queue.run(job.id);
  return job.id;
}

it('lists, renames, finds, deletes and restores what the library holds', async () => {
  const call = window.call;
  expect((await call['clips.list']({})).map(({ id }) => id)).toEqual(['river-1a2b']);
  await call['clips.label']({ reference: 'river', labels: { name: 'Rapids', tags: ['water'] } });
  expect(await call['library.search']({ text: 'rap' })).toMatchObject([{ kind: 'clip', name: 'Rapids' }]);
  expect(await call['library.tags']({})).toEqual([{ tag: 'water', count: 1 }]);
  const deletion = await call['library.delete']({ items: [{ kind: 'clip', id: 'river-1a2b' }] });
  expect(await call['clips.list']({})).toEqual([]);
  expect(await call['library.trash']({})).toEqual([deletion]);
  await call['library.restore']({ deletionId: deletion.id });
  expect((await call['clips.get']({ reference: 'Rapids' })).tags).toEqual(['water']);
});

it('queues a job at once and tells how it goes, to the end', async () => {
  const jobs: Job[] = [];
  const kinds: string[] = [];
  const events: string[] = [];
  window.on('job.changed', ({ job }) => jobs.push(job));
  window.on('job.event', ({ event }) => events.push(event.type));
  window.on('library.changed', ({ kind }) => kinds.push(kind));
  const id = await learn();
  await expect.poll(() => kinds).toEqual(['concept']);
  expect(jobs[0]).toMatchObject({ id, state: 'queued' });
  expect(jobs.at(-1)).toMatchObject({ id, state: 'done', progress: { done: 4, total: 4 } });
  expect(events.filter((type) => type === 'loss').length).toBe(4);
  expect((await window.call['concepts.losses']({ reference: 'Dancer' })).length).toBe(4);
});

it('names directions, duplicates a concept, and renders a preview that has an address', async () => {
  await learn();
  const labels = { directionNames: { 0: 'Jacket' } };
  expect((await window.call['concepts.label']({ reference: 'Dancer', labels })).directionNames).toEqual({
    0: 'Jacket',
  });
  const copy = await window.call['concepts.duplicate']({ reference: 'Dancer' });
  expect(copy).toMatchObject({ name: 'Dancer copy', version: 1, directionNames: { 0: 'Jacket' } });
  const conceptId = copy.id;
  const { frames } = await window.call['edits.preview']({ conceptId, settings: { prompt: 'on a beach' } });
  const { address } = await window.call['media.address']({ path: frames.file });
  expect(address).toBe(`media/${frames.file}`);
});

it('serves files of items only', async () => {
  expect(await mediaFile(services, 'clips/river-1a2b/frames.rgb')).toBe(
    services.library.absolutePath('clips/river-1a2b/frames.rgb'),
  );
  for (const path of ['library.db', 'lock.json', 'clips/../library.db', '../x', '/etc/passwd', '', 'backups/a.db']) {
    await expect(mediaFile(services, path)).rejects.toMatchObject({ code: 'not-found' });
  }
});

it.each([
  'clips/..%5c..%5clibrary.db',
  'clips/..%5clibrary.db',
  'clips%5c..%5clibrary.db',
  'clips/..%2flibrary.db',
  'clips/./river-1a2b/frames.rgb',
  'clips/river-1a2b/frames.rgb%00.png',
  'clips/%',
  'source/..%5cx',
  'thumbnail/library/x',
])('serves nothing at %s, on whatever system', async (path) => {
  await expect(mediaFile(services, path)).rejects.toMatchObject({ code: 'not-found' });
});

it('names no address for a path with a backslash in it', async () => {
  for (const path of ['clips\\..\\library.db', 'clips/..\\..\\library.db'])
    await expect(window.call['media.address']({ path })).rejects.toMatchObject({ code: 'not-found' });
});

it.each(['page.html', 'page.xhtml', 'picture.svg', 'code.js', 'code.mjs', 'style.css', 'text.xml', 'none'])(
  'serves %s among media as bytes alone, which no browser runs or guesses at',
  async (name) => {
    writeFileSync(services.library.absolutePath(`clips/river-1a2b/${name}`), '<script>alert(1)</script>');
    const { headers, status } = await mediaResponse(services, `clips/river-1a2b/${name}`, null);
    expect(status).toBe(200);
    expect(headers.get('Content-Type')).toBe('application/octet-stream');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'");
  },
);

it('says in plain text what is not among the media, and guards that answer too', async () => {
  const answer = await mediaResponse(services, 'clips/<b>', null);
  expect(answer.status).toBe(404);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
});

it('refuses settings that cannot be, and stores those that can', async () => {
  const refused = window.call['settings.set']({ previewSteps: 1000 });
  await expect(refused).rejects.toMatchObject({ code: 'invalid-input' });
  const settings = await window.call['settings.set']({ theme: 'dark' });
  expect(settings).toMatchObject({ theme: 'dark', previewSteps: 7 });
});

it('tells of models and of the device', async () => {
  expect(await window.call['models.list']({})).toMatchObject([{ embedded: true, info: { name: 'fake' }, error: null }]);
  await expect(window.call['models.add']({ directory: folder })).rejects.toMatchObject({ code: 'invalid-input' });
  expect(await window.call['device.report']({ measure: true })).toMatchObject({
    chosen: 'fake',
    machine: 'fake',
    matMulGflops: 1,
    memoryBytes: null,
  });
});

it('goes on working for others when one window goes away in the middle', async () => {
  const job = await window.call['jobs.enqueue'](learnRequest('river', 4));
  port.close();
  expect((await services.queue.run(job.id)).state).toBe('done');
});
