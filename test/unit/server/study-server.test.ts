import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type StudyServer, startStudyServer } from '../../../main/server/study-server.ts';
import type { Services } from '../../../main/services/services.ts';
import type { Study } from '../../../shared/domain/study.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { openTestServices } from '../../fixtures/services.ts';
import { makeItem } from '../../fixtures/studies.ts';

let folder: string;
let services: Services;
let server: StudyServer;
let study: Study;
let other: Study;
const ask = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);

function addStudy(name: string): Study {
  const clips = join(folder, name);
  mkdirSync(clips);
  writeFileSync(join(clips, '00.webp'), 'picture');
  const settings = {
    first: 'a',
    methods: [
      { name: 'a', label: 'A' },
      { name: 'b', label: 'B' },
    ],
    seed: 1,
    notes: [],
  };
  return services.studies.insert(name, settings, [makeItem(name, 'a', 'b')], clips);
}

beforeEach(async () => {
  folder = makeTempFolder('study-server');
  mkdirSync(join(folder, 'renderer/assets'), { recursive: true });
  for (const name of ['index.html', 'study.html', 'assets/study.js'])
    writeFileSync(join(folder, 'renderer', name), name);
  services = await openTestServices(folder);
  [study, other] = [addStudy('one'), addStudy('two')];
  server = await startStudyServer(services, study, {
    rendererFolder: join(folder, 'renderer'),
    host: '127.0.0.1',
    port: 0,
  });
});
afterEach(async () => {
  await server.close();
  await services.close();
  rmSync(folder, { recursive: true });
});

it('serves the page of its study and what that needs, and nothing of the editor or of another study', async () => {
  const text = async (path: string) => (await ask(path)).text();
  expect(await text(server.path)).toBe('study.html');
  expect(await text(`${server.path}assets/study.js`)).toBe('assets/study.js');
  expect(await text(`${server.path}clips/00.webp`)).toBe('picture');
  const redirected = await fetch(`http://127.0.0.1:${server.port}${server.path.slice(0, -1)}`, { redirect: 'manual' });
  expect([redirected.status, redirected.headers.get('location')]).toEqual([308, server.path]);
  for (const path of [
    ...['/', '/index.html', '/media/clips/x', `/study/${other.code}/`, `/study/${other.code}/clips/00.webp`],
    ...['index.html', 'clips/..%2f..%2flibrary.db', 'clips/library.db', 'rpc'].map((rest) => server.path + rest),
  ])
    expect((await ask(path)).status, path).toBe(404);
  const posted = await fetch(`http://127.0.0.1:${server.port}${server.path}`, { method: 'POST' });
  expect(posted.status).toBe(405);
  expect((await ask(server.path)).headers.get('content-security-policy')).toContain("default-src 'none'");
});

/** The answer to one call, or `refused`. */
function call(name: string, input: object, origin = `http://127.0.0.1:${server.port}`): Promise<unknown> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${server.path}rpc`, { headers: { Origin: origin } });
  return new Promise((resolve) => {
    socket.once('error', () => resolve('refused'));
    socket.once('open', () => socket.send(JSON.stringify({ type: 'call', id: 1, name, input })));
    socket.once('message', (data) => {
      resolve(JSON.parse(String(data)));
      socket.close();
    });
  });
}

it('answers the calls of a rater, and no other', async () => {
  const rater = { code: study.code, rater: 'Ann' };
  expect(await call('study.join', rater)).toMatchObject({ value: { rater: 'Ann', done: 0, total: 4 } });
  expect(await call('study.join', rater, 'http://elsewhere')).toBe('refused');
  for (const name of ['studies.list', 'studies.results', 'library.status', 'clips.list'])
    expect(await call(name, { reference: 'one' })).toMatchObject({ error: { code: 'not-found' } });
});

it('refuses answers that are none', async () => {
  const rater = { code: study.code, rater: 'Ann' };
  const given = { ...rater, item: 'one', question: 'motion', answer: 1, milliseconds: 10 };
  for (const change of [{ answer: 2 }, { question: 'beauty' }, { milliseconds: -1 }, { rater: ' ' }])
    expect(await call('study.answer', { ...given, ...change })).toMatchObject({ error: { code: 'invalid-input' } });
  expect(await call('study.answer', { ...given, item: 'two' })).toMatchObject({ error: { code: 'conflict' } });
  expect(services.studies.answers(study.id)).toEqual([]);
});
