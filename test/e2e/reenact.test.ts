import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inspectScreen, openEditor } from './browser.ts';

let editor: Awaited<ReturnType<typeof openEditor>>;
let page: Page;

/** Can be taken away while the editor runs. */
const network = join(mkdtempSync(join(tmpdir(), 'motif-network-')), 'twin');

/** Long enough for a machine that has other work. */
const patient = { timeout: 400_000 };

beforeAll(async () => {
  // A random network of six frames a chunk: what it draws is noise, of which both latents make their share.
  symlinkSync(resolve(import.meta.dirname, '../golden/vidtwin/full'), network, 'dir');
  process.env.MOTIF_TWIN = network;
  editor = await openEditor();
  page = editor.page;
});
afterAll(async () => {
  delete process.env.MOTIF_TWIN;
  await editor?.close();
  rmSync(resolve(network, '..'), { recursive: true });
});

const section = () => page.getByRole('region', { name: 'Reenact' });
const pixels = () =>
  page.getByLabel('The reenacted clip').evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height);
    return `${width}x${height} ${data.reduce((hash, value) => Math.imul(hash ^ value, 16777619), 7)}`;
  });
/** Waits for another picture than the one before, and answers it. */
async function another(before: string): Promise<string> {
  await expect.poll(pixels, patient).not.toBe(before);
  return pixels();
}

it('puts the structure of one clip and the dynamics of another together, in four views', async () => {
  await page.getByText('A bonfire').first().waitFor(patient);
  await page.getByRole('tab', { name: 'Compose' }).click();
  const clips = section().locator('#reenact-structure option');
  await expect.poll(() => clips.count(), patient).toBeGreaterThan(2); // two samples are there
  await section().getByLabel('Structure from').selectOption({ index: 1 });
  await section().getByLabel('Dynamics from').selectOption({ index: 2 });
  await expect.poll(pixels, patient).not.toMatch(/^300x150/); // which a canvas has until something is drawn
  await page.getByLabel('The reenacted clip').waitFor(patient);
  await expect.poll(() => section().getByText('Rendering').count(), patient).toBe(0);
  const both = await pixels();
  await page.getByRole('radio', { name: 'Structure' }).check();
  const structure = await another(both);
  await page.getByRole('radio', { name: 'Dynamics' }).check();
  const dynamics = await another(structure);
  await page.getByRole('radio', { name: 'Source' }).check();
  const source = await another(dynamics);
  await page.getByRole('radio', { name: 'Both' }).check();
  expect(await another(source)).toBe(both);
  expect(await inspectScreen(page, 'reenact')).toEqual([]);
});

it('follows the sliders, scrubs, and wipes the source over the picture', async () => {
  const before = await pixels();
  await section()
    .getByRole('spinbutton', { name: /Dynamics/ })
    .fill('0.2');
  await section()
    .getByRole('spinbutton', { name: /Dynamics/ })
    .press('Enter');
  const weaker = await another(before);
  await section().getByLabel('Frame').fill('3');
  const later = await another(weaker);
  await section().getByLabel('Wipe to the source').fill('0.5');
  const wiped = await another(later);
  await section().getByLabel('Wipe to the source').fill('0');
  expect(await another(wiped)).toBe(later);
});

it('exports what is seen', async () => {
  await section().getByRole('button', { name: 'Export' }).click();
  const told = section().getByText(/^Saved as /);
  await told.waitFor(patient);
  const file = (await told.textContent())!.replace('Saved as ', '');
  expect(existsSync(file)).toBe(true);
  expect(editor.problems).toEqual([]);
});

it('shows in the player what comes back of a clip from both latents and from each, under the clock of its source', async () => {
  const show = page.getByLabel('Show', { exact: true });
  const seen = (name: string) =>
    page
      .locator('#stage')
      .getByLabel(name, { exact: true })
      .evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        return data.reduce((hash, value) => Math.imul(hash ^ value, 16777619), 7);
      });
  const views = new Set<number>();
  for (const [value, name] of [
    ['both', 'Both'],
    ['structure', 'Structure'],
    ['dynamics', 'Dynamics'],
  ] as const) {
    await show.selectOption(value);
    await page
      .locator('#stage')
      .getByText('Rendering')
      .waitFor({ state: 'detached', ...patient });
    await expect.poll(() => seen(name), patient).not.toBe(7);
    views.add(await seen(name));
  }
  expect(views.size).toBe(3);
  const number = page.locator('#frame-number');
  const first = await seen('Dynamics');
  const told = await number.textContent();
  for (let step = 0; step < 12; step++) await page.getByRole('button', { name: 'Next frame' }).click();
  expect(await number.textContent()).toBe(told!.replace('frame 1 ', 'frame 13 '));
  await expect.poll(() => seen('Dynamics'), patient).not.toBe(first);
  expect(await inspectScreen(page, 'clip view')).toEqual([]);
  await show.selectOption('source');
  await page.locator('#stage video').waitFor(patient);
});

it('says so where no network is there', async () => {
  rmSync(network);
  await page.reload();
  await page.getByText('A bonfire').first().waitFor(patient);
  await page.getByLabel('Show', { exact: true }).selectOption('structure');
  await page.locator('#stage').getByText('This needs a twin autoencoder, and none is installed.').waitFor(patient);
});
