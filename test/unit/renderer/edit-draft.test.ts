import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type DraftChange, EditDraft, startOf } from '../../../renderer/features/edit/edit-draft.svelte.ts';
import { pasted } from '../../../renderer/features/edit/paste.ts';
import { guidanceFor } from '../../../shared/domain/strength.ts';
import { makeConcept } from '../../fixtures/library.ts';
import { fakePage } from './fake-services.svelte.ts';

let page: ReturnType<typeof fakePage>;
beforeEach(() => {
  page = fakePage();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const waltz = makeConcept('waltz', ['ballroom']);
const tango = makeConcept('tango', ['ballroom']);

function start() {
  const changes: DraftChange[] = [];
  const draft = new EditDraft(
    () => [waltz, tango],
    (how) => changes.push(how),
  );
  draft.open(waltz);
  return { draft, changes };
}

it('a concept begins with its own caption, and goes on where it was left', () => {
  const { draft } = start();
  expect(draft.settings.prompt).toBe(draft.caption);
  draft.change({ prompt: 'a [v] person on a beach' });
  expect(draft.open(tango)).toBe(true);
  expect(draft.settings.prompt).toBe(draft.caption);
  draft.open(waltz);
  expect(draft.settings.prompt).toBe('a [v] person on a beach');
  expect(draft.canUndo).toBe(false);
});

it('the same concept again is not opened anew, and neither is none', () => {
  const { draft } = start();
  draft.change({ steps: 9 });
  expect([draft.open(waltz), draft.open(null)]).toEqual([false, false]);
  expect(draft.settings.steps).toBe(9);
  expect(draft.canUndo).toBe(true);
});

it('tells what has to be rendered for a change', () => {
  const { draft, changes } = start();
  draft.adjust({ prompt: 'a' });
  draft.adjust({ keepDetail: 0.2 });
  draft.adjust({ part: 0.5 });
  draft.settle();
  draft.undo();
  expect(changes).toEqual(['typing', 'finishing', 'step', 'step']);
});

it('words for a thing alone lock the rest, until that is set by hand', () => {
  const { draft } = start();
  const inRed = draft.caption.replace('blue', 'red');
  draft.change({ prompt: inRed });
  expect(draft.settings).toMatchObject({ lock: true, part: 0.75 });
  draft.change({ lock: false });
  draft.change({ prompt: draft.caption });
  draft.change({ prompt: inRed });
  expect(draft.settings).toMatchObject({ lock: false, part: 0.75 });
});

it('guidance follows the fidelity as long as it is its own', () => {
  const { draft } = start();
  draft.setFidelity(0.1);
  expect(draft.settings.guidance).toBe(guidanceFor(0.1));
  draft.change({ guidance: 3 });
  draft.setFidelity(0.4);
  expect(draft.settings.guidance).toBe(3);
});

it('a direction that is as learned is not written down', () => {
  const { draft } = start();
  draft.setDirection(2, 1.5);
  expect(draft.settings.sliders.directions).toEqual({ 2: 1.5 });
  draft.setDirection(2, 1);
  expect(draft.settings.sliders.directions).toEqual({});
});

it('another concept that acts beside brings its words, and takes them along', () => {
  const { draft } = start();
  const alone = draft.settings.prompt;
  draft.addBeside(tango);
  expect(draft.settings.others.map(({ conceptId }) => conceptId)).toEqual(['tango']);
  expect(draft.settings.prompt).toBe(draft.caption);
  expect(draft.acting.map(({ id }) => id)).toEqual(['waltz', 'tango']);
  draft.addBeside(tango);
  expect(draft.acting).toHaveLength(2);
  draft.removeBeside(0);
  expect([draft.settings.prompt, draft.settings.others]).toEqual([alone, []]);
});

it('from noise and back', () => {
  const { draft } = start();
  const { fidelity } = draft.settings;
  draft.startFromNoise(true);
  expect(draft.settings).toMatchObject({ fidelity: 0, whole: false });
  draft.startFromNoise(false);
  expect(draft.settings.fidelity).toBe(fidelity);
});

it('what another window writes of the same concept is taken over, and can be taken back', () => {
  const { draft, changes } = start();
  const theirs = { ...draft.settings, prompt: 'from elsewhere' };
  page.elsewhere('motif.draft.tango', JSON.stringify(theirs));
  expect(changes).toEqual([]);
  page.elsewhere('motif.draft.waltz', JSON.stringify(theirs));
  expect(draft.settings.prompt).toBe('from elsewhere');
  page.elsewhere('motif.draft.waltz', 'null');
  expect(draft.settings.prompt).toBe('from elsewhere');
  draft.undo();
  expect(draft.settings.prompt).toBe(draft.caption);
});

it('the settings of a result are a step of undo, kept, and nothing has to be rendered for them', () => {
  const { draft, changes } = start();
  draft.restore({ ...draft.settings, seed: 7 });
  expect(changes).toEqual([]);
  expect(JSON.parse(page.kept.get('motif.draft.waltz')!)).toMatchObject({ seed: 7 });
  draft.undo();
  expect(draft.settings.seed).not.toBe(7);
});

it('pastes the chosen parts, and directions on their own concept only', () => {
  const settings = {
    ...startOf(waltz),
    prompt: 'in snow',
    seed: 5,
    sliders: { identity: 2, motion: 1, directions: { 1: 0 } },
  };
  const copied = { conceptId: waltz.id, model: waltz.model, settings };
  const gains = { words: false, gains: true, sampling: false };
  expect(pasted(copied, waltz, gains)).toMatchObject({ prompt: startOf(waltz).prompt, sliders: settings.sliders });
  expect(pasted(copied, tango, gains).sliders).toEqual({ identity: 2, motion: 1, directions: {} });
  expect(pasted(copied, tango, { words: true, gains: false, sampling: true })).toMatchObject({
    prompt: 'in snow',
    seed: 5,
    sliders: startOf(tango).sliders,
  });
});

const picture = { path: 'pictures/0.png', hash: '0' };

it('a clip that goes on from a picture is made from noise, in one step that can be taken back', () => {
  const { draft, changes } = start();
  const before = draft.settings;
  draft.beginWith(picture);
  expect(draft.settings).toMatchObject({ firstFrame: picture, fidelity: 0, whole: false, guidance: guidanceFor(0) });
  expect(changes).toEqual(['step']);
  draft.undo();
  expect(draft.settings).toEqual(before);
  draft.redo();
  expect(draft.settings.firstFrame).toEqual(picture);
  draft.beginWith(null);
  expect(draft.settings).toMatchObject({ firstFrame: null, fidelity: 0 });
});

it('what starts from the clip itself goes on from no picture', () => {
  const { draft } = start();
  draft.beginWith(picture);
  draft.setFidelity(0.5);
  expect(draft.settings.firstFrame).toBeNull();
  draft.beginWith(picture);
  draft.startFromNoise(false);
  expect(draft.settings.firstFrame).toBeNull();
  expect(draft.settings.fidelity).toBeGreaterThan(0);
});

it('a first frame is there again after a reload', () => {
  start().draft.beginWith(picture);
  expect(start().draft.settings.firstFrame).toEqual(picture);
});

it('a first frame is pasted with the gains, on concepts of the same model', () => {
  const { draft } = start();
  draft.beginWith(picture);
  const copied = { conceptId: waltz.id, model: waltz.model, settings: draft.settings };
  const parts = { words: true, gains: true, sampling: true };
  expect(pasted(copied, tango, parts)).toMatchObject({ firstFrame: picture, fidelity: 0 });
  expect(pasted(copied, tango, { ...parts, gains: false }).firstFrame).toBeNull();
  expect(pasted(copied, { ...tango, model: 'another' }, parts).firstFrame).toBeNull();
});
