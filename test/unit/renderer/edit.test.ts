import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EditState } from '../../../renderer/features/edit/edit.svelte.ts';
import type { Clip } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import type { Edit, EditSettings } from '../../../shared/domain/edit.ts';
import type { DeviceReport } from '../../../shared/domain/engine.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { makeClip, makeConcept, makeEdit } from '../../fixtures/library.ts';
import { makeModelInfo } from '../../fixtures/model-info.ts';
import { FakeQueue, fakePage, fakeServices } from './fake-services.svelte.ts';

beforeEach(() => {
  vi.useFakeTimers();
  fakePage();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const waltz = makeConcept('waltz', ['ballroom']);
const { frames } = makeEdit('any', 'waltz');

const fakeModel = makeModelInfo({ name: 'fake', directory: '/models/fake' });

const made = (editId: string) => ({ editId, reused: false });

function start() {
  const world = fakeServices({
    'edits.preview': () => ({ frames, base: frames }),
    'jobs.enqueue': () => ({ id: `job ${world.inputsOf('jobs.enqueue').length}` }),
  });
  const queue = new FakeQueue();
  const library = {
    concept: waltz,
    sourceClip: makeClip('ballroom') as Clip | null,
    conceptId: waltz.id,
    allConcepts: [waltz, makeConcept('tango', ['ballroom'])],
    edits: [] as Edit[],
    edit: null as Edit | null,
    editId: null as string | null,
    loadEdits: async () => {
      library.edits = [makeEdit('edit 1', 'waltz'), makeEdit('edit 2', 'waltz')];
    },
  };
  const settings = {
    device: null as DeviceReport | null,
    modelOf: (concept: Pick<Concept, 'model'> | null) => (concept?.model === 'fake' ? fakeModel : null),
  };
  const { services: connection, notices } = world;
  const edit = new EditState({ connection, notices, library, queue, settings });
  edit.open(waltz);
  return { edit, library, queue, settings, ...world };
}

it('a change is previewed with few steps, then in full', async () => {
  const { edit, inputsOf } = start();
  edit.draft.change({ prompt: 'in snow' });
  await vi.advanceTimersByTimeAsync(0);
  expect(edit.preview.shown?.full).toBe(false);
  await vi.advanceTimersByTimeAsync(1200);
  expect(edit.preview.shown?.full).toBe(true);
  expect(inputsOf('edits.preview').map(({ full }) => full)).toEqual([false, true]);
});

it('finishing what is on the stage asks for nothing, and takes it off the shelf', async () => {
  const { edit, library, inputsOf } = start();
  library.edit = makeEdit('edit 1', 'waltz');
  edit.draft.adjust({ keepDetail: 0.1 });
  await vi.advanceTimersByTimeAsync(2000);
  expect(inputsOf('edits.preview')).toEqual([]);
  expect(edit.preview.shown).toMatchObject({ frames: library.edit.frames, full: true });
});

it('the result that was asked for here takes the place of the preview', async () => {
  const { edit, library, queue, inputsOf } = start();
  edit.draft.change({ prompt: 'in snow' });
  await edit.render();
  expect(inputsOf('jobs.enqueue')).toMatchObject([
    { kind: 'generate', conceptId: 'waltz', settings: { prompt: 'in snow' } },
  ]);
  queue.end({ id: 'job 1', kind: 'generate', state: 'done', output: made('edit 1') });
  await vi.advanceTimersByTimeAsync(0);
  expect(library.editId).toBe('edit 1');
  expect(edit.preview.shown).toBeNull();
});

it('a result that another window asked for leaves what is looked at', async () => {
  const { library, queue } = start();
  library.editId = 'edit 1';
  queue.end({ id: 'elsewhere', kind: 'generate', state: 'done', output: made('edit 2') });
  await vi.advanceTimersByTimeAsync(0);
  expect(library.editId).toBe('edit 1');
});

it('variations differ by their seed alone', async () => {
  const { edit, inputsOf } = start();
  const { seed } = edit.draft.settings;
  await edit.renderVariations();
  const asked = inputsOf('jobs.enqueue').map(({ settings }) => settings as Edit['settings']);
  expect(asked.map((settings) => settings.seed - seed)).toEqual([1, 2, 3, 4]);
  expect(new Set(asked.map((settings) => JSON.stringify({ ...settings, seed: 0 }))).size).toBe(1);
});

it('copied settings are pasted on other concepts and other clips, one result each', async () => {
  const { edit, inputsOf } = start();
  await edit.paste({ conceptIds: ['tango'], clipIds: [] }, { words: true, gains: true, sampling: true });
  expect(inputsOf('jobs.enqueue')).toEqual([]);
  edit.draft.change({ prompt: 'in snow' });
  edit.copy();
  await edit.paste({ conceptIds: ['tango'], clipIds: ['forest'] }, { words: true, gains: false, sampling: false });
  expect(inputsOf('jobs.enqueue')).toMatchObject([
    { conceptId: 'tango', settings: { prompt: 'in snow' } },
    { conceptId: 'waltz', sourceClipId: 'forest', settings: { prompt: 'in snow' } },
  ]);
});

it('the ends of directions are made when all is quiet, and not while a job uses the engine', async () => {
  const { edit, queue, inputsOf, emit } = start();
  queue.running = [{ kind: 'learn', title: 'Learn Tango' } as Job];
  await vi.advanceTimersByTimeAsync(3000);
  expect([edit.waitsFor, inputsOf('edits.preview').length]).toEqual(['Learn Tango', 0]);
  queue.running = [];
  edit.ends.makeSoon();
  await vi.advanceTimersByTimeAsync(3000);
  expect(Object.keys(edit.ends.pictures)).toEqual(['0', '1', '2']);
  edit.ends.clear();
  edit.ends.makeSoon();
  emit('job.changed', { job: { kind: 'generate', state: 'running' } });
  await vi.advanceTimersByTimeAsync(4000);
  expect(edit.ends.pictures).toEqual({});
});

it('says how long a result will take, by the last one and what is different, else by the device', () => {
  const expected = (edits: Edit[], matMulGflops: number | null, change: EditSettings | null = null) => {
    const { edit, library, settings } = start();
    settings.device = {
      chosen: 'fake',
      description: '',
      threads: 1,
      machine: 'here',
      matMulGflops,
      memoryBytes: null,
      candidates: [],
    };
    library.edits = edits;
    const [last] = edits;
    if (last) edit.restore(last);
    if (change) edit.draft.change(change);
    return edit.expectedSeconds;
  };
  const last = makeEdit('edit 1', 'waltz', { seconds: 8 });
  expect(expected([], null)).toBe(null);
  expect(expected([], 1)).toBeCloseTo(10 * expected([], 10)!, 9);
  expect(expected([last], null)).toBeCloseTo(8, 9);
  const more = expected([last], null, { ...last.settings, steps: 2 * last.settings.steps })!;
  expect(more).toBeGreaterThan(9);
  expect(more).toBeLessThan(16);
});
