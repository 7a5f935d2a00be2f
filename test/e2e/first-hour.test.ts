import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ClipStore } from '../../main/library/clips.ts';
import { ConceptStore } from '../../main/library/concepts.ts';
import { EditStore } from '../../main/library/edits.ts';
import { openLibrary } from '../../main/library/open.ts';
import { makeClip, makeConcept, makeEdit, writeFrames } from '../fixtures/library.ts';
import { drop, inspectScreen, openEditor, takePicture } from './browser.ts';

/** What a new user meets, on a library that was filled beforehand: nothing is computed here. */

/** Long enough for a machine that has other work; nothing here is a measurement. */
const patient = { timeout: 400_000 };

let editor: Awaited<ReturnType<typeof openEditor>>;
let page: Page;

const caption = { static: 'a [v] lady in a blue top', dynamic: 'is dancing in [u] motion' };

function fill(home: string): void {
  const library = openLibrary({ home, program: 'test' });
  const clips = new ClipStore(library);
  for (const name of ['Ballroom', 'Rapids']) {
    const id = name.toLowerCase();
    writeFrames(library.folder, clips.insert(makeClip(id, { name })));
  }
  const concepts = new ConceptStore(library);
  // Nearer to grey than to its clip; the other one was not measured.
  const waltz = { name: 'Waltz', model: 'motif-tiny', captions: [caption] };
  const metrics = {
    reconstructionPsnr: 12.4,
    reconstructionMse: 0.0575,
    plainMse: 0.04,
    stepsIdentity: 150,
    stepsMotion: 250,
  };
  concepts.insert(makeConcept('tango', ['ballroom'], { ...waltz, name: 'Tango', metrics }));
  concepts.insert(makeConcept('waltz', ['ballroom'], waltz));
  const edits = new EditStore(library);
  for (const id of ['first', 'second', 'third']) {
    const edit = edits.insert(makeEdit(id, 'waltz', { name: `Edit ${['first', 'second', 'third'].indexOf(id) + 1}` }));
    mkdirSync(join(library.folder, edit.frames.file, '..'), { recursive: true });
    writeFileSync(join(library.folder, edit.frames.file), new Uint8Array(5 * 16 * 16 * 3).fill(120));
  }
  library.close();
}

beforeAll(async () => {
  editor = await openEditor(fill);
  page = editor.page;
});

afterAll(() => editor?.close());

const subject = () => page.getByRole('group', { name: 'In the viewer' });
const listed = (name: string) => page.getByRole('listitem').filter({ hasText: name }).getByRole('button').first();
const tab = (name: string) => page.getByRole('tab', { name, exact: true });

it('shows in the panel what is on the stage, whichever of the two is changed', async () => {
  await subject().getByText('Waltz').waitFor();
  expect(await subject().textContent()).toContain('version 1, learned from Ballroom');
  await tab('Clips').click();
  await listed('Rapids').click();
  await subject().getByText('Rapids').waitFor();
  expect(await tab('Looks').getAttribute('aria-selected')).toBe('true');
  await tab('Edit').click();
  await subject().getByText('Waltz').waitFor();
  expect(await tab('Concepts').getAttribute('aria-selected')).toBe('true');
  // From a concept to that which it was learned from, not to what was looked at before.
  await tab('Learn').click();
  await subject().getByText('Ballroom').waitFor();
  expect(await tab('Clips').getAttribute('aria-selected')).toBe('true');
  expect(await page.locator('header').textContent()).toContain('Ballroom');
});

it('says what [v] and [u] are, and marks words that the model was never taught where words are written', async () => {
  const write = async (field: string, words: string) => {
    await page.locator(field).fill(words);
    return page.locator(`${field}-unknown`);
  };
  const marked = (field: string) => page.locator(`.prompt:has(${field}) .marks .unknown`).allTextContents();
  await page.getByText('goes before who or what is learned.').waitFor();
  const learning = await write('#learn-looks', 'a [v] laddy in a blue top');
  await learning.waitFor();
  expect(await marked('#learn-looks')).toEqual(['laddy']);
  await learning.getByRole('button', { name: 'Use "lady"' }).click();
  await learning.waitFor({ state: 'detached' });
  expect(await page.locator('#learn-looks').inputValue()).toBe('a [v] lady in a blue top');

  await tab('Edit').click();
  await page.getByText('who or what was learned from "Ballroom"').waitFor();
  const editing = await write('#prompt', 'ein [v] Mensch in a blue top is dancing in [u] motion');
  await editing.getByText('Mensch'.toLowerCase()).waitFor();
  expect(await marked('#prompt')).toEqual(['ein', 'Mensch']);
  expect(await inspectScreen(page, 'unknown words')).toEqual([]);
  await page.getByRole('button', { name: 'As learned' }).click();
  await editing.waitFor({ state: 'detached' });

  await tab('Compose').click();
  await page.getByRole('checkbox', { name: 'Waltz' }).check();
  const composing = await write('#compose-static-0', 'a [v] laddy in a blue top');
  await composing.getByRole('button', { name: 'Use "lady"' }).click();
  await composing.waitFor({ state: 'detached' });
  expect(await page.locator('#compose-static-0').inputValue()).toBe('a [v] lady in a blue top');
  await page.getByRole('checkbox', { name: 'Waltz' }).uncheck();
  await tab('Edit').click();
});

