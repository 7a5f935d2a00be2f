import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ExportState } from '../../../renderer/features/queue/export.svelte.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { defaultSettings, type Settings } from '../../../shared/domain/settings.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { makeClip, makeConcept, makeEdit } from '../../fixtures/library.ts';
import { FakeQueue, fakePage, fakeServices, later, settled } from './fake-services.svelte.ts';

const page = { hidden: false };
beforeEach(() => {
  fakePage();
  vi.stubGlobal('document', page);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const street = makeClip('street');
const waltz = makeConcept('waltz', ['street']);
const { frames } = makeEdit('any', 'waltz');
/** Of the clip, so that it can be finished, and from noise, so that it cannot. */
const sunset = makeEdit('Sunset', 'waltz', { sourceClipId: 'street', base: frames });
const noise = makeEdit('Noise', 'waltz', { settings: { ...sunset.settings, prompt: 'from noise' } });

function start(answers: Parameters<typeof fakeServices>[0] = {}) {
  const queue = new FakeQueue();
  const world = fakeServices({
    'jobs.enqueue': () => {
      const job = { id: `job ${world.inputsOf('jobs.enqueue').length}`, state: 'queued' } as Job;
      queue.known = [...queue.known, job];
      return job;
    },
    'exports.inspect': () => ({ freeBytes: 1e9, taken: [] }),
    ...answers,
  });
  const settings = {
    values: defaultSettings as Settings,
    folder: '/library',
    change: async (patch: Partial<Settings>) => {
      settings.values = { ...settings.values, ...patch };
    },
  };
  const library = {
    allConcepts: [waltz],
    clipById: (id: string) => (id === street.id ? street : null),
    concept: waltz,
    editId: 'Sunset' as string | null,
    edits: [sunset, noise] as Edit[],
    shownKind: 'concept' as const,
  };
  const notified: string[] = [];
  const exporting = new ExportState({
    connection: world.services,
    notices: world.notices,
    library,
    settings,
    queue,
    files: { action: async (file) => ({ label: file, run: () => {} }) },
    host: { allowNotifications: () => {}, notify: (_, body) => void notified.push(body) },
    onReport: () => {},
  });
  exporting.open();
  const end = async (id: string, state: Job['state'], output: unknown = null) => {
    queue.end({ id, state, output, startedAt: null, finishedAt: null });
    await settled();
  };
  return { exporting, library, settings, end, notified, ...world };
}

it('begins with the result on screen, and writes it finished into the library', async () => {
  const { exporting, inputsOf } = start();
  expect(await exporting.start()).toBe(true);
  expect(inputsOf('jobs.enqueue')).toMatchObject([
    {
      kind: 'export',
      request: {
        what: 'edit',
        editId: 'Sunset',
        finish: undefined,
        length: 'range',
        settings: { preset: 'h264', audio: 'none', overwrite: 'number' },
        output: '/library/exports/waltz Sunset.mp4',
      },
    },
  ]);
});

it('writes every result in every form, and the concept in every dialect', () => {
  const { exporting } = start();
  exporting.editIds = ['Sunset', 'Noise'];
  exporting.forms.names = ['H.264 (.mp4)', 'GIF'];
  exporting.lora = ['kohya'];
  expect(exporting.files.map(({ name }) => name)).toEqual([
    'waltz Sunset.mp4',
    'waltz Sunset.gif',
    'waltz Noise.mp4',
    'waltz Noise.gif',
    'waltz kohya.safetensors',
  ]);
});

it("knows what is made: the clip's own pictures, all of them or those that the model saw, or the model's", () => {
  const { exporting } = start();
  const made = (edit: Edit) => {
    const { width, height, frameCount } = exporting.madeOf(edit, exporting.forms.chosen[0]!);
    return [width, height, frameCount];
  };
  expect([made(sunset), made(noise)]).toEqual([
    [64, 64, 15],
    [16, 16, 5],
  ]);
  exporting.wholeLength = true;
  exporting.superResolution = true;
  expect([made(sunset), made(noise)]).toEqual([
    [64, 64, 48],
    [64, 64, 5],
  ]);
  exporting.forms.width = 32;
  expect(made(sunset)).toEqual([32, 32, 48]);
  exporting.finished = false;
  exporting.superResolution = false;
  exporting.forms.width = null;
  expect(made(sunset)).toEqual([16, 16, 5]);
});

it('asks for the whole file and for super-resolution only where there is such a thing', async () => {
  const { exporting, inputsOf } = start();
  exporting.editIds = ['Sunset', 'Noise'];
  exporting.wholeLength = true;
  exporting.superResolution = true;
  await exporting.start();
  const asked = inputsOf('jobs.enqueue').map(({ request }) => request as { length: string; settings: object });
  expect(asked.map(({ length, settings }) => [length, 'superResolution' in settings])).toEqual([
    ['source', false],
    ['range', true],
  ]);
});

it('a form of its own keeps width, quality and sound, and goes by itself', async () => {
  const { exporting, settings } = start();
  const { forms } = exporting;
  forms.width = 32;
  forms.quality = 20;
  forms.withSound = true;
  await forms.keep(' Small ');
  expect(settings.values.exportPresets).toMatchObject([
    { name: 'Small', settings: { preset: 'h264', width: 32, crf: 20, audio: 'original' } },
  ]);
  expect(forms.names).toEqual(['Small']);
  await forms.forget('Small');
  expect([settings.values.exportPresets, forms.names]).toEqual([[], []]);
});

it('does not fit a disk that is fuller, and says what is wrong with a folder', async () => {
  let answer: () => unknown = () => ({ freeBytes: 10, taken: ['waltz Sunset.mp4'] });
  const { exporting } = start({ 'exports.inspect': () => answer() });
  const signal = new AbortController().signal;
  await exporting.inspect(signal);
  expect([exporting.fits, exporting.target?.taken]).toEqual([false, ['waltz Sunset.mp4']]);
  answer = () => {
    throw new AppError('not-found', 'There is no such folder.');
  };
  await exporting.inspect(signal);
  expect(exporting.targetError?.message).toBe('There is no such folder.');
});

it('what is known of a folder that was left is not said of the next', async () => {
  const late = later<{ freeBytes: number; taken: string[] }>();
  const { exporting } = start({ 'exports.inspect': () => late.answer });
  const left = new AbortController();
  const asking = exporting.inspect(left.signal);
  left.abort();
  late.give({ freeBytes: 0, taken: [] });
  await asking;
  expect(exporting.target).toBeNull();
});

it('results of all concepts that come when they are no longer wanted stay away', async () => {
  const late = later<Edit[]>();
  const { exporting } = start({ 'edits.list': () => late.answer });
  const showing = exporting.showEveryConcept(true);
  void exporting.showEveryConcept(false);
  late.give([noise]);
  await showing;
  expect(exporting.candidates).toEqual([sunset, noise]);
});

it('a refusal is told, and what was taken before it is followed', async () => {
  const { exporting, told, inputsOf } = start({
    'jobs.enqueue': () => {
      if (inputsOf('jobs.enqueue').length > 1) throw new AppError('out-of-space', 'The disk is full.');
      return { id: 'job 1' };
    },
  });
  exporting.editIds = ['Sunset', 'Noise'];
  expect(await exporting.start()).toBe(false);
  expect([told(), localStorage.getItem('motif.batch')]).toEqual([['The disk is full.'], '["job 1"]']);
});

it('tells once, when every file is written or has failed', async () => {
  const { exporting, told, end, notified } = start();
  exporting.editIds = ['Sunset', 'Noise'];
  await exporting.start();
  await end('job 1', 'done', { file: '/a.mp4', sizeBytes: 1, notes: [] });
  expect(told()).toEqual([]);
  page.hidden = true;
  await end('job 2', 'failed');
  await end('job 2', 'failed');
  expect([told(), notified]).toEqual([['1 of 2 files exported.'], ['1 of 2 files exported.']]);
  page.hidden = false;
});
