import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { locateMediaTools } from '../../main/media/locate.ts';
import { probe } from '../../main/media/probe.ts';
import { run } from '../../main/media/run.ts';
import { drop, inspectScreen, openEditor } from './browser.ts';

let editor: Awaited<ReturnType<typeof openEditor>>;
let page: Page;

const sample = resolve(import.meta.dirname, '../../resources/samples/dancer.mp4');
/** Long enough for a machine that has other work; nothing here is a measurement. */
const jobSeconds = 400_000;

beforeAll(async () => {
  editor = await openEditor();
  page = editor.page;
});

afterAll(() => editor?.close());

/** SIGKILL to the processes that a process started: the server's only one is the engine. */
async function killChildren(pid: number): Promise<void> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const [, parent] = /\) \w (\d+)/.exec(stat) ?? [];
    if (Number(parent) === pid) process.kill(Number(name), 'SIGKILL');
  }
}

const card = (name: string) => page.getByRole('button', { name, exact: false }).first();
const frameNumber = () => page.locator('#frame-number').textContent();

/** 24 frames, each of its own grey: the picture tells which frame it is. */
async function makeSteps(file: string): Promise<void> {
  const { ffmpeg } = await locateMediaTools();
  const source = 'color=black:size=128x128:rate=8:duration=3,format=gray,geq=lum=16+N*9';
  const { exitCode, errorTail } = await run(ffmpeg.path, [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    source,
    '-pix_fmt',
    'yuv420p',
    file,
  ]);
  if (exitCode !== 0) throw new Error(errorTail.join('\n'));
}

it('shows the sample clips and a learned concept on the first start, and the address works once', async () => {
  await page.getByText('A woman dancing in a park').first().waitFor({ timeout: jobSeconds });
  await page.getByText('A bonfire').first().waitFor({ timeout: jobSeconds });
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page
    .locator('[role=listitem]', { hasText: 'Dancer' })
    .filter({ hasText: 'version 1' })
    .waitFor({ timeout: jobSeconds });
  await page.getByRole('tab', { name: 'Clips' }).click();
  // However late a window opens, it begins with the first sample and its looks, as long as there is nothing of one's own.
  const late = await editor.context.newPage();
  await late.goto(new URL('/', editor.address).href);
  await late.locator('[aria-current="true"]', { hasText: 'A wet hawk' }).waitFor({ timeout: jobSeconds });
  expect(await late.getByRole('tab', { name: 'Looks' }).getAttribute('aria-selected')).toBe('true');
  await late.close();
  const again = await fetch(editor.address, { redirect: 'manual' });
  expect(again.status).toBe(401);
  const withoutCookie = await fetch(new URL('/media/thumbnail/clip/x', editor.address));
  expect(withoutCookie.status).toBe(401);
});

it('takes dropped clips and says of a broken one why not', async () => {
  const steps = join(editor.folder, 'steps.mp4');
  await makeSteps(steps);
  const broken = join(editor.folder, 'broken.mp4');
  await writeFile(broken, 'this is no video');
  await drop(page, [steps, broken]);
  await card('steps').waitFor({ timeout: jobSeconds });
  const refusal = page.getByRole('alert');
  await refusal.waitFor({ timeout: jobSeconds });
  expect(await refusal.textContent()).toMatch(/not a video/);
  expect(await page.getByText('Import broken.mp4').count()).toBe(1);
  expect(await inspectScreen(page, 'import')).toEqual([]);
  await page.getByRole('button', { name: 'Dismiss' }).first().click();
});

