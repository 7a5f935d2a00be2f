import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LooksState } from '../../../renderer/features/looks/looks.svelte.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import { standardLooks } from '../../../shared/domain/look.ts';
import { makeClip, makeEdit } from '../../fixtures/library.ts';
import { FakeQueue, fakePage, fakeServices } from './fake-services.svelte.ts';

beforeEach(() => {
  vi.useFakeTimers();
  fakePage();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const clip = makeClip('hawk', { seen: 'a hawk' });
const other = makeClip('dog', { seen: 'a dog' });
const [sunset] = standardLooks;
const { frames } = makeEdit('any', 'any');

const made = (editId: string) => ({ editId, reused: false });

async function start() {
  const world = fakeServices({
    'looks.list': () => standardLooks.map((look) => ({ look, isOwn: false })),
    'looks.save': ({ look }: { look: object }) => ({ id: 'own', ...look }),
    'edits.preview': () => ({ frames, base: frames }),
    'jobs.enqueue': () => ({ id: `job ${world.inputsOf('jobs.enqueue').length}` }),
  });
  const queue = new FakeQueue();
  const library = {
    clip,
    clipById: (id: string) => (id === other.id ? other : clip),
    edit: null as Edit | null,
    editId: 'kept' as string | null,
    edits: [] as Edit[],
    loadClips: async () => {},
    loadEdits: async () => {},
  };
  const looks = new LooksState(world.services, world.notices, library, queue);
  looks.open(clip);
  await looks.list.load();
  const settle = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
  return { looks, library, queue, settle, ...world };
}

it('tiles that are in sight fill one after the other, and no others', async () => {
  const { looks, settle } = await start();
  looks.tiles.see(sunset!.id, true);
  looks.tiles.see(standardLooks[3]!.id, true);
  looks.tiles.show(true);
  await settle();
  const filled = looks.tiles.all.filter(({ picture }) => picture !== null).map(({ look }) => look.id);
  expect(filled).toEqual([sunset!.id, standardLooks[3]!.id]);
});

it('a look that was chosen is on the stage: at once from its tile, else rendered', async () => {
  const { looks, library, inputsOf, settle } = await start();
  looks.choose(sunset!);
  expect([looks.draft.isOn, library.editId, looks.chosen?.look.id]).toEqual([true, null, sunset!.id]);
  await settle(500);
  expect(inputsOf('edits.preview').map(({ full }) => full)).toEqual([false, true]);
  looks.tiles.see(sunset!.id, true);
  looks.tiles.show(true);
  await settle();
  const asked = inputsOf('edits.preview').length;
  looks.choose(sunset!);
  expect(looks.preview.shown?.full).toBe(true);
  expect(inputsOf('edits.preview')).toHaveLength(asked);
});

it("words of one's own begin with what the clip shows, are no look of the list, and lock the rest for a thing", async () => {
  const { looks } = await start();
  expect(looks.draft.promptToWrite).toContain('a hawk by day');
  looks.draft.write({ shown: 'a man in a blue shirt', prompt: 'a man in a red shirt' });
  expect([looks.draft.isOn, looks.draft.lookId, looks.draft.settings.lock]).toEqual([true, null, true]);
  looks.draft.adjust({ lock: false });
  looks.draft.write({ prompt: 'a man in a green shirt' });
  expect(looks.draft.settings.lock).toBe(false);
});

it('finishing asks for nothing, and a kept edit that is finished anew is not kept yet', async () => {
  const { looks, library, inputsOf, settle } = await start();
  const kept = makeEdit('kept', 'any', { conceptId: null, conceptVersion: null, sourceClipId: clip.id });
  looks.restore(kept);
  library.edit = kept;
  expect(library.editId).toBe('kept');
  looks.draft.adjust({ amount: 0.5 });
  await settle(1000);
  expect(inputsOf('edits.preview')).toEqual([]);
  expect([library.editId, looks.preview.shown?.settings.amount]).toEqual([null, 0.5]);
});

it('undo leads back to the look before, and at last to the clip alone', async () => {
  const { looks, settle } = await start();
  looks.choose(sunset!);
  looks.draft.setStrength(0.9);
  looks.draft.settle();
  await settle(1000);
  looks.draft.undo();
  expect([looks.draft.isOn, looks.draft.strength]).toEqual([true, sunset!.strength]);
  looks.draft.undo();
  expect([looks.draft.isOn, looks.preview.shown]).toEqual([false, null]);
  looks.draft.redo();
  expect([looks.draft.isOn, looks.draft.lookId]).toEqual([true, sunset!.id]);
});

it('what is kept takes the stage when it is there, if nothing was changed since', async () => {
  const { looks, library, queue, settle } = await start();
  looks.choose(sunset!);
  await settle(1000);
  const kept = looks.keepNow();
  await settle();
  library.edits = [makeEdit('sunset', 'any', { settings: looks.draft.settings })];
  queue.end({ id: 'job 1', kind: 'generate', state: 'done', output: made('sunset') });
  await kept;
  expect([library.editId, looks.preview.shown]).toEqual(['sunset', null]);
});

it('another clip gets the look in its own words', async () => {
  const { looks, inputsOf } = await start();
  looks.choose(sunset!);
  await looks.applyTo([other.id]);
  expect(inputsOf('jobs.enqueue')).toMatchObject([{ sourceClipId: other.id, name: sunset!.name }]);
  const { prompt } = inputsOf('jobs.enqueue')[0]!.settings as Edit['settings'];
  expect(prompt).toContain('a dog');
  expect(prompt).not.toContain('a hawk');
});

it('a look that is saved has the mark in place of what the clip shows, and no step of undo', async () => {
  const { looks, inputsOf } = await start();
  looks.draft.write({ prompt: 'a hawk in a storm' });
  expect(await looks.save('Storm')).toBe(true);
  expect(inputsOf('looks.save')).toMatchObject([{ look: { name: 'Storm', to: '{seen} in a storm' } }]);
  expect(looks.draft.lookId).toBe('own');
  looks.draft.undo();
  expect(looks.draft.isOn).toBe(false);
});

it('another clip begins with nothing, and each is taken up where it was left, in this window or the next', async () => {
  const { looks, settle, inputsOf } = await start();
  looks.choose(sunset!);
  looks.draft.adjust({ amount: 0.5 });
  looks.draft.settle();
  const { settings } = looks.draft;
  looks.open(other);
  expect([looks.draft.isOn, looks.draft.canUndo, looks.preview.shown]).toEqual([false, false, null]);
  looks.open(clip);
  expect([looks.draft.isOn, looks.draft.lookId, looks.draft.settings]).toEqual([true, sunset!.id, settings]);
  await settle(1000);
  expect(inputsOf('edits.preview').at(-1)).toMatchObject({ sourceClipId: clip.id, settings });
  looks.leave();
  looks.open(other);
  looks.open(clip);
  expect(looks.draft.isOn).toBe(false);
});

it('finishing is taken back without rendering, and what was shown stays until a look that comes back is there', async () => {
  const { looks, settle, inputsOf } = await start();
  looks.choose(sunset!);
  await settle(1000);
  const asked = inputsOf('edits.preview').length;
  looks.draft.adjust({ amount: 0.5 });
  looks.draft.settle();
  looks.draft.undo();
  await settle(1000);
  expect(inputsOf('edits.preview')).toHaveLength(asked);
  expect(looks.preview.shown?.settings.amount).toBe(looks.draft.settings.amount);
  looks.draft.setStrength(0.9);
  looks.draft.settle();
  await settle(1000);
  looks.draft.undo();
  expect(looks.preview.shown).not.toBeNull();
  await settle(1000);
  expect(inputsOf('edits.preview').length).toBeGreaterThan(asked);
});
