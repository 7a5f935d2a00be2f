import { expect, it } from 'vitest';
import { type StageParts, StageState } from '../../../renderer/features/player/stage.svelte.ts';
import type { Clip } from '../../../shared/domain/clip.ts';
import { type Edit, editSettings } from '../../../shared/domain/edit.ts';
import { makeClip, makeEdit } from '../../fixtures/library.ts';

const clip = makeClip('street');
const { frames } = makeEdit('any', 'waltz');
const finished = (id: string, file = id) => makeEdit(id, 'waltz', { frames: { ...frames, file }, base: frames });

/** A stage with a concept's clip and results, changed as a test needs it. */
function start(changes: { clip?: Clip; edit?: Edit; shownKind?: 'clip' | 'concept'; isOn?: boolean } = {}) {
  const shown = changes.clip ?? clip;
  const edits = [finished('one'), finished('two')];
  const settings = editSettings.parse({ prompt: 'in snow' });
  const feature = { draft: { isOn: changes.isOn ?? false, settings }, preview: { shown: null as unknown } };
  const parts = {
    library: {
      clip: shown,
      sourceClip: shown,
      edit: changes.edit ?? null,
      editId: changes.edit?.id ?? null,
      edits,
      shownKind: changes.shownKind ?? 'concept',
    },
    player: { against: null as string | null, finished: true, wholeLength: false },
    clipView: { viewOf: () => 'source', frames: null },
    edit: feature,
    looks: feature,
  };
  return { stage: new StageState(parts as unknown as StageParts), ...parts };
}

it('a clip by itself counts its own frames, and its looks are no results as long as there are none', () => {
  const { stage } = start({ shownKind: 'clip' });
  expect([stage.showsResults, stage.clock?.frameCount, stage.made]).toEqual([false, 48, '64 × 64, 24 fps, 2.0 s']);
  expect(start({ shownKind: 'clip', isOn: true }).stage.showsResults).toBe(true);
});

it("a finished result has the clip's size and the length that the model saw, or all of it", () => {
  const { stage } = start({ edit: finished('one') });
  expect([stage.isFinished, stage.offersWhole, stage.made]).toEqual([true, true, '64 × 64, 24 fps, 0.6 s']);
  const whole = start({ edit: finished('one') });
  whole.player.wholeLength = true;
  expect(whole.stage.made).toBe('64 × 64, 24 fps, 2.0 s');
});

it.each([
  ['the user wants the model', (world: ReturnType<typeof start>) => Object.assign(world.player, { finished: false })],
  [
    "the clip's file cannot be shown",
    ({ stage }: ReturnType<typeof start>) => Object.assign(stage, { unshowable: clip.id }),
  ],
])("the model's own pictures are on the stage where %s", (_, change) => {
  const world = start({ edit: finished('one') });
  change(world);
  expect([world.stage.isFinished, world.stage.made]).toEqual([false, '16 × 16, 8 fps, 0.6 s']);
});

it('a clip without its file, and an edit from noise, cannot be finished', () => {
  const withoutFile = makeClip('gone', { source: { ...clip.source, path: null } });
  expect(start({ clip: withoutFile, edit: finished('one') }).stage.canFinish).toBe(false);
  expect(start({ edit: makeEdit('noise', 'waltz') }).stage.canFinish).toBe(false);
});

it('a preview takes the place of the kept result, finished as the draft says', () => {
  const { stage, edit } = start({ edit: finished('one') });
  edit.preview.shown = { frames: { ...frames, file: 'preview' }, base: frames, full: false };
  edit.draft.settings.amount = 0.25;
  expect([stage.resultName, stage.frames.result?.file]).toEqual(['Preview', 'preview']);
  expect(stage.finishable?.finishing.amount).toBe(0.25);
});

it('is compared with the clip, or another result that is not on screen itself', () => {
  const other = start({ edit: finished('one') });
  other.player.against = 'two';
  expect([other.stage.sourceName, other.stage.frames.source.file]).toEqual(['two', 'two']);
  const same = start({ edit: finished('one') });
  same.player.against = 'one';
  expect([same.stage.sourceName, same.stage.frames.source]).toEqual(['Source', clip.frames]);
});

it('pictures of all of the file are compared with those of all of it', () => {
  const long = { ...frames, file: 'long', frameCount: 17 };
  const { stage, player } = start({
    edit: makeEdit('long', 'waltz', { frames: long, base: { ...long, file: 'base' } }),
  });
  player.finished = false;
  expect([stage.frames.source.file, stage.clock?.frameCount]).toEqual(['base', 17]);
});
