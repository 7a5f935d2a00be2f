import { beforeEach, expect, it } from 'vitest';
import { ReenactState } from '../../../renderer/features/compose/reenact.svelte.ts';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { makeClip } from '../../fixtures/library.ts';
import { fakeServices, later, settled } from './fake-services.svelte.ts';

const clips = [makeClip('dancer'), makeClip('fire'), makeClip('sea')];
const framesOf = (file: string): RawFrames => ({ ...clips[0]!.frames, file });

type Answer = ReturnType<typeof later<{ frames: RawFrames }>> & { signal: AbortSignal };
let answers: Answer[];
beforeEach(() => {
  answers = [];
});

function start(others: Parameters<typeof fakeServices>[0] = {}) {
  const world = fakeServices({
    'twins.reenact': (_: never, signal?: AbortSignal) => {
      const asked = { ...later<{ frames: RawFrames }>(), signal: signal! };
      answers.push(asked);
      return asked.answer;
    },
    ...others,
  });
  const library = { clipById: (id: string) => clips.find((clip) => clip.id === id) ?? null };
  return { reenact: new ReenactState(world.services, world.notices, library), ...world };
}

function startBoth(others?: Parameters<typeof fakeServices>[0]) {
  const world = start(others);
  world.reenact.choose('structure', 'dancer');
  world.reenact.choose('dynamics', 'fire');
  return world;
}

it('asks once both clips are chosen, and shows that it works until the answer is there', async () => {
  const { reenact, inputsOf } = start();
  reenact.choose('structure', 'dancer');
  expect([inputsOf('twins.reenact'), reenact.isWorking]).toEqual([[], false]);
  reenact.choose('dynamics', 'fire');
  expect(reenact.isWorking).toBe(true);
  expect(inputsOf('twins.reenact')).toEqual([
    {
      structureClipId: 'dancer',
      dynamicsClipId: 'fire',
      strengths: { structure: 1, dynamics: 1 },
      view: 'both',
    },
  ]);
  answers[0]!.give({ frames: framesOf('both') });
  await settled();
  expect([reenact.shown?.file, reenact.isWorking]).toEqual(['both', false]);
});

it('gives up what was asked before, whose answer overwrites nothing', async () => {
  const { reenact } = startBoth();
  reenact.choose('dynamics', 'sea');
  expect(answers.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  answers[1]!.give({ frames: framesOf('sea') });
  await settled();
  answers[0]!.give({ frames: framesOf('fire') });
  await settled();
  expect([reenact.shown?.file, reenact.isWorking]).toEqual(['sea', false]);
});

it('still works for the newer one when the older one fails', async () => {
  const { reenact, told } = startBoth();
  reenact.choose('dynamics', 'sea');
  answers[0]!.fail(new AppError('internal', 'old'));
  await settled();
  expect([reenact.isWorking, told()]).toEqual([true, []]);
});

it('a view that was made is shown again at once, until clips or strengths are others', async () => {
  const { reenact } = startBoth();
  answers[0]!.give({ frames: framesOf('both') });
  await settled();
  reenact.show('structure');
  expect(reenact.shown).toBeNull();
  answers[1]!.give({ frames: framesOf('structure') });
  await settled();
  reenact.show('both');
  expect(reenact.shown?.file).toBe('both');
  reenact.set('dynamics', 0.5);
  reenact.show('structure');
  expect(reenact.shown).toBeNull();
});

it('what was asked with other strengths is not kept as made', async () => {
  const { reenact } = startBoth();
  reenact.set('structure', 0.5);
  answers[0]!.give({ frames: framesOf('old strengths') });
  await settled();
  reenact.show('both');
  expect(reenact.shown).toBeNull();
});

it('the source is shown as it is, and asks for nothing', () => {
  const { reenact, inputsOf } = startBoth();
  reenact.show('source');
  expect(reenact.shown).toEqual(clips[0]!.frames);
  expect(inputsOf('twins.reenact')).toHaveLength(1);
});

it('with nothing left of either there is nothing to make', async () => {
  const { reenact, inputsOf } = startBoth();
  reenact.set('structure', 0);
  reenact.set('dynamics', 0);
  await reenact.make();
  expect([reenact.isReady, reenact.shown, reenact.isWorking]).toEqual([false, null, false]);
  expect(inputsOf('twins.reenact')).toHaveLength(1);
  expect(answers[0]!.signal.aborted).toBe(true);
});

it.each([
  ['a failure is told', new AppError('engine-crashed', 'The engine has ended.'), ['The engine has ended.']],
  ['being cancelled is no failure', new AppError('cancelled', 'Cancelled.'), []],
])('%s, and nothing works any more', async (_, thrown, messages) => {
  const { reenact, told } = startBoth();
  answers[0]!.fail(thrown);
  await settled();
  expect([reenact.isWorking, told()]).toEqual([false, messages]);
});

it('writes it as a file under the names of both, and says where until something else is made', async () => {
  const { reenact, inputsOf } = startBoth({ 'twins.export': () => ({ file: '/exports/a.mp4' }) });
  await reenact.export();
  expect(inputsOf('twins.export')).toMatchObject([
    { structureClipId: 'dancer', view: 'both', name: 'dancer with the motion of fire' },
  ]);
  expect(reenact.exported).toBe('/exports/a.mp4');
  void reenact.make();
  expect(reenact.exported).toBeNull();
});

it('asks once whether there is a network, and again only after a failure', async () => {
  let isThere = false;
  const { reenact, inputsOf, told } = start({
    'twins.describe': () => {
      if (!isThere) throw new AppError('disconnected', 'nobody');
      return { twin: null };
    },
  });
  await reenact.open();
  expect([reenact.twin, told()]).toEqual([undefined, ['nobody']]);
  isThere = true;
  await reenact.open();
  await reenact.open();
  expect([reenact.twin, inputsOf('twins.describe').length]).toEqual([null, 2]);
});
