import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inspectScreen, openEditor } from './browser.ts';

let editor: Awaited<ReturnType<typeof openEditor>>;
let page: Page;

/** Long enough for a machine that has other work. */
const patient = { timeout: 400_000 };

beforeAll(async () => {
  // A random network of six frames a chunk: what it draws is noise, of which both latents make their share.
  process.env.MOTIF_TWIN = resolve(import.meta.dirname, '../golden/vidtwin/full');
  editor = await openEditor();
  page = editor.page;
});
afterAll(async () => {
  delete process.env.MOTIF_TWIN;
  await editor?.close();
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
  await section().getByLabel('What is there').selectOption({ index: 1 });
  await section().getByLabel('Fine, fast motion').selectOption({ index: 2 });
  await expect.poll(pixels, patient).not.toMatch(/^300x150/); // which a canvas has until something is drawn
  await page.getByLabel('The reenacted clip').waitFor(patient);
  await expect.poll(() => section().getByText('Taking apart').count(), patient).toBe(0);
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
  await section().getByLabel('Wipe from the source').fill('0.5');
  const wiped = await another(later);
  await section().getByLabel('Wipe from the source').fill('0');
  expect(await another(wiped)).toBe(later);
});

it('exports what is seen', async () => {
  await section().getByRole('button', { name: 'Export' }).click();
  const told = section().getByText(/^Written to /);
  await told.waitFor(patient);
  const file = (await told.textContent())!.replace('Written to ', '');
  expect(existsSync(file)).toBe(true);
  expect(editor.problems).toEqual([]);
});
