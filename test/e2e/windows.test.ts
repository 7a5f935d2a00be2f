import { once } from 'node:events';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { JobStore } from '../../main/jobs/store.ts';
import { openLibrary } from '../../main/library/open.ts';
import type { JobKind } from '../../shared/domain/job.ts';
import { generateInput } from '../../shared/domain/job-input.ts';
import { useSmallModel, writeSmallModel } from '../fixtures/small-model.ts';
import { drop, inspectScreen, startServer } from './browser.ts';
import { type Editor, fillWithDancer, fillWithoutSamples, openForTest } from './open-for-test.ts';

const patient = { timeout: 400_000 };

/** A second window on the same library. */
async function openSecond(editor: Editor): Promise<Page> {
  const second = await editor.context.newPage();
  await second.goto(new URL('/', editor.address).href);
  return second;
}

const concept = (page: Page, name: string) => page.locator('[role=listitem]', { hasText: name });

async function chooseConcept(page: Page, name: string): Promise<void> {
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await concept(page, name).getByRole('button').first().click(patient);
  await page.getByRole('tab', { name: 'Edit' }).click();
  await page.locator('#prompt').waitFor();
}

async function setSteps(page: Page, steps: number): Promise<void> {
  await page.locator('summary', { hasText: 'Sampling' }).click();
  await page.getByLabel('Steps', { exact: true }).fill(String(steps));
  await page.getByLabel('Steps', { exact: true }).press('Enter');
}

/** As few steps as there can be, of the clip or clips that are learned next. */
async function learnBriefly(page: Page): Promise<void> {
  await page.locator('summary', { hasText: 'Advanced' }).click();
  await page.getByLabel('Appearance steps').fill('2');
  await page.getByLabel('Motion steps').fill('2');
  await page.getByRole('spinbutton', { name: 'Rank' }).fill('4');
  await page.getByLabel('Prior clips').fill('0');
  await page.getByLabel('Prior preservation').uncheck();
}

