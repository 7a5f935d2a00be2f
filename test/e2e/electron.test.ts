import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { _electron } from 'playwright-core';
import { expect, it } from 'vitest';
import { locateMediaTools } from '../../main/media/locate.ts';
import { run } from '../../main/media/run.ts';

/** The desktop program itself, where Electron's binary could be had (`npx install-electron`) and there is a display. */
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
  // Chromium refuses to run as root with its sandbox, as in a container.
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  const app = await _electron.launch({
    executablePath: program!,
    args: [root, ...(isRoot ? ['--no-sandbox'] : [])],
    // The program keeps what Electron writes in there too.
    env: { ...process.env, MOTIF_HOME: join(folder, 'library') },
    timeout: 120_000,
  });
  const running = app.process();
  try {
    const page = await app.firstWindow();
    page.setDefaultTimeout(300_000);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    // In the page of a sandboxed window there is neither Node nor anything of Electron but the bridge.
    expect(await page.evaluate(() => [typeof require, typeof process])).toEqual(['undefined', 'undefined']);
    expect(await app.evaluate(({ app }) => app.getPath('userData'))).toBe(join(folder, 'library', 'electron'));

    // The first start: the bundled samples. Then a clip of one's own.
    await page.getByText('A bonfire').first().waitFor();
    const clip = join(folder, 'own clip.mp4');
    await makeOther(join(root, 'resources/samples/bonfire.mp4'), clip);
    await page.locator('#file-picker').setInputFiles(clip);
    await page.getByRole('button', { name: 'own clip' }).first().waitFor();
    await page.getByRole('button', { name: 'own clip' }).first().click();
    await page.locator('#stage video[data-frame]').waitFor();

    await page.getByRole('tab', { name: 'Concepts' }).click();
    await page.getByRole('button', { name: 'Dancer' }).first().click();
    await page.getByRole('tab', { name: 'Edit' }).click();
    await page.getByRole('button', { name: 'Light' }).click();
    await page.getByRole('menuitem', { name: 'at sunset' }).click();
    await page
      .locator('#stage')
      .getByText(/^(Preview|Not kept yet)$/)
      .waitFor();
    expect(problems).toEqual([]);
  } finally {
    await app.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  expect(running.exitCode).toBe(0);
});

/** The first second of a clip: another file to the library. */
async function makeOther(clip: string, file: string): Promise<void> {
  const { ffmpeg } = await locateMediaTools();
  const { exitCode, errorTail } = await run(ffmpeg.path, ['-v', 'error', '-i', clip, '-t', '1', file]);
  if (exitCode !== 0) throw new Error(errorTail.join('\n'));
}
