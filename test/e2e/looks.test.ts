import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { locateMediaTools } from '../../main/media/locate.ts';
import { probe } from '../../main/media/probe.ts';
import { run } from '../../main/media/run.ts';
import { drop, inspectScreen, openEditor } from './browser.ts';

let editor: Awaited<ReturnType<typeof openEditor>>;
let page: Page;
let folder: string;

/** Long enough for a machine that has other work; nothing here is a measurement. */
const patient = { timeout: 400_000 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-looks-'));
  editor = await openEditor();
  page = editor.page;
});

afterAll(async () => {
  await editor?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A sample, larger, at another rate, and with a tone: 25 frames, of which the model takes 5 at its rate, for so many looks are made. */
async function makeClip(sample: string, name: string): Promise<string> {
  const { ffmpeg } = await locateMediaTools();
  const file = join(folder, `${name}.mp4`);
  const source = resolve(import.meta.dirname, `../../resources/samples/${sample}.mp4`);
  const { exitCode, errorTail } = await run(ffmpeg.path, [
    ...['-v', 'error', '-i', source, '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
    ...['-vf', 'crop=iw:iw*9/16,scale=640:360', '-r', '25', '-t', '1', '-pix_fmt', 'yuv420p', file],
  ]);
  if (exitCode !== 0) throw new Error(errorTail.join('\n'));
  return file;
}

const tiles = () => page.locator('#looks .tile[data-ready="true"]');
const onStage = (name: string) => page.locator(`#stage canvas[aria-label="${name}"]`);
const results = () => page.getByRole('region', { name: 'Results' });

/** The mean red, green and blue of what a canvas shows. */
function meanColour(name: string): Promise<number[]> {
  return onStage(name).evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height);
    const sums = [0, 0, 0];
    for (let at = 0; at < data.length; at++) if (at % 4 < 3) sums[at % 4]! += data[at]!;
    return [...sums.map((sum) => sum / (width * height)), width, height];
  });
}

it('fills the tiles of a clip that is dropped, one after the other, and plays the one that has the focus', async () => {
  await page.getByText('A bonfire').first().waitFor(patient);
  await drop(page, [await makeClip('dancer', 'walk')]);
  await page.locator('[aria-current="true"]', { hasText: 'walk' }).waitFor(patient);
  await tiles().nth(4).waitFor(patient);
  const names = await page.locator('#looks .tile .name').allTextContents();
  expect(names.slice(0, 5)).toEqual(['Sunset', 'Night', 'Snow', 'Fog', 'Neon']);
  const picture = () =>
    tiles()
      .first()
      .locator('canvas')
      .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  const still = await picture();
  await tiles().first().focus();
  await expect.poll(picture).not.toBe(still);
  await page.keyboard.press('ArrowRight');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Night');
  expect(await inspectScreen(page, 'looks')).toEqual([]);
  // Of all the others, those are made that come into sight: of a group, or of what is searched for.
  const rows = page.locator('#looks .tile .name');
  await page.getByRole('group', { name: 'Look categories' }).getByRole('button', { name: 'Film' }).click();
  await expect.poll(() => rows.allTextContents()).toContain('Sepia');
  expect(await rows.allTextContents()).not.toContain('Night');
  await page.getByLabel('Search looks').fill('black white');
  await expect.poll(() => rows.allTextContents()).toEqual(['Black and white']);
  await tiles().first().waitFor(patient);
  await page.getByLabel('Search looks').fill('nothing of the kind');
  await page.getByText('No matching looks.').waitFor();
  await page.getByLabel('Search looks').fill('');
  await page.getByRole('group', { name: 'Look categories' }).getByRole('button', { name: 'All' }).click();
});

it('shows a look on the stage finished, at the source size and rate, beside the source', async () => {
  await tiles().nth(1).click();
  await onStage('Not kept yet').waitFor(patient);
  const [redBefore, greenBefore, blueBefore, width, height] = await meanColour('Source');
  const [red, green, blue, ...size] = await meanColour('Not kept yet');
  expect([width, height]).toEqual([640, 360]);
  expect(size).toEqual([640, 360]);
  // It is night now: darker, and bluer than red.
  expect(red! + green! + blue!).toBeLessThan(0.9 * (redBefore! + greenBefore! + blueBefore!));
  expect(blue).toBeGreaterThan(red!);
  expect(await page.locator('#frame-number').textContent()).toMatch(/^frame 1 of 1[56]$/);
  await page.getByRole('checkbox', { name: 'Show full length' }).check();
  await expect.poll(() => page.locator('#frame-number').textContent()).toBe('frame 1 of 25');
  await page.keyboard.press('End');
  await expect.poll(() => page.locator('#frame-number').textContent()).toBe('frame 25 of 25');
  // Beyond what the model saw it is as much night.
  await expect
    .poll(async () => (await meanColour('Not kept yet'))[2]! - (await meanColour('Not kept yet'))[0]!, patient)
    .toBeGreaterThan(5);
  await page.getByRole('checkbox', { name: 'Show full length' }).uncheck();
  await page.getByRole('button', { name: 'Model', exact: true }).click();
  await expect.poll(async () => (await meanColour('Not kept yet')).slice(3)).toEqual([176, 96]);
  expect(await page.locator('#frame-number').textContent()).toBe('frame 1 of 5');
  await page.keyboard.press('m');
  await expect.poll(async () => (await meanColour('Not kept yet')).slice(3)).toEqual([640, 360]);
  expect(await inspectScreen(page, 'look on stage')).toEqual([]);
});

