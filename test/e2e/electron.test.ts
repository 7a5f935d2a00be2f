import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { _electron } from 'playwright-core';
import { expect, it } from 'vitest';

/** The desktop program itself, where npm could fetch Electron's binary and there is a display. */
const root = resolve(import.meta.dirname, '../..');
const program = findElectron();
if (program === null) console.log('The Electron test is skipped: there is no Electron binary, or no display.');

function findElectron(): string | null {
  const folder = join(root, 'node_modules', 'electron');
  const pathFile = join(folder, 'path.txt');
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return null;
  if (!existsSync(pathFile)) return null;
  const file = join(folder, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(file) ? file : null;
}

it.skipIf(program === null)('starts in Electron, imports, edits and quits', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'motif-electron-'));
  const app = await _electron.launch({
    executablePath: program!,
    args: [root],
    env: { ...process.env, MOTIF_HOME: join(folder, 'library') },
  });
  try {
    const page = await app.firstWindow();
    page.setDefaultTimeout(120_000);
    // In the page of a sandboxed window there is neither Node nor anything of Electron but the bridge.
    expect(await page.evaluate(() => [typeof require, typeof process])).toEqual(['undefined', 'undefined']);
    await page.locator('#file-picker').setInputFiles(join(root, 'resources/samples/dancer.mp4'));
    await page.getByText('A bonfire').first().waitFor();
    await page.getByRole('tab', { name: 'Concepts' }).click();
    await page.getByRole('button', { name: 'Dancer' }).first().click();
    await page.getByRole('button', { name: 'Light' }).click();
    await page.getByRole('menuitem', { name: 'at sunset' }).click();
    await page.locator('#stage').getByText('preview', { exact: true }).waitFor();
  } finally {
    await app.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});