it('goes to the clips, with their panel, when files are dropped, and folds what is refused into one card', async () => {
  const files = ['one.mp4', 'two.mp4'].map((name) => join(editor.folder, name));
  for (const file of files) writeFileSync(file, 'this is no video');
  await drop(page, files);
  expect(await tab('Clips').getAttribute('aria-selected')).toBe('true');
  expect(await tab('Looks').getAttribute('aria-selected')).toBe('true');
  await page.getByText('2 files could not be imported').click(patient);
  expect((await page.getByRole('alert').getByRole('listitem').allTextContents()).sort()).toEqual([
    expect.stringMatching(/one\.mp4.*not a video/s),
    expect.stringMatching(/two\.mp4.*not a video/s),
  ]);
  await page.getByRole('button', { name: 'Dismiss all' }).click();
  await page.getByRole('alert').waitFor({ state: 'detached' });
  await tab('Concepts').click();
  expect(await tab('Edit').getAttribute('aria-selected')).toBe('true');
});

/** Controls that a notice lies over, the picture aside; null where there is no notice. */
const covered = () =>
  page.evaluate(() => {
    const boxes = [...document.querySelectorAll('.notice')].map((notice) => notice.getBoundingClientRect());
    if (boxes.every(({ width }) => width === 0)) return null;
    const parts = document.querySelectorAll('[role=dialog], button, input, select, textarea, [role=slider]');
    return [...parts]
      .filter((part) => !part.closest('.notice, #stage'))
      .filter((part) => {
        const { left, right, top, bottom, width } = part.getBoundingClientRect();
        const isOver = (box: DOMRect) => left < box.right && right > box.left && top < box.bottom && bottom > box.top;
        const isBehindDialog = document.querySelector('[role=dialog]') !== null && !part.closest('[role=dialog]');
        return width > 1 && !isBehindDialog && boxes.some(isOver);
      })
      .map(({ outerHTML }) => outerHTML.slice(0, 120));
  });

const results = () => page.getByRole('region', { name: 'Results' });

it('lets results have names, which they keep when another one is deleted, and which exports carry', async () => {
  await results().getByRole('button', { name: 'Rename Edit 3' }).click();
  await page.getByLabel('New name').fill('Encore');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Encore');
  await results().getByRole('button', { name: 'Encore', exact: true }).click();
  expect(await page.locator('header').textContent()).toContain('Encore');
  await results().getByRole('button', { name: 'Delete Edit 1' }).click();
  await results().getByRole('button', { name: 'Edit 1', exact: true }).waitFor({ state: 'detached' });
  await results().getByRole('button', { name: 'Edit 2', exact: true }).waitFor();
  for (const size of [
    { width: 1024, height: 640 },
    { width: 1440, height: 900 },
  ]) {
    await page.setViewportSize(size);
    expect(await covered()).toEqual([]);
  }
  await page.locator('#export').click();
  await page.getByRole('dialog').getByText('Waltz Encore.mp4').waitFor();
  await page.keyboard.press('Escape');
});

it('says what is made, on the stage and for each file; presets say what they hold, and results stand below their concepts', async () => {
  await page.locator('#stage').getByText('16 × 16, 8 fps, 0.6 s').waitFor();
  await page.locator('#export').click();
  const dialog = page.getByRole('dialog');
  const files = dialog.getByRole('listitem');
  await files.filter({ hasText: 'Waltz Encore.mp4' }).getByText('16 × 16, 8 fps, 0.6 s').waitFor();
  await dialog.getByLabel('Width').selectOption('256');
  await files.getByText('256 × 256, 8 fps, 0.6 s').waitFor();
  await dialog.getByLabel('Preset name').fill('Small');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('H.264 (.mp4), 256 wide').waitFor();
  await dialog.getByLabel('Show all concepts and clips').check();
  await dialog.getByRole('heading', { name: 'Waltz' }).waitFor();
  await dialog.getByRole('button', { name: 'Delete the preset Small' }).click();
  await page.keyboard.press('Escape');
});