/** Saves a concept as a file, deletes it, and drops the file. */
async function giveAwayAndTakeBack(page: Page, editor: Editor, name: string): Promise<void> {
  await page.getByRole('button', { name: `More for ${name}` }).click();
  await page.getByRole('menuitem', { name: '.motif' }).click();
  await page.getByText(new RegExp(`${name}\\.motif`)).waitFor();
  await page.getByRole('button', { name: `More for ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect.poll(() => concept(page, name).count()).toBe(0);
  await drop(page, [join(editor.home, 'exports', `${name}.motif`)]);
  await concept(page, name).waitFor(patient);
}

it('shows in one window what is done in another, and loses the work of neither', async () => {
  const editor = await openForTest(fillWithDancer);
  const first = editor.page;
  await first.getByRole('tab', { name: 'Concepts' }).click();
  await concept(first, 'Dancer').waitFor(patient);
  const second = await openSecond(editor);
  await chooseConcept(first, 'Dancer');
  await chooseConcept(second, 'Dancer');
  const prompt = (page: Page) => page.locator('#prompt').inputValue();
  const motion = (page: Page) => page.getByLabel('Motion', { exact: true }).inputValue();

  // The same edit: words here, sliders there.
  const caption = await prompt(first);
  await first.locator('#prompt').fill(`${caption}, at sunset`);
  await expect.poll(() => prompt(second)).toBe(`${caption}, at sunset`);
  await second.getByLabel('Motion', { exact: true }).focus();
  await second.keyboard.press('ArrowLeft');
  await second.keyboard.press('ArrowLeft');
  await expect.poll(() => motion(first)).toBe('0.9');
  expect(await prompt(first)).toBe(`${caption}, at sunset`);
  await first.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => motion(second)).toBe('1');
  expect([await prompt(first), await prompt(second)]).toEqual(Array(2).fill(`${caption}, at sunset`));
  await first.getByRole('button', { name: 'Redo' }).click();
  await expect.poll(() => motion(second)).toBe('0.9');
  await first.reload();
  await first.locator('#prompt').waitFor();
  expect([await prompt(first), await motion(first)]).toEqual([`${caption}, at sunset`, '0.9']);

  // The queue: paused here, ordered there, in sight in both.
  await first.getByRole('button', { name: /^Queue/ }).click();
  await first.getByRole('button', { name: 'Pause the queue' }).click();
  await second.getByText('The queue is paused', { exact: true }).waitFor();
  await setSteps(second, 2);
  for (const [index, seed] of ['11', '12', '13'].entries()) {
    await second.getByLabel('Seed').fill(seed);
    await second.getByLabel('Seed').press('Enter');
    await second.locator('#render').click();
    // In the queue before the next is asked for: on a busy machine two requests may be under way at once.
    await second.getByRole('button', { name: `Queue ${index + 1}` }).waitFor();
  }
  await second.getByRole('button', { name: 'Queue 3' }).click();
  const waiting = (page: Page) => page.getByRole('list', { name: 'Waiting' }).locator('> li');
  const { home } = editor;
  const jobs = () => renderings(home).map(({ seed, state }) => `${seed} ${state}`);
  expect(jobs()).toEqual(['11 queued', '12 queued', '13 queued']);
  const seeds = new Map(renderings(home).map(({ id, seed }) => [id, seed]));
  /** What a window lists, which may be behind what the other one did; rows look alike. */
  const shown = async (page: Page) => {
    const ids = await waiting(page).evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.job!));
    return ids.map((id) => seeds.get(id)).join();
  };
  await expect.poll(() => shown(first)).toBe('11,12,13');
  expect(await inspectScreen(first, 'queue-paused')).toEqual([]);

  const from = (await waiting(first).nth(2).locator('.handle').boundingBox())!;
  const to = (await waiting(first).nth(0).boundingBox())!;
  await first.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await first.mouse.down();
  await first.mouse.move(from.x + from.width / 2, from.y - 20, { steps: 4 });
  await first.mouse.move(from.x + from.width / 2, to.y + 4, { steps: 12 });
  await expect.poll(() => shown(first)).toBe('13,11,12');
  await first.mouse.up();
  await expect.poll(jobs).toEqual(['13 queued', '11 queued', '12 queued']);
  // The other window's list follows, and its first one can be moved down only.
  await expect.poll(() => shown(second)).toBe('13,11,12');
  expect(await waiting(second).nth(0).getByRole('button', { name: 'Move up' }).count()).toBe(0);
  await waiting(second).nth(1).getByRole('button', { name: 'Move down' }).click();
  await expect.poll(jobs).toEqual(['13 queued', '12 queued', '11 queued']);
  await expect.poll(() => shown(first)).toBe('13,12,11');
  // By keyboard, as by hand.
  await waiting(first).nth(0).locator('.handle').focus();
  await first.keyboard.press('Space');
  await first.keyboard.press('ArrowDown');
  await first.keyboard.press('Space');
  await expect.poll(jobs).toEqual(['12 queued', '13 queued', '11 queued']);

  await expect.poll(() => shown(second)).toBe('12,13,11');
  await waiting(second).nth(2).getByRole('button', { name: 'Pause' }).click();
  await second.getByRole('region', { name: 'Queue' }).getByRole('button', { name: 'Resume the queue' }).click();
  await expect.poll(jobs, patient).toEqual(['12 done', '13 done', '11 paused']);
  for (const page of [first, second]) {
    await page.getByRole('button', { name: 'Edit 2', exact: true }).waitFor(patient);
  }

  // The library and the settings.
  await second.getByRole('button', { name: 'Settings', exact: true }).click();
  await second.locator('#theme').selectOption('light');
  await expect.poll(() => first.evaluate(() => document.documentElement.dataset.theme)).toBe('light');
  await second.keyboard.press('Escape');
  await first.getByRole('button', { name: 'Star' }).first().click();
  await second.getByRole('button', { name: 'Star', pressed: true }).waitFor();
  await first.getByRole('button', { name: 'More for Dancer' }).click();
  await first.getByRole('menuitem', { name: 'Rename' }).click();
  await first.getByLabel('New name').fill('Twirler');
  await first.keyboard.press('Enter');
  await concept(second, 'Twirler').waitFor();
  await first.getByRole('button', { name: 'More for Twirler' }).click();
  await first.getByRole('menuitem', { name: 'Delete' }).click();
  await expect.poll(() => concept(second, 'Twirler').count()).toBe(0);
  await first.getByRole('button', { name: 'Undo' }).last().click();
  await concept(second, 'Twirler').waitFor();

  // A learning of one window is in sight in the other, which stays where it is.
  await first.getByRole('tab', { name: 'Clips' }).click();
  await first.getByRole('button', { name: /^A bonfire/ }).click();
  await first.getByRole('tab', { name: 'Learn' }).click();
  await first.locator('#learn-name').fill('Fire');
  await learnBriefly(first);
  await first.locator('#learn').click();
  await second.getByText('Learn Fire').first().waitFor();
  await second.getByText('Learn Fire: done.').waitFor(patient);
  await first.locator('header', { hasText: 'Fire' }).waitFor(patient);
  expect(await second.locator('header', { hasText: 'Fire' }).count()).toBe(0);
  await second.getByRole('button', { name: 'Show', exact: true }).click();
  await second.locator('header', { hasText: 'Fire' }).waitFor();
  expect(editor.problems).toEqual([]);
});

/** What a library knows of its jobs of a kind, in the queue's order. */
function jobsIn(home: string, kind: JobKind) {
  const library = openLibrary({ home, program: 'test', access: 'read' });
  const jobs = new JobStore(library).list({ kinds: [kind] });
  library.close();
  return jobs;
}

/** Its renderings; the seed tells them apart. */
function renderings(home: string) {
  return jobsIn(home, 'generate').map(({ id, input, state }) => ({
    id,
    state,
    seed: generateInput.parse(input).settings.seed,
  }));
}

it('composes a concept of two, edits it with a token for each, gives it away and takes it back', async () => {
  const editor = await openForTest(fillWithDancer);
  const { page } = editor;
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await concept(page, 'Dancer').waitFor(patient);
  await page.getByRole('tab', { name: 'Clips' }).click();
  await page.getByText('A bonfire').first().waitFor(patient);
  await page.getByRole('tab', { name: 'Learn' }).click();
  await learnBriefly(page);
  await page.getByRole('tab', { name: 'Compose' }).click();
  await page.getByRole('checkbox', { name: 'Dancer' }).check();
  await page.getByRole('checkbox', { name: 'A bonfire' }).check();
  await page.getByLabel('Name', { exact: true }).fill('Fire dance');
  await page.getByRole('button', { name: 'Learn together' }).click();
  await page.locator('header', { hasText: 'Fire dance' }).waitFor(patient);

  const useIt = async (result: string) => {
    await chooseConcept(page, 'Fire dance');
    const caption = await page.locator('#prompt').inputValue();
    for (const token of ['[v]', '[u]', '[v2]', '[u2]']) expect(caption).toContain(token);
    await page.locator('#prompt').fill('a [v] woman beside a [v2] bonfire');
    await page.getByRole('group', { name: 'Insert a token' }).getByRole('button', { name: '[u]', exact: true }).click();
    expect(await page.locator('#prompt').inputValue()).toBe('a [v] woman beside a [v2] bonfire [u]');
    await setSteps(page, 2);
    await page.locator('#render').click();
    await page.getByRole('button', { name: result, exact: true }).waitFor(patient);
  };
  await useIt('Edit 1');
  expect(await inspectScreen(page, 'composed')).toEqual([]);
  await giveAwayAndTakeBack(page, editor, 'Fire dance');
  await useIt('Edit 1');
  expect(editor.problems).toEqual([]);
});

it('learns on a second model, edits, gives the concept away and takes it back', async () => {
  const editor = await openForTest(useSmallModel);
  const { page } = editor;
  await page.getByText('A bonfire').first().waitFor(patient);
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('tab', { name: 'Models' }).click();
  await dialog.getByLabel(/^Model folder/).fill(writeSmallModel(join(editor.folder, 'another')));
  await dialog.getByRole('button', { name: 'Add' }).click();
  const added = dialog.locator('li', { hasText: 'another' });
  await added.getByRole('button', { name: 'Use for learning' }).click(patient);
  await added.getByText('learns and imports').waitFor();
  await added.getByRole('button', { name: 'Remove' }).waitFor();
  await page.keyboard.press('Escape');

  await page.getByRole('tab', { name: 'Clips' }).click();
  await page
    .getByRole('button', { name: /^A bonfire/ })
    .first()
    .click();
  await page.getByRole('tab', { name: 'Learn' }).click();
  await page.getByText('Learned on another.').waitFor();
  await page.locator('#learn-name').fill('Small fire');
  await learnBriefly(page);
  await page.locator('#learn').click();
  await page.locator('header', { hasText: 'Small fire' }).waitFor(patient);
  const useIt = async () => {
    await chooseConcept(page, 'Small fire');
    await setSteps(page, 2);
    await page.locator('#render').click();
    await page.getByRole('button', { name: 'Edit 1', exact: true }).waitFor(patient);
  };
  await useIt();
  await giveAwayAndTakeBack(page, editor, 'Small fire');
  await useIt();
  await page.getByRole('button', { name: 'More for Small fire' }).click();
  await page.getByRole('menuitem', { name: 'details' }).click();
  await dialog.getByText('another', { exact: true }).waitFor();
  expect(editor.problems).toEqual([]);
});

it('goes on with a learning after the program was killed', async () => {
  const editor = await openForTest(useSmallModel);
  const { page, context, home, server } = editor;
  await page.getByText('A bonfire').first().waitFor(patient);
  await page.getByRole('tab', { name: 'Clips' }).click();
  await page.getByRole('button', { name: /^A bonfire/ }).click();
  await page.getByRole('tab', { name: 'Learn' }).click();
  await page.locator('#learn-name').fill('Fire');
  await learnBriefly(page);
  await page.getByLabel('Appearance steps').fill('2000');
  await page.getByLabel('Checkpoint every').fill('2');
  await page.locator('#learn').click();
  await page
    .getByText(/appearance, ([4-9]|\d\d+) of 2000/)
    .first()
    .waitFor(patient);
  server.kill('SIGKILL');
  await page.getByText('Motif is not responding.', { exact: false }).waitFor();

  const again = await startServer(home);
  try {
    const after = await context.newPage();
    await after.goto(again.address);
    await after.getByRole('tab', { name: 'Learn' }).click();
    const learning = after.getByRole('region', { name: 'Learn Fire' });
    await learning.getByText('interrupted').waitFor();
    await learning.getByText('Loss of both stages', { exact: false }).or(learning.locator('canvas')).first().waitFor();
    await learning.getByRole('button', { name: 'Resume' }).click();
    await learning.getByText('running').waitFor(patient);
    await learning.getByRole('button', { name: 'Stop and keep' }).click();
    await expect.poll(() => jobsIn(home, 'learn'), patient).toMatchObject([{ state: 'done', attempts: 2 }]);
    await after.locator('header', { hasText: /\bFire\b/ }).waitFor(patient);
  } finally {
    again.child.kill('SIGTERM');
    await once(again.child, 'exit');
  }
});

it('says in an empty library what to do, in the names of the keys of a Mac on a Mac', async () => {
  const editor = await openForTest(useSmallModel, fillWithoutSamples);
  const { page, context } = editor;
  await page.getByText('No clips yet.', { exact: false }).waitFor();
  await page.getByText('Drop a clip to begin.').waitFor();
  expect(await inspectScreen(page, 'empty-clips')).toEqual([]);
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page.getByText('No concepts yet.', { exact: false }).waitFor();
  expect(await inspectScreen(page, 'empty-concepts')).toEqual([]);
  await page.getByRole('tab', { name: 'Compose' }).click();
  expect(await inspectScreen(page, 'empty-compose')).toEqual([]);
  await page.getByRole('button', { name: /^Queue/ }).click();
  await page.getByRole('region', { name: 'Queue' }).waitFor();
  expect(await inspectScreen(page, 'empty-queue')).toEqual([]);
  expect(await page.getByRole('button', { name: 'Undo' }).getAttribute('title')).toBe('Undo (Ctrl Z)');

  await context.addInitScript(() => Object.defineProperty(navigator, 'platform', { get: () => 'MacIntel' }));
  const mac = await openSecond(editor);
  expect(await mac.getByRole('button', { name: 'Undo' }).getAttribute('title')).toBe('Undo (⌘ Z)');
  await mac.getByRole('button', { name: 'Shortcuts' }).click();
  await mac.getByText('⌘ Z', { exact: true }).waitFor();
  expect(editor.problems).toEqual([]);
});
