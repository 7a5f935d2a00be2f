import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Services } from '../../../main/services/services.ts';
import { createFakeEngine } from '../../fixtures/fake-engine.ts';
import { addClips, learnRequest, openTestServices, runNew } from '../../fixtures/services.ts';

let folder: string;
let services: Services;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'motif-report-'));
  addClips(folder, 'secret-dance');
  services = await openTestServices(folder);
});
afterEach(async () => {
  await services.close();
  rmSync(folder, { recursive: true, force: true });
});

it('saves a report with the log and the machine, without media, names or words', async () => {
  services.log.write('error', 'something happened');
  const zip = new AdmZip((await services.call['program.saveReport']()).file);
  expect(zip.getEntries().map(({ entryName }) => entryName)).toEqual(['logs/motif.log', 'report.json']);
  const report = zip.readAsText('report.json');
  expect(JSON.parse(report)).toMatchObject({ library: { clips: 1, concepts: 0, edits: 0 } });
  expect(report).not.toContain('secret-dance');
  expect(zip.readAsText('logs/motif.log')).toContain('something happened');
});

it('takes names, words and paths out of what the jobs and the log say', async () => {
  await services.call['clips.label']({
    reference: 'secret-dance',
    labels: { name: 'Grandmother dances', tags: ['family'], notes: 'in her kitchen' },
  });
  const request = learnRequest('secret-dance', 6, 'a [v] lady in a kimono that breaks once');
  await runNew(services, request);
  await runNew(services, { kind: 'import', path: join(folder, 'My private film', 'birthday party.mp4') });
  const gone = services.queue.list().find(({ kind }) => kind === 'import')!;
  services.queue.remove(gone.id);
  services.log.write('error', 'The clip "wedding" is gone: there is no file /media/somebody/first dance.mov');
  services.log.write(
    'error',
    `Error: at C:\\Users\\somebody\\films\\first dance.mov\n    at run (${import.meta.filename}:1:2)`,
  );
  const zip = new AdmZip((await services.call['program.saveReport']()).file);
  const all = zip
    .getEntries()
    .map((entry) => zip.readAsText(entry))
    .join('\n');
  const secrets =
    /grandmother|family|kitchen|secret-dance|kimono|private|birthday|party|wedding|somebody|first dance|Dancer|motif-report-/i;
  expect(all.split('\n').filter((line) => secrets.test(line))).toEqual([]);
  // What help needs is still there.
  expect(all).toContain('step 4 broke');
  expect(all).toContain('not-found');
});

it('saves a report while the engine does not answer', async () => {
  await services.close();
  const device = () => new Promise<never>(() => {});
  services = await openTestServices(folder, { engine: { ...createFakeEngine(), device } });
  const zip = new AdmZip((await services.call['program.saveReport']()).file);
  expect(JSON.parse(zip.readAsText('report.json'))).toMatchObject({ device: 'no answer yet', library: { clips: 1 } });
});

it('tells what is taken in a folder, and how much of the disk is free', async () => {
  mkdirSync(join(folder, 'out'));
  writeFileSync(join(folder, 'out', 'a.mp4'), '');
  const { freeBytes, taken } = await services.call['exports.inspect']({
    folder: join(folder, 'out'),
    names: ['a.mp4', 'b.mp4'],
  });
  expect(taken).toEqual(['a.mp4']);
  expect(freeBytes).toBeGreaterThan(0);
  expect(
    (await services.call['exports.inspect']({ folder: join(folder, 'not', 'there'), names: ['a.mp4'] })).taken,
  ).toEqual([]);
  await expect(services.call['exports.inspect']({ folder: 'out', names: [] })).rejects.toMatchObject({
    code: 'invalid-input',
  });
});

it('measures and clears what can be made again', async () => {
  const previews = join(services.library.status().folder, 'previews');
  writeFileSync(join(previews, 'x'), 'four');
  expect((await services.call['caches.sizes']()).previews).toBe(4);
  await services.call['caches.clear']();
  expect(await services.call['caches.sizes']()).toEqual({ previews: 0, proxies: 0, pictures: 0 });
  expect(existsSync(previews) && readdirSync(previews)).toEqual([]);
});

it('tells that its folder was taken away, once, instead of breaking down', async () => {
  services.queue.start();
  const lost = new Promise<string>((tell) => services.on('library.lost', ({ message }) => tell(message)));
  rmSync(join(folder, 'home'), { recursive: true, force: true });
  expect(await lost).toContain(join(folder, 'home'));
});