it('paints where the clip stays its own, shows the mask, and takes a stroke back', async () => {
  /** Mean colour of a spot, as shares of width and height, of a picture on the stage. */
  const spot = (name: string, x: number, y: number) =>
    onStage(name).evaluate(
      (canvas: HTMLCanvasElement, [x, y]) => {
        const { width, height } = canvas;
        const { data } = canvas.getContext('2d')!.getImageData(x! * width - 4, y! * height - 4, 8, 8);
        return [0, 1, 2].map((channel) => data.filter((_, at) => at % 4 === channel).reduce((a, b) => a + b, 0) / 64);
      },
      [x, y] as const,
    );
  const source = await spot('Source', 0.3, 0.5);
  const free = await spot('Not kept yet', 0.3, 0.5);
  expect(free).not.toEqual(source);
  await page.getByRole('button', { name: 'Paint keep' }).click();
  const { x, y, width, height } = (await page.locator('#brush').boundingBox())!;
  await page.mouse.move(x + 0.3 * width, y + 0.4 * height);
  await page.mouse.down();
  await page.mouse.move(x + 0.3 * width, y + 0.6 * height, { steps: 4 });
  await page.mouse.up();
  // Red over what stays.
  await expect.poll(async () => (await spot('Not kept yet', 0.3, 0.5))[0]!, patient).toBeGreaterThan(free[0]! + 40);
  await page.getByRole('button', { name: 'Paint keep' }).click();
  await expect.poll(() => spot('Not kept yet', 0.3, 0.5), patient).toEqual(source);
  await page.getByRole('button', { name: 'Show mask' }).click();
  await expect.poll(async () => (await spot('Not kept yet', 0.3, 0.5))[0]!, patient).toBeGreaterThan(source[0]! + 20);
  expect(await inspectScreen(page, 'mask')).toEqual([]);
  await page.getByRole('button', { name: 'Show mask' }).click();
  await page.keyboard.press('Control+z');
  await expect.poll(() => spot('Not kept yet', 0.3, 0.5), patient).toEqual(free);
});

it('follows the strength, takes it back, and keeps detail without computing anything', async () => {
  const strong = await meanColour('Not kept yet');
  await page.getByRole('slider', { name: 'Strength' }).focus();
  for (let step = 0; step < 3; step++) await page.keyboard.press('Shift+ArrowLeft');
  const redNow = async () =>
    (await onStage('Not kept yet').count()) === 0 ? -1 : (await meanColour('Not kept yet'))[0]!;
  await expect.poll(redNow, patient).toBeGreaterThan(strong[0]! + 3);
  await page.getByRole('checkbox', { name: /^Lock the rest/ }).check();
  await onStage('Not kept yet').waitFor(patient);
  const lock = page.getByRole('checkbox', { name: /^Lock the rest/ });
  await lock.focus();
  await page.keyboard.press(' ');
  await expect.poll(() => lock.isChecked()).toBe(false);
  const strength = page.getByRole('spinbutton', { name: 'Strength, value' });
  await strength.fill('9');
  await strength.press('Enter');
  expect(await strength.inputValue()).toBe('1');
  await page.getByRole('slider', { name: 'Strength' }).focus();
  for (let step = 0; step < 6; step++) await page.keyboard.press('Control+z');
  await expect.poll(async () => Math.abs((await redNow()) - strong[0]!), patient).toBeLessThan(1);
});

it('makes variants, of which one is chosen and kept, and comes back when it is chosen again', async () => {
  await page.getByRole('button', { name: 'Make variants' }).click();
  await page.locator('#variants .tile[data-ready="true"]').nth(5).waitFor(patient);
  await page.locator('#variants .tile').nth(1).click();
  await onStage('Not kept yet').waitFor(patient);
  await page.locator('#keep').click();
  await results().getByRole('button', { name: 'Night', exact: true }).waitFor(patient);
  await onStage('Night').waitFor(patient);
  await page.getByRole('button', { name: 'Clip only' }).click();
  await page.locator('#stage video').waitFor(patient);
  await results().getByRole('button', { name: 'Night', exact: true }).click();
  await onStage('Night').waitFor(patient);
});

