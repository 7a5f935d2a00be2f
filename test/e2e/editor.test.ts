import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { locateMediaTools } from '../../main/media/locate.ts';
import { probe } from '../../main/media/probe.ts';
import { run } from '../../main/media/run.ts';
import { inspectScreen, openEditor } from './browser.ts';

let editor: Awaited<ReturnType<typeof openEditor>>;
let page: Page;

const sample = resolve(import.meta.dirname, '../../resources/samples/dancer.mp4');
const jobSeconds = 120_000;

beforeAll(async () => {
  editor = await openEditor();
  page = editor.page;
});

afterAll(() => editor?.close());

/** As a person drops them: the page gets a drop event that carries the files. */
async function drop(files: string[]): Promise<void> {
  const contents = await Promise.all(
    files.map(async (file) => ({ name: file.split('/').at(-1)!, data: (await readFile(file)).toString('base64') })),
  );
  const transfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, data } of files) {
      transfer.items.add(new File([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], name));
    }
    return transfer;
  }, contents);
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

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
  await page.getByText('A woman dancing in a park').first().waitFor();
  await page.getByText('A bonfire').first().waitFor();
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page.locator('[role=listitem]', { hasText: 'Dancer' }).filter({ hasText: 'version 1' }).waitFor();
  await page.getByRole('tab', { name: 'Clips' }).click();
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
  await drop([steps, broken]);
  await card('steps').waitFor();
  const refusal = page.getByRole('alert');
  await refusal.waitFor();
  expect(await refusal.textContent()).toMatch(/not a video/);
  expect(await page.getByText('Import broken.mp4').count()).toBe(1);
  expect(await inspectScreen(page, 'import')).toEqual([]);
  await page.getByRole('button', { name: 'Dismiss' }).first().click();
});

it('scrubs to the exact frame by pointer and keyboard', async () => {
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
  await page.getByRole('button', { name: 'Clear range' }).click();
});

it('learns a concept with few steps, through a reload in the middle', async () => {
  await card('A woman dancing').click();
  await page.locator('#learn-name').fill('Twirl');
  await page
    .locator('#learn-looks')
    .fill('a photograph of a [v] lady wearing a pink top, in daylight, in a green park');
  await page.locator('#learn-motion').fill('she is dancing in [u] motion');
  await page.getByText('Advanced').click();
  await page.getByLabel('Steps for the looks').fill('6');
  await page.getByLabel('Steps for the motion').fill('6');
  await page.getByLabel('Rank').fill('4');
  await page.getByLabel('Clips of the prior').fill('0');
  await page.getByLabel('Prior preservation').uncheck();
  await page.locator('#learn').click();
  await page.getByRole('region', { name: 'Learn Twirl' }).waitFor();
  expect(await inspectScreen(page, 'learn')).toEqual([]);
  await page.reload();
  await page.getByRole('tab', { name: 'Concepts' }).waitFor();
  const queued = page.getByRole('region', { name: 'Learn Twirl' });
  const learned = page.locator('[role=listitem]', { hasText: 'Twirl' }).filter({ hasText: 'version 1' });
  await expect
    .poll(async () => (await queued.count()) + (await learned.count()), { timeout: 20_000 })
    .toBeGreaterThan(0);
  await learned.waitFor({ timeout: jobSeconds });
});

it('goes on after the death of its engine, stops a learning and keeps what it has', async () => {
  await page.getByRole('tab', { name: 'Clips' }).click();
  await card('A bonfire').click();
  await page.getByRole('tab', { name: 'Learn' }).click();
  await page.locator('#learn-name').fill('Fire');
  expect(await page.locator('#learn-looks').inputValue()).toContain('[v]');
  await page.getByText('Advanced').click();
  await page.getByLabel('Steps for the looks').fill('3000');
  await page.getByLabel('Clips of the prior').fill('0');
  await page.getByLabel('Prior preservation').uncheck();
  await page.locator('#learn').click();
  const learning = page.getByRole('region', { name: 'Learn Fire' });
  const keep = learning.getByRole('button', { name: 'Stop and keep' });
  await keep.waitFor({ timeout: jobSeconds });
  if (process.platform === 'linux') {
    await killChildren(editor.server.pid!);
    await page.getByRole('button', { name: /^Queue/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog
      .getByText(/engine/i)
      .first()
      .waitFor();
    expect(await inspectScreen(page, 'queue-failed')).toEqual([]);
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await page.keyboard.press('Escape');
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
  await page.locator('#stage').getByText('preview', { exact: true }).waitFor({ timeout: jobSeconds });
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
});

it('starts to learn two concepts together', async () => {
  await page.getByRole('tab', { name: 'Compose' }).click();
  await page.getByRole('checkbox', { name: 'Twirl' }).check();
  await page.getByRole('checkbox', { name: 'Fire' }).check();
  await page.getByLabel('Name', { exact: true }).fill('Fire dance');
  expect(await inspectScreen(page, 'compose')).toEqual([]);
  await page.getByRole('button', { name: 'Learn together' }).click();
  await page.getByRole('button', { name: /^Queue/ }).click();
  const dialog = page.getByRole('dialog');
  const row = dialog.locator('li', { hasText: 'Learn Fire dance' });
  await row.getByText('running').waitFor();
  await row.getByRole('button', { name: 'Cancel' }).click();
  await row.getByText('cancelled').waitFor({ timeout: jobSeconds });
  await page.keyboard.press('Escape');
  await card('Twirl').click();
  await page.getByRole('tab', { name: 'Edit' }).click();
});

it('exports in several forms and shows where they are', async () => {
  await page.locator('#export').click();
  await page.getByLabel('GIF').check();
  expect(await inspectScreen(page, 'export')).toEqual([]);
  await page.locator('#start-export').click();
  await page.getByText('Twirl edit 1.mp4').first().waitFor({ timeout: jobSeconds });
  await page.getByText('Twirl edit 1.gif').first().waitFor({ timeout: jobSeconds });
  expect(await inspectScreen(page, 'queue')).toEqual([]);
  const file = join(editor.home, 'exports', 'Twirl edit 1.mp4');
  expect(existsSync(join(editor.home, 'exports', 'Twirl edit 1.gif'))).toBe(true);
  const probed = await probe(await locateMediaTools(), file);
  expect([probed.codec, probed.frameCount]).toEqual(['h264', 17]);
  await page.keyboard.press('Escape');
});

it('takes a clip that is there already for the same, and gives a deleted one back', async () => {
  await page.getByRole('tab', { name: 'Clips' }).click();
  await drop([sample]);
  await page.getByText('is in the library already').waitFor({ timeout: jobSeconds });
  await card('steps').focus();
  await page.keyboard.press('Delete');
  await expect.poll(() => page.locator('[role=listitem]', { hasText: 'steps' }).count()).toBe(0);
  await page.locator('.notices').getByRole('button', { name: 'Undo' }).click();
  await page.locator('[role=listitem]', { hasText: 'steps' }).waitFor();
});

it('keeps settings and shows the machine, the models and the shortcuts', async () => {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.locator('#theme').selectOption('light');
  await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe('light');
  for (const tab of ['Machine', 'Models']) {
    await page.getByRole('dialog').getByRole('tab', { name: tab }).click();
    await page.waitForTimeout(300);
    expect(await inspectScreen(page, `settings-${tab.toLowerCase()}`)).toEqual([]);
  }
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

it('never made the page complain', () => {
  expect(editor.problems).toEqual([]);
});