it('scrubs to the exact frame by pointer and keyboard', async () => {
  await page.getByRole('tab', { name: 'Learn' }).click();
  await card('steps').click();
  const video = page.locator('#stage video');
  await video.waitFor({ timeout: jobSeconds });
  await page.locator('#stage video[data-frame]').waitFor();
  expect(await frameNumber()).toBe('frame 1 of 24');
  const shownGrey = () =>
    video.evaluate((element: HTMLVideoElement) => {
      const canvas = new OffscreenCanvas(1, 1);
      const context = canvas.getContext('2d')!;
      context.drawImage(element, 0, 0, 1, 1);
      return context.getImageData(0, 0, 1, 1).data[0]!;
    });
  const greyOf = (frame: number) => 16 + frame * 9;
  const expectFrame = async (frame: number) => {
    await page.locator(`#stage video[data-frame="${frame}"]`).waitFor();
    expect(await frameNumber()).toBe(`frame ${frame + 1} of 24`);
    expect(Math.abs((await shownGrey()) - greyOf(frame))).toBeLessThan(4.5);
  };
  await page.keyboard.press('ArrowRight');
  await expectFrame(1);
  await page.keyboard.press('Shift+ArrowRight');
  await expectFrame(11);
  await page.keyboard.press('End');
  await expectFrame(23);
  const box = (await page.locator('#timeline').boundingBox())!;
  await page.mouse.click(box.x + (box.width * 6.5) / 24, box.y + box.height / 2);
  await expectFrame(6);
  await page.keyboard.press('i');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('o');
  expect(await page.getByText('O 00:00:02:00', { exact: true }).count()).toBe(1);
  await page.getByText('Shorter than the 2.1 s that the model uses: all of it is learned.').waitFor();
});