it('names words that the model was never taught, and takes a known one instead', async () => {
  await page.locator('#look-words').fill('a photograph at nihgt, the camera is still');
  const unknown = page.locator('#unknown-words');
  await unknown.waitFor();
  expect(await unknown.textContent()).toContain('nihgt');
  await unknown.getByRole('button').click();
  await unknown.waitFor({ state: 'detached' });
  expect(await page.locator('#look-words').inputValue()).toBe('a photograph at night, the camera is still');
  await page.locator('#look-words').fill('a photograph at sunset in fog, the camera is still');
  await onStage('Not kept yet').waitFor(patient);
});

it('saves words as a look of its own, which gets a tile of every clip, and goes out and in as a file', async () => {
  await page.getByRole('button', { name: 'Save as a look' }).click();
  await page.locator('#look-name').fill('Misty dusk');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('group', { name: 'Look categories' }).getByRole('button', { name: 'Custom' }).click();
  await expect.poll(() => page.locator('#looks .tile .name').allTextContents()).toEqual(['Misty dusk']);
  await tiles().first().waitFor(patient);
  await page.getByRole('button', { name: 'More for Misty dusk' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'Save as a file' }).click(),
  ]);
  const file = join(folder, 'misty.json');
  await download.saveAs(file);
  const look = JSON.parse(await readFile(file, 'utf8'));
  expect(look).toMatchObject({ format: 'motif-look', to: '{seen} at sunset in fog, the camera is still' });
  await page.getByRole('button', { name: 'More for Misty dusk' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  // Without one of one's own, all are listed again.
  await expect.poll(() => page.locator('#looks .tile').count()).toBeGreaterThan(20);
  await page.locator('#look-files').setInputFiles(file);
  await expect.poll(() => page.locator('#looks .tile .name').allTextContents()).toContain('Misty dusk');
});

it('applies a look to two other clips, and exports one at the size of its source', async () => {
  await drop(page, [await makeClip('bonfire', 'campfire')]);
  await page.locator('[aria-current="true"]', { hasText: 'campfire' }).waitFor(patient);
  await page.getByRole('button', { name: 'walk' }).first().click();
  await results().getByRole('button', { name: 'Night', exact: true }).click();
  await onStage('Night').waitFor(patient);
  await page.getByRole('button', { name: 'Apply to…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('checkbox', { name: 'campfire' }).check();
  await dialog.getByRole('checkbox', { name: 'A woman dancing' }).check();
  expect(await inspectScreen(page, 'apply')).toEqual([]);
  await dialog.getByRole('button', { name: 'Apply', exact: true }).click();
  for (const name of ['campfire', 'A woman dancing']) {
    await page.getByRole('button', { name }).first().click();
    await results().locator('.picture[aria-pressed]').first().waitFor(patient);
  }
  await page.getByRole('button', { name: 'walk' }).first().click();
  await results().getByRole('button', { name: 'Night', exact: true }).click();
  await page.getByRole('checkbox', { name: 'Show full length' }).check();
  await page.locator('#export').click();
  expect(await page.getByRole('checkbox', { name: /^Full length/ }).isChecked()).toBe(true);
  await page.getByText("Include the clip's audio").click();
  await page.getByRole('textbox', { name: 'Folder' }).fill(folder);
  await page.getByText(/^1 file, about .*, at most .* free$/).waitFor(patient);
  await page.locator('#start-export').click();
  await page
    .getByText(/^Exported .*walk Night\.mp4/)
    .first()
    .waitFor(patient);
  const tools = await locateMediaTools();
  const exported = await probe(tools, join(folder, 'walk Night.mp4'));
  expect([exported.width, exported.height]).toEqual([640, 360]);
  expect(exported.rate).toEqual({ numerator: 25, denominator: 1 });
  expect(exported.frameCount).toBe(25);
  expect(exported.audio.length).toBe(1);
  expect(editor.problems).toEqual([]);
});

it('applies a look to another range of the same file', async () => {
  await page.keyboard.press('Escape');
  const cards = () =>
    page.getByRole('complementary', { name: 'Library' }).getByRole('listitem').filter({ hasText: 'walk' });
  expect(await cards().count()).toBe(1);
  await page.getByRole('button', { name: 'Apply to…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('#apply-from').fill('99');
  expect(await dialog.getByRole('button', { name: 'Apply', exact: true }).isDisabled()).toBe(true);
  await dialog.locator('#apply-from').fill('0.3');
  await dialog.getByRole('button', { name: 'Apply', exact: true }).click();
  await dialog.waitFor({ state: 'detached', ...patient });
  await expect.poll(() => cards().count(), patient).toBe(2);
  await cards().first().getByRole('button').first().click();
  await results().getByRole('button', { name: 'Night', exact: true }).waitFor(patient);
  expect(editor.problems).toEqual([]);
});