it('shows what was deleted, gives it back, and deletes it for good when asked twice', async () => {
  await tab('Concepts').click();
  await page.getByRole('button', { name: 'More for Waltz' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Trash' }).click();
  const dialog = page.getByRole('dialog');
  const deleted = dialog.getByRole('list', { name: 'Trash' }).getByRole('listitem');
  await deleted.filter({ hasText: 'Waltz' }).getByText('concept, 2 edits').waitFor();
  expect(await covered()).toEqual([]);
  expect(await inspectScreen(page, 'trash')).toEqual([]);
  await deleted.filter({ hasText: 'Waltz' }).getByRole('button', { name: 'Restore' }).click();
  await expect.poll(() => deleted.allTextContents()).toEqual([expect.stringMatching(/^\s*Edit 1/)]);
  await dialog.getByRole('button', { name: 'Empty the trash' }).click();
  await dialog.getByRole('button', { name: 'Delete 1 item permanently' }).click();
  await dialog.getByText('The trash is empty.').waitFor();
  await page.keyboard.press('Escape');
  await listed('Waltz').click();
  await results().getByRole('button', { name: 'Encore', exact: true }).waitFor();
});

it('says of a concept that it does not give its clip back, compares it with the clip, and learns it again', async () => {
  await listed('Tango').click();
  const lost = page.getByRole('region', { name: 'This concept does not reconstruct its clip.' });
  await lost.getByText('12.4 dB').waitFor();
  await lost.getByRole('button', { name: 'Compare with the clip' }).click();
  const dialog = page.getByRole('dialog', { name: 'Versions of Tango' });
  await dialog.getByText('Does not reconstruct its clip: 12.4 dB.').waitFor();
  await dialog.getByRole('button', { name: 'Show' }).click();
  // The clip of this library is none that the model takes: the reason stands in the picture's place.
  await dialog.getByText('was imported for another model').waitFor(patient);
  expect(await inspectScreen(page, 'versions')).toEqual([]);
  await page.keyboard.press('Escape');
  await lost.getByRole('button', { name: 'Learn it again' }).click();
  await page.getByText('This becomes version 2 of "Tango".').waitFor();
  expect(await page.locator('#learn-looks').inputValue()).toBe(caption.static);
  expect(await page.getByRole('button', { name: 'Standard' }).getAttribute('aria-pressed')).toBe('true');
  await page.getByRole('button', { name: 'Learn as a new concept' }).click();
  expect(await page.locator('#learn-name').inputValue()).toBe('Tango');
  await tab('Concepts').click();
  await listed('Waltz').click();
  await lost.waitFor({ state: 'detached' });
});

it('has panels that are made wider, narrower or away, and stay so', async () => {
  const widthOf = (name: string) => page.getByRole('complementary', { name }).evaluate((panel) => panel.clientWidth);
  await subject().getByText('Waltz').waitFor(patient);
  const before = await widthOf('Library');
  await page.getByRole('separator', { name: 'Width of the library' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => widthOf('Library')).toBe(before + 32);
  const edge = (await page.getByRole('separator', { name: 'Width of the inspector' }).boundingBox())!;
  const inspector = await widthOf('Inspector');
  await page.mouse.move(edge.x + 4, edge.y + 300);
  await page.mouse.down();
  await page.mouse.move(edge.x - 76, edge.y + 300, { steps: 4 });
  await page.mouse.up();
  await expect.poll(() => widthOf('Inspector')).toBe(inspector + 80);
  await page.getByRole('button', { name: 'Show the library' }).click();
  await page.reload();
  await subject().waitFor(patient);
  expect(await page.getByRole('complementary', { name: 'Library' }).count()).toBe(0);
  expect(await widthOf('Inspector')).toBe(inspector + 80);
  await page.keyboard.press('Control+f');
  await page.locator('#library-search:focus').waitFor();
  expect(await widthOf('Library')).toBe(before + 32);
  for (const side of ['library', 'inspector'])
    await page.getByRole('separator', { name: `Width of the ${side}` }).dblclick();
  expect(await widthOf('Library')).toBe(before);
});

it('leaves room for picture, words and results at 200 %, whatever is called how', async () => {
  const long = 'A very long name, as a camera or a catalogue gives it, 2026-11-29 18.04.33 take 12';
  await listed('Waltz').focus();
  await page.keyboard.press('F2');
  await page.getByLabel('New name').fill(long);
  await page.keyboard.press('Enter');
  await subject().getByText(long).waitFor(patient);
  await page.setViewportSize({ width: 720, height: 450 });
  await page.getByRole('complementary', { name: 'Library' }).waitFor({ state: 'hidden', ...patient });
  const boxOf = async (part: string) => (await page.locator(part).boundingBox())!;
  const [stage, transport, render, head] = await Promise.all(['#stage', '.transport', '#render', '#export'].map(boxOf));
  expect(stage!.width).toBeGreaterThan(360);
  expect(stage!.height).toBeGreaterThan(100);
  for (const box of [transport!, render!, head!]) {
    expect(box.x + box.width).toBeLessThanOrEqual(720);
    expect(box.y + box.height).toBeLessThanOrEqual(450);
  }
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll('main button, header button, aside button')]
      .filter((button) => button.getClientRects().length > 0 && !button.closest('.results, .scroll'))
      .filter((button) => button.scrollWidth > button.clientWidth + 1)
      .map(({ outerHTML }) => outerHTML.slice(0, 100)),
  );
  expect(cut).toEqual([]);
  await takePicture(page, 'zoomed');
  await page.setViewportSize({ width: 1440, height: 900 });
});
