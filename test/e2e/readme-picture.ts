import { join, resolve } from 'node:path';
import { openEditor } from './browser.ts';

/** Takes the README's picture of the editor, docs/editor.png, with the sample and the settings that everybody starts with. */
const file = resolve(import.meta.dirname, '../../docs/editor.png');
const patient = { timeout: 300_000 };

const editor = await openEditor();
try {
  const { page } = editor;
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page.getByRole('button', { name: 'Dancer' }).first().click(patient);
  for (const [group, phrase] of [
    ['Light', 'at sunset'],
    ['Background', 'on a beach'],
    ['Style', 'a watercolour painting of'],
  ] as const) {
    await page
      .getByRole('button', { name: 'As learned' })
      .click({ timeout: 2000 })
      .catch(() => {});
    await page.getByRole('button', { name: group }).click();
    await page.getByRole('menuitem', { name: phrase }).click();
    const results = page.getByRole('region', { name: 'Results' }).getByRole('button', { name: /^Edit \d+$/ });
    const before = await results.count();
    await page.locator('#render').click();
    await results.nth(before).waitFor(patient);
  }
  await page.locator('#timeline').focus();
  await page.keyboard.press('3');
  await page.getByRole('button', { name: 'Edit 2', exact: true }).click();
  for (let frame = 0; frame < 8; frame++) await page.keyboard.press('ArrowRight');
  // The pictures of the directions' ends come when nothing else is to be done.
  await page.getByLabel('more', { exact: true }).nth(3).waitFor(patient);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: file });
  console.log(join('docs', 'editor.png'));
} finally {
  await editor.close();
}