it('undoes and redoes the range and the crop of a clip', async () => {
  await page.getByRole('button', { name: 'Crop in the viewer' }).click();
  const stage = (await page.locator('#stage').boundingBox())!;
  await page.mouse.move(stage.x + stage.width / 2 - 80, stage.y + 80);
  await page.mouse.down();
  await page.mouse.move(stage.x + stage.width / 2 + 80, stage.y + 240, { steps: 3 });
  await page.mouse.up();
  expect(await page.locator('.crop').count()).toBe(1);
  await page.locator('#timeline').focus();
  await page.keyboard.press('Control+z');
  expect(await page.locator('.crop').count()).toBe(0);
  await page.keyboard.press('Control+Shift+z');
  expect(await page.locator('.crop').count()).toBe(1);
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+z'); // the end of the range
  await page.getByText('O 00:00:02:07', { exact: true }).waitFor();
  await page.keyboard.press('Control+z'); // its beginning
  await expect.poll(() => page.getByRole('button', { name: 'Clear range' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Crop in the viewer' }).click();
});

it('learns a concept with few steps, through a reload in the middle', async () => {
  await card('A woman dancing').click();
  await page.locator('#learn-name').fill('Twirl');
  await page
    .locator('#learn-looks')
    .fill('a photograph of a [v] lady wearing a pink top, in daylight, in a green park');
  await page.locator('#learn-motion').fill('she is dancing in [u] motion');
  await page.getByText(/^About .*, a rough guess: nothing has been learned on this machine yet\.$/).waitFor();
  await page.getByText(/^Needs about .* of memory; this machine has .*\.$/).waitFor();
  await page.getByText('Advanced').click();
  await page.getByLabel('Appearance steps').fill('3');
  await page.getByLabel('Motion steps').fill('3');
  await page.getByRole('spinbutton', { name: 'Rank' }).fill('4');
  await page.getByLabel('Prior clips').fill('0');
  await page.getByLabel('Prior preservation').uncheck();
  await page.locator('#learn').click();
  await page.getByRole('region', { name: 'Learn Twirl' }).waitFor();
  expect(await inspectScreen(page, 'learn')).toEqual([]);
  await page.reload();
  await page.getByRole('tab', { name: 'Concepts' }).waitFor();
  const queued = page.getByRole('region', { name: 'Learn Twirl' });
  const learned = page.locator('[role=listitem]', { hasText: 'Twirl' }).filter({ hasText: 'version 1' });
  await expect.poll(async () => (await queued.count()) + (await learned.count())).toBeGreaterThan(0);
  await learned.waitFor({ timeout: jobSeconds });
});

it('goes on after the death of its engine, stops a learning and keeps what it has', async () => {
  await page.getByRole('tab', { name: 'Clips' }).click();
  await card('A bonfire').click();
  await page.getByRole('tab', { name: 'Learn' }).click();
  await page.locator('#learn-name').fill('Fire');
  expect(await page.locator('#learn-looks').inputValue()).toContain('[v]');
  await page.getByText('Advanced').click();
  await page.getByLabel('Appearance steps').fill('3000');
  await page.getByLabel('Sample every').fill('2');
  await page.getByLabel('Prior clips').fill('0');
  await page.getByLabel('Prior preservation').uncheck();
  await page.locator('#learn').click();
  const learning = page.getByRole('region', { name: 'Learn Fire' });
  const keep = learning.getByRole('button', { name: 'Stop and keep' });
  await keep.waitFor({ timeout: jobSeconds });
  await learning.getByRole('group', { name: 'Samples so far' }).waitFor({ timeout: jobSeconds });
  expect(await inspectScreen(page, 'learn-running')).toEqual([]);
  if (process.platform === 'linux') {
    await killChildren(editor.server.pid!);
    await page.getByRole('button', { name: /^Queue/ }).click();
    const queue = page.getByRole('region', { name: 'Queue' });
    await queue
      .getByText(/engine/i)
      .first()
      .waitFor();
    expect(await inspectScreen(page, 'queue-failed')).toEqual([]);
    await queue.getByRole('button', { name: 'Try again' }).click();
    await queue.getByRole('button', { name: 'Close the queue' }).click();
  }
  await keep.click({ timeout: jobSeconds });
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page
    .locator('[role=listitem]', { hasText: 'Fire' })
    .filter({ hasText: 'version 1' })
    .waitFor({ timeout: jobSeconds });
});

it('edits it with words and sliders: preview, undo, result', async () => {
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await card('Twirl').click();
  await page.getByRole('tab', { name: 'Edit' }).click();
  const prompt = page.locator('#prompt');
  expect(await prompt.inputValue()).toContain('[v] lady');
  await page.getByRole('button', { name: 'Light' }).click();
  await page.getByRole('menuitem', { name: 'at sunset' }).click();
  expect(await prompt.inputValue()).toContain('at sunset');
  await page.getByText('2 words changed').waitFor();
  await page.getByLabel('Motion', { exact: true }).focus();
  await page.keyboard.press('ArrowLeft');
  await page
    .locator('#stage')
    .getByText(/^(Preview|Not kept yet)$/)
    .waitFor({ timeout: jobSeconds });
  expect(await inspectScreen(page, 'preview')).toEqual([]);
  await page.keyboard.press('Control+z');
  await expect.poll(() => page.getByLabel('Motion', { exact: true }).inputValue()).toBe('1');

  await page.getByText('Sampling').click();
  await page.getByLabel('Steps', { exact: true }).fill('3');
  await page.getByLabel('Steps', { exact: true }).press('Enter');
  await page.locator('#render').click();
  await page.getByRole('button', { name: 'Edit 1', exact: true }).waitFor({ timeout: jobSeconds });
  for (const [key, name] of [
    ['3', 'side'],
    ['4', 'difference'],
    ['2', 'wipe'],
  ] as const) {
    await page.locator('#timeline').focus();
    await page.keyboard.press(key);
    await page.locator(`#stage .${name}`).first().waitFor();
    expect(await inspectScreen(page, `edit-${name}`)).toEqual([]);
  }
  await page.getByRole('button', { name: 'Model', exact: true }).click();
  // The wipe is where the pictures meet, in the middle of the stage, also when they are drawn smaller than it.
  await page.getByLabel('Zoom').selectOption('2');
  const wipe = page.getByLabel('Position of the wipe');
  await wipe.focus();
  for (let presses = 0; presses < 3; presses++) await page.keyboard.press('Shift+ArrowLeft');
  const [stage, line, picture] = await Promise.all(
    [page.locator('#stage'), wipe, page.locator('#stage canvas').first()].map((part) => part.boundingBox()),
  );
  expect(picture!.width).toBe(256);
  expect(picture!.x + 128).toBeCloseTo(stage!.x + stage!.width / 2, 0);
  expect(line!.x + line!.width / 2 - picture!.x).toBeCloseTo(0.2 * 256, 0);
  for (let presses = 0; presses < 3; presses++) await page.keyboard.press('Shift+ArrowRight');
  await page.getByLabel('Zoom').selectOption('0');
});

it('shows variations by seed as a grid, results against each other, and pastes settings on many', async () => {
  await page.locator('#timeline').focus();
  await page.keyboard.press('v');
  const grid = page.getByRole('group', { name: 'Variations' });
  await grid.getByRole('button', { name: 'Edit 5' }).waitFor({ timeout: jobSeconds });
  expect(await grid.getByText(/seed/).allTextContents()).toEqual([1, 2, 3, 4, 5].map((n) => `Edit ${n}, seed ${n}`));
  expect(await inspectScreen(page, 'variations')).toEqual([]);
  await grid.getByRole('button', { name: 'Edit 3' }).click();
  await page.keyboard.press('3');
  await page.getByLabel('Against').selectOption({ label: 'Edit 1' });
  await page.locator('#stage').getByText('Edit 1', { exact: true }).waitFor();
  await page.locator('#stage').getByText('Edit 3', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Copy settings' }).click();
  await page.getByRole('button', { name: 'Paste to multiple' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('checkbox', { name: 'Dancer' }).check();
  expect(await inspectScreen(page, 'paste')).toEqual([]);
  await dialog.getByRole('button', { name: 'Render' }).click();
  const queue = page.getByRole('region', { name: 'Queue' });
  await queue.locator('li', { hasText: 'Edit Dancer' }).getByText('took').waitFor({ timeout: jobSeconds });
  await page.keyboard.press('q');
});

it('puts the identity of one concept and the motion of another together, in a moment and without learning', async () => {
  await page.getByRole('tab', { name: 'Compose' }).click();
  await page.locator('#mix-identity').selectOption({ label: 'Twirl' });
  await page.locator('#mix-motion').selectOption({ label: 'Dancer' });
  expect(await page.getByLabel('Name of the new concept').getAttribute('placeholder')).toBe('Twirl as Dancer');
  await page.getByLabel('Name of the new concept').fill('Flame spirit');
  await page.getByRole('button', { name: 'Combine' }).click();
  await page.locator('header', { hasText: 'Flame spirit' }).waitFor({ timeout: jobSeconds });
  // A mix was never seen: it is made from noise, and its pictures are the model's own.
  await expect.poll(() => page.getByRole('checkbox', { name: /^Start from noise/ }).isChecked()).toBe(true);
  const prompt = await page.locator('#prompt').inputValue();
  expect(prompt).toContain('[v]');
  expect(prompt).toContain('[u]');
  await page.locator('#stage canvas').first().waitFor({ timeout: jobSeconds });
  expect(await inspectScreen(page, 'mixed')).toEqual([]);
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page.locator('[role=listitem]', { hasText: 'Twirl' }).first().click();
});

it('lets two concepts act together, each with sliders of its own', async () => {
  await page.getByRole('tab', { name: 'Compose' }).click();
  await page.getByLabel('First concept').selectOption({ label: 'Twirl' });
  await page.getByLabel('Second concept').selectOption({ label: 'Dancer' });
  await page.getByRole('button', { name: 'Open in Edit' }).click();
  const others = page.getByRole('region', { name: 'Other concepts' });
  await others.getByText('Dancer', { exact: true }).waitFor();
  await expect.poll(() => page.getByRole('checkbox', { name: /^Start from noise/ }).isChecked()).toBe(true);
  const prompt = () => page.locator('#prompt').inputValue();
  for (const token of ['[v]', '[u]', '[v2]', '[u2]']) expect(await prompt()).toContain(token);
  await page.locator('#stage canvas').first().waitFor({ timeout: jobSeconds });
  await others.getByRole('spinbutton', { name: 'Motion of Dancer' }).fill('0.5');
  await others.getByRole('spinbutton', { name: 'Motion of Dancer' }).press('Enter');
  expect(await inspectScreen(page, 'together')).toEqual([]);
  await others.getByRole('button', { name: 'Remove Dancer' }).click();
  expect(await prompt()).not.toContain('2]');
  await page.getByRole('checkbox', { name: /^Start from noise/ }).uncheck();
});

it('learns concepts and clips together, in sight in the Learn tab', async () => {
  await page.getByRole('tab', { name: 'Compose' }).click();
  await page.getByRole('checkbox', { name: 'Twirl' }).check();
  await page.getByRole('checkbox', { name: 'A bonfire' }).check();
  await page.getByText('[v2] [u2]').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Fire dance');
  expect(await inspectScreen(page, 'compose')).toEqual([]);
  await page.getByRole('button', { name: 'Learn together' }).click();
  const learning = page.getByRole('region', { name: 'Learn Fire dance' });
  await learning.waitFor();
  await learning.getByText('running').waitFor({ timeout: jobSeconds });
  await learning.getByRole('button', { name: 'Pause' }).click();
  await learning.getByText('paused').waitFor({ timeout: jobSeconds });
  await learning.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect.poll(() => learning.count()).toBe(0);
  await page.getByRole('tab', { name: 'Edit' }).click();
});

it('exports in several forms and shows where they are', async () => {
  await page.locator('#export').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/GB free/).waitFor();
  await dialog.getByRole('checkbox', { name: 'Edit 1' }).check();
  // The one on the stage is chosen at first.
  for (const other of [2, 3, 4, 5]) await dialog.getByRole('checkbox', { name: `Edit ${other}` }).uncheck();
  await dialog.getByLabel('Width').selectOption('256');
  await dialog.getByLabel('Preset name').fill('Small');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('H.264 (.mp4), 256 wide').waitFor();
  await dialog.getByText('Twirl Edit 1 Small.mp4').waitFor();
  await dialog.getByLabel('Width').selectOption('');
  await dialog.getByRole('checkbox', { name: 'H.264 (.mp4)', exact: true }).check();
  await dialog.getByLabel('GIF').check();
  expect(await inspectScreen(page, 'export')).toEqual([]);
  await page.evaluate(() => {
    // Someone looks at another tab meanwhile, and has allowed notifications, which no headless browser does.
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    const told: unknown[] = [];
    class Recorded {
      static permission = 'granted';
      constructor(title: string, { body }: { body: string }) {
        told.push([title, body]);
      }
    }
    Object.assign(globalThis, { told, Notification: Recorded });
  });
  await page.locator('#start-export').click();
  await page.getByText('3 files exported.').waitFor({ timeout: jobSeconds });
  const told = () => page.evaluate(() => (globalThis as unknown as { told: unknown[] }).told);
  await expect.poll(told).toContainEqual(['Export', '3 files exported.']);
  await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: false, configurable: true }));
  expect(await inspectScreen(page, 'queue')).toEqual([]);
  await page.getByRole('region', { name: 'Queue' }).getByRole('button', { name: 'Report' }).click();
  await page.getByText('Exported files').waitFor();
  expect(await dialog.locator('li').count()).toBe(3);
  expect(await inspectScreen(page, 'report')).toEqual([]);
  const file = join(editor.home, 'exports', 'Twirl Edit 1.mp4');
  expect(existsSync(join(editor.home, 'exports', 'Twirl Edit 1.gif'))).toBe(true);
  const probed = await probe(await locateMediaTools(), file);
  expect([probed.codec, probed.frameCount, probed.width]).toEqual(['h264', 51, 384]);
  const small = await probe(await locateMediaTools(), join(editor.home, 'exports', 'Twirl Edit 1 Small.mp4'));
  expect(small.width).toBe(256);
  await page.keyboard.press('Escape');
  await page.keyboard.press('q');
  await expect.poll(() => page.getByRole('region', { name: 'Queue' }).count()).toBe(0);
});

it('takes a clip that is there already for the same, and gives a deleted one back', async () => {
  await page.getByRole('tab', { name: 'Clips' }).click();
  await drop(page, [sample]);
  await page.getByText('is already in the library').waitFor({ timeout: jobSeconds });
  await card('steps').focus();
  await page.keyboard.press('Delete');
  await expect.poll(() => page.locator('[role=listitem]', { hasText: 'steps' }).count()).toBe(0);
  await page.locator('.notices').getByRole('button', { name: 'Undo' }).click();
  await page.locator('[role=listitem]', { hasText: 'steps' }).waitFor();
});

it('tags and describes a concept, saves it as a file and takes that file back', async () => {
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page.getByRole('button', { name: 'More for Twirl' }).click();
  await page.getByRole('menuitem', { name: 'Tags' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Tags').fill('dance, park');
  await dialog.getByLabel('Notes').fill('for the opening');
  expect(await inspectScreen(page, 'details')).toEqual([]);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'dance', exact: true }).click();
  await expect.poll(() => page.locator('[role=listitem]').count()).toBe(1);
  await page.getByRole('button', { name: 'dance', exact: true }).click();
  await page.getByLabel('Search concepts').fill('opening');
  await expect.poll(() => page.locator('[role=listitem]').count()).toBe(1);
  await page.getByLabel('Search concepts').fill('');
  await page.getByRole('button', { name: 'More for Twirl' }).click();
  await page.getByRole('menuitem', { name: '.motif' }).click();
  await page.getByText(/Twirl\.motif/).waitFor();
  await page.getByRole('tab', { name: 'Clips' }).click();
  await drop(page, [join(editor.home, 'exports', 'Twirl.motif')]);
  // It is that concept, and is shown instead of being added again.
  await page.getByText('"Twirl" is already in the library.').waitFor({ timeout: jobSeconds });
  expect(await page.getByRole('tab', { name: 'Edit' }).getAttribute('aria-selected')).toBe('true');
  expect(await page.locator('[role=listitem]', { hasText: 'Twirl' }).count()).toBe(1);
});

it('keeps settings and shows the machine, the models and the shortcuts', async () => {
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  await page.locator('#theme').selectOption('light');
  await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe('light');
  for (const tab of ['Machine', 'Models', 'About']) {
    await page.getByRole('dialog').getByRole('tab', { name: tab }).click();
    await page.waitForTimeout(300);
    expect(await inspectScreen(page, `settings-${tab.toLowerCase()}`)).toEqual([]);
  }
  await page.getByRole('button', { name: 'Save report' }).click();
  await page.getByText(/motif-report-.*\.zip/).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Shortcuts' }).click();
  expect(await inspectScreen(page, 'shortcuts')).toEqual([]);
  await page.keyboard.press('Escape');
});

it('shows the same library in a second window', async () => {
  const second = await editor.context.newPage();
  await second.goto(new URL('/', editor.address).href);
  await second.getByRole('tab', { name: 'Concepts' }).click();
  await second.getByText('Twirl').first().waitFor();
  await second.close();
});

it('tells what runs after a drag by keyboard that went nowhere', async () => {
  const queue = page.getByRole('region', { name: 'Queue' });
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page.locator('[role=listitem]', { hasText: 'Twirl' }).first().click();
  await page.locator('#timeline').focus();
  if (!(await queue.isVisible())) await page.keyboard.press('q');
  await queue.getByRole('button', { name: 'Pause the queue' }).click();
  await page.locator('#timeline').focus();
  await page.keyboard.press('v');
  const handles = queue.getByLabel(/^Drag /);
  await handles.nth(2).waitFor();
  await handles.first().focus();
  for (const key of [' ', ' ']) await page.keyboard.press(key);
  await queue.getByRole('button', { name: 'Resume the queue' }).click();
  await queue.getByRole('heading', { name: 'Waiting' }).waitFor({ state: 'detached', timeout: 60_000 });
});

it('never made the page complain', () => {
  expect(editor.problems).toEqual([]);
});
