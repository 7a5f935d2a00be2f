import { join, resolve } from 'node:path';
import { openEditor } from './browser.ts';

/** Takes the README's picture of the editor, docs/editor.png, with the sample that everybody starts with and looks of it. */
const file = resolve(import.meta.dirname, '../../docs/editor.png');
const patient = { timeout: 300_000 };

const editor = await openEditor();
try {
  const { page } = editor;
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole('button', { name: 'A wet hawk' }).first().click(patient);
  await page.getByRole('tab', { name: 'Looks' }).click();
  const tiles = page.locator('#looks .tile[data-ready="true"]');
  await tiles.nth(4).waitFor(patient);
  for (const [index, name] of ['Night', 'Snow'].entries()) {
    await tiles.nth(index + 1).click();
    await page.locator('#stage canvas[aria-label="Not kept yet"]').waitFor(patient);
    await page.locator('#keep').click();
    await page.getByRole('region', { name: 'Results' }).getByRole('button', { name, exact: true }).waitFor(patient);
  }
  await tiles.first().click();
  await page.locator('#stage canvas[aria-label="Not kept yet"]').waitFor(patient);
  await page.locator('#timeline').focus();
  await page.keyboard.press('2');
  for (let frame = 0; frame < 8; frame++) await page.keyboard.press('ArrowRight');
  await page.waitForTimeout(3000);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: file });
  console.log(join('docs', 'editor.png'));
} finally {
  await editor.close();
}
