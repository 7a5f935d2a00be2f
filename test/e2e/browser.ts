import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import bundledChromium from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

const systemBrowsers = [
  process.env.CHROMIUM_BIN ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** A Chromium of this machine, otherwise the one that comes through npm. */
export async function launchBrowser(): Promise<Browser> {
  const system = systemBrowsers.find((file) => file !== '' && existsSync(file));
  if (system) return chromium.launch({ executablePath: system });
  return chromium.launch({ executablePath: await bundledChromium.executablePath(), args: bundledChromium.args });
}

export async function makeFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'motif-editor-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
}
