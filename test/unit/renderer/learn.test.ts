import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LearnState } from '../../../renderer/features/learn/learn.svelte.ts';
import type { Clip } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import type { DeviceReport } from '../../../shared/domain/engine.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { makeClip, makeConcept } from '../../fixtures/library.ts';
import { makeModelInfo } from '../../fixtures/model-info.ts';
import { FakeQueue, fakePage, fakeServices, later, settled } from './fake-services.svelte.ts';

let page: ReturnType<typeof fakePage>;
beforeEach(() => {
  page = fakePage();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const notes = 'a [v] hawk in a forest\nit turns its head in [u] motion';
const hawk = makeClip('hawk', { notes });
const learningModel = makeModelInfo({ name: 'tiny', directory: '/models/tiny', frameCount: 17 });

function start(answers: Parameters<typeof fakeServices>[0] = {}) {
  const world = fakeServices({
    'jobs.enqueue': () => ({ id: `job ${world.inputsOf('jobs.enqueue').length}` }),
    ...answers,
  });
  const queue = new FakeQueue();
  const library = { clip: hawk as Clip | null, shownKind: 'clip' as const, allConcepts: [] as Concept[] };
  const player = { inFrame: null as number | null, outFrame: null as number | null };
  const learned: string[] = [];
  const settings = {
    learningModel,
    memoryBytes: 1e12,
    device: null as DeviceReport | null,
    modelOf: (concept: Pick<Concept, 'model'> | null) => (concept?.model === 'tiny' ? learningModel : null),
  };
  const learn = new LearnState({
    connection: world.services,
    notices: world.notices,
    library,
    player,
    queue,
    settings,
    onLearned: (conceptId, title) => learned.push(`${conceptId} ${title}`),
  });
  learn.open(hawk);
  return { learn, queue, library, player, learned, settings, ...world };
}

it("begins with the clip's own words, and asks for them to be learned, with the chosen effort", async () => {
  const { learn, inputsOf } = start();
  expect([learn.name, learn.isReady]).toEqual(['hawk', true]);
  learn.looks = '  a [v] hawk in snow ';
  learn.choosePreset('quick');
  learn.setOption('rank', 2);
  await learn.start();
  expect(inputsOf('jobs.enqueue')).toMatchObject([
    {
      kind: 'learn',
      name: 'hawk',
      clips: [
        { clipId: 'hawk', caption: { static: 'a [v] hawk in snow', dynamic: 'it turns its head in [u] motion' } },
      ],
      recipe: { stepsIdentity: 150, stepsMotion: 250, rank: 2 },
      model: 'tiny',
    },
  ]);
});

it('another effort takes back what was set apart from the one before', () => {
  const { learn } = start();
  learn.setOption('stepsIdentity', 7);
  learn.choosePreset('thorough');
  expect(learn.recipe.stepsIdentity).toBe(1200);
});

it('needs both tokens, and that of the motion only where motion is learned', () => {
  const { learn } = start();
  learn.motion = 'it turns its head';
  expect(learn.isReady).toBe(false);
  learn.setOption('stepsMotion', 0);
  expect(learn.isReady).toBe(true);
  learn.looks = 'a hawk';
  expect(learn.isReady).toBe(false);
});

it('a marked range is imported first, and then learned; until then nothing else begins', async () => {
  const { learn, queue, player, inputsOf } = start();
  Object.assign(player, { inFrame: 12, outFrame: 35 });
  learn.recordCut();
  const starting = learn.start();
  await settled();
  expect(learn.starting).toBe(true);
  await learn.start();
  expect(inputsOf('jobs.enqueue')).toMatchObject([
    { kind: 'import', path: '/films/hawk.mp4', fromSeconds: 0.5, toSeconds: 1.5, model: 'tiny' },
  ]);
  queue.end({ id: 'job 1', state: 'done', output: { clipId: 'hawk 2', duplicate: false } });
  await starting;
  expect(learn.starting).toBe(false);
  expect(inputsOf('jobs.enqueue')[1]).toMatchObject({ kind: 'learn', clips: [{ clipId: 'hawk 2' }] });
});

it.each([
  ['fails', { state: 'failed', error: { code: 'damaged-file', message: 'cut short' } } as const, ['cut short']],
  ['is cancelled', { state: 'cancelled', error: null } as const, []],
])('an import that %s is learned from by nobody', async (_, end, messages) => {
  const { learn, queue, player, told, inputsOf } = start();
  player.outFrame = 23;
  learn.recordCut();
  const starting = learn.start();
  await settled();
  queue.end({ id: 'job 1', output: null, ...end });
  await starting;
  expect([told(), inputsOf('jobs.enqueue').length, learn.starting]).toEqual([messages, 1, false]);
});

it('frames that the model cannot take are prepared anew', async () => {
  const { learn, library, inputsOf } = start();
  const wide = makeClip('wide', { notes, frames: { ...hawk.frames, width: 32 } });
  library.clip = wide;
  learn.open(wide);
  void learn.start();
  await settled();
  expect(inputsOf('jobs.enqueue')).toMatchObject([{ kind: 'import', fromSeconds: 0, toSeconds: 2 }]);
});

it('a refusal is told, and what was to be learned again still is', async () => {
  const refusal = later<never>();
  const { learn, told } = start({ 'jobs.enqueue': () => refusal.answer });
  learn.takeUp(makeConcept('waltz', ['hawk']));
  const starting = learn.start();
  await settled();
  expect(learn.starting).toBe(true);
  refusal.fail(new AppError('out-of-space', 'The disk is full.'));
  await starting;
  expect([learn.starting, told(), learn.again?.id]).toEqual([false, ['The disk is full.'], 'waltz']);
});

it('a concept is learned again with its words, more steps and another beginning, as its next version', async () => {
  const { learn, inputsOf } = start();
  const waltz = makeConcept('waltz', ['hawk']);
  learn.takeUp(waltz);
  await learn.start();
  const [asked] = inputsOf('jobs.enqueue');
  expect(asked).toMatchObject({ conceptId: 'waltz', clips: [{ caption: waltz.captions[0] }] });
  const recipe = asked!.recipe as Concept['recipe'];
  expect(recipe.stepsIdentity + recipe.stepsMotion).toBeGreaterThan(
    waltz.recipe.stepsIdentity + waltz.recipe.stepsMotion,
  );
  expect(recipe.seed).toBe(waltz.recipe.seed + 1);
  expect(learn.again).toBeNull();
});

it('tells of learnings that ended, and of no other jobs', () => {
  const { queue, learned, told } = start();
  queue.end({ kind: 'generate', state: 'failed', error: { code: 'internal', message: 'not here' } });
  queue.end({ kind: 'learn', state: 'failed', error: { code: 'out-of-memory', message: 'no memory' }, output: null });
  queue.end({ kind: 'learn', state: 'cancelled', error: null, output: null });
  queue.end({ kind: 'learn', state: 'done', title: 'Learn Hawk', output: { conceptId: 'c1', version: 1 } });
  expect([told(), learned]).toEqual([['no memory'], ['c1 Learn Hawk']]);
});

it('ranges and crops are steps of undo, on the timeline too', () => {
  const { learn, player } = start();
  player.inFrame = 4;
  learn.recordCut();
  learn.crop = { left: 0, top: 0, width: 32, height: 32 };
  learn.recordCut();
  learn.recordCut();
  learn.undo();
  expect([learn.crop, player.inFrame]).toEqual([null, 4]);
  learn.undo();
  expect([player.inFrame, learn.canUndo]).toEqual([null, false]);
  learn.redo();
  expect(player.inFrame).toBe(4);
});

it('a clip that is left comes back as it was', () => {
  const { learn, player, library } = start();
  learn.looks = 'a [v] hawk in fog';
  player.inFrame = 4;
  learn.recordCut();
  const dog = makeClip('dog', { notes });
  library.clip = dog;
  learn.open(dog);
  expect([learn.looks, player.inFrame]).toEqual(['a [v] hawk in a forest', null]);
  library.clip = hawk;
  learn.open(hawk);
  expect([learn.looks, player.inFrame]).toEqual(['a [v] hawk in fog', 4]);
});

it('what another window writes of the same clip is taken over, its cut as a step of undo', () => {
  const { learn, player } = start();
  const cut = { inFrame: 2, outFrame: 9, crop: null };
  const theirs = JSON.stringify({ looks: 'a [v] hawk at night', motion: 'it flies in [u] motion', cut });
  learn.looks = 'a [v] hawk on';
  page.elsewhere('motif.words.dog', theirs);
  expect(learn.looks).toBe('a [v] hawk on');
  page.elsewhere('motif.words.hawk', theirs);
  expect([learn.looks, learn.motion, player.outFrame]).toEqual(['a [v] hawk at night', 'it flies in [u] motion', 9]);
  learn.undo();
  expect(player.outFrame).toBeNull();
});

it('says how long it will take: roughly by the rate of the device, then by what was learned on it', () => {
  const timing = { prepare: 1, identity: 2, motion: 3, measure: 4 };
  const expected = (matMulGflops: number | null, machines: string[]) => {
    const { learn, library, settings } = start();
    const device = {
      chosen: 'fake',
      description: '',
      threads: 1,
      machine: 'here',
      matMulGflops,
      memoryBytes: null,
      candidates: [],
    };
    settings.device = device;
    library.allConcepts = machines.map((machine) =>
      makeConcept(machine, ['hawk'], {
        model: 'tiny',
        recipe: learn.recipe,
        metrics: { timing: { ...timing, machine } },
      }),
    );
    return learn.expected;
  };
  expect(start().learn.expected).toBe(null);
  expect(expected(null, ['elsewhere'])).toBe(null);
  expect(expected(1, ['elsewhere'])).toMatchObject({ by: null });
  const known = expected(1, ['elsewhere', 'here'])!;
  const { stepsIdentity, stepsMotion } = start().learn.recipe;
  expect(known.by).toBe('here');
  expect(known.seconds).toBeCloseTo(1 + 2 * stepsIdentity + 3 * stepsMotion + 4, 6);
});
