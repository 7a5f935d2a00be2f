/**
 * Measures the editor in a headless Chromium on the real server: `npm run bench -- app`. Prints one JSON line with the rows of the table.
 * The engine trains a concept meanwhile, where the row says so.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, startServer } from './browser.ts';

interface AppRow {
  what: string;
  value: number | null;
  unit: 'ms' | 'kB' | 'MB';
  atMost: number;
  note: string;
}

const patient = { timeout: 120_000 };
const root = resolve(import.meta.dirname, '../..');
const folder = await mkdtemp(join(tmpdir(), 'motif-bench-app-'));
const home = join(folder, 'library');
const browser = await launchBrowser();
const servers = new Set<ChildProcess>();
try {
  console.log(JSON.stringify(await measure(browser)));
} finally {
  await browser.close();
  for (const server of servers) server.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

async function measure(browser: Browser): Promise<AppRow[]> {
  const rows: AppRow[] = [await scriptSize()];
  let server = await start();
  let page = await open(browser, server.address);
  await page.getByText('A bonfire').first().waitFor(patient);
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page.locator('[role=listitem]', { hasText: 'Dancer' }).filter({ hasText: 'version 1' }).waitFor(patient);
  rows.push(await hostMemory(browser, server.child));
  await stop(server.child, page);

  const starts: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    server = await start();
    page = await open(browser, server.address);
    await page.locator('[role=listitem]').first().waitFor(patient);
    starts.push(performance.now() - began);
    if (round < 4) await stop(server.child, page);
  }
  rows.unshift(row('server host: start to usable editor, warm', middle(starts), 'ms', 1500, '5 starts, median'));

  rows.push(await scrubbing(page), await previews(page), await blockedFrame(page));
  await stop(server.child, page);
  return rows;
}

async function start(): Promise<Awaited<ReturnType<typeof startServer>>> {
  const server = await startServer(home);
  servers.add(server.child);
  server.child.once('exit', () => servers.delete(server.child));
  return server;
}

async function open(browser: Browser, address: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(patient.timeout);
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

async function stop(server: ChildProcess, page: Page): Promise<void> {
  await page.context().close();
  server.kill('SIGTERM');
  if (server.exitCode === null) await new Promise((done) => server.once('exit', done));
}

/** Starts learning the sample's dancer with `steps` steps for each stage, without a prior. */
async function learn(page: Page, name: string, steps: number): Promise<void> {
  await page.getByRole('tab', { name: 'Clips' }).click();
  await page.getByRole('button', { name: 'A woman dancing' }).first().click();
  await page.getByRole('tab', { name: 'Learn' }).click();
  await page.locator('#learn-name').fill(name);
  if (!(await page.getByLabel('Appearance steps').isVisible())) await page.getByText('Advanced').click();
  await page.getByLabel('Appearance steps').fill(String(steps));
  await page.getByLabel('Motion steps').fill(String(steps));
  await page.getByLabel('Prior clips').fill('0');
  await page.getByLabel('Prior preservation').uncheck();
  await page.locator('#learn').click();
  await page.getByRole('region', { name: `Learn ${name}` }).waitFor();
}

async function scriptSize(): Promise<AppRow> {
  const assets = join(root, 'dist', 'renderer', 'assets');
  let bytes = 0;
  for (const name of await readdir(assets)) {
    if (name.endsWith('.js')) bytes += gzipSync(await readFile(join(assets, name)), { level: 9 }).length;
  }
  return row("renderer's script, gzip", bytes / 1000, 'kB', 250, '');
}

/** Host and page together while no engine runs, from /proc. */
async function hostMemory(browser: Browser, server: ChildProcess): Promise<AppRow> {
  const what = 'memory of host and renderer without engine';
  if (process.platform !== 'linux') return row(what, null, 'MB', 350, 'measured on Linux only');
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const pids = [server.pid!, ...processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)];
  let kilobytes = 0;
  for (const pid of pids) {
    const [, resident] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
    kilobytes += Number(resident);
  }
  return row(what, (kilobytes * 1024) / 1e6, 'MB', 350, `resident, ${pids.length} processes`);
}

/** From a click on the timeline to the frame's picture, as the page sees it. */
async function scrubbing(page: Page): Promise<AppRow> {
  await page.getByRole('tab', { name: 'Clips' }).click();
  await page.getByRole('button', { name: 'A woman dancing' }).first().click();
  await page.locator('#stage video[data-frame]').waitFor();
  const times = await page.evaluate(async () => {
    const timeline = document.getElementById('timeline')!;
    const video = document.querySelector('#stage video')!;
    const { left, top, width, height } = timeline.getBoundingClientRect();
    const taken: number[] = [];
    for (let i = 0; i < 60; i++) {
      const part = ((i * 37) % 60) / 60 + 0.004; // far jumps, every place once
      const before = video.getAttribute('data-frame');
      const began = performance.now();
      const shown = new Promise<number>((resolve) => {
        const observer = new MutationObserver(() => {
          if (video.getAttribute('data-frame') === before) return;
          observer.disconnect();
          resolve(performance.now());
        });
        observer.observe(video, { attributes: true, attributeFilter: ['data-frame'] });
        setTimeout(() => resolve(Number.POSITIVE_INFINITY), 3000);
      });
      const at = { clientX: left + part * width, clientY: top + height / 2, bubbles: true, buttons: 1, pointerId: 1 };
      timeline.dispatchEvent(new PointerEvent('pointerdown', at));
      timeline.dispatchEvent(new PointerEvent('pointerup', { ...at, buttons: 0 }));
      taken.push((await shown) - began);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return taken;
  });
  return row('scrub to picture (proxy), p95', nearTop(times), 'ms', 50, '60 jumps');
}

/** From a key on a slider to the preview's pictures having arrived. */
async function previews(page: Page): Promise<AppRow> {
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page.getByRole('button', { name: 'Dancer' }).first().click();
  await page.getByRole('tab', { name: 'Edit' }).click();
  const times: number[] = [];
  for (let i = 0; i < 12; i++) {
    await page.getByLabel(i % 2 ? 'Identity' : 'Motion', { exact: true }).focus();
    const arrived = page.waitForResponse((response) => response.url().includes('preview'));
    const began = performance.now();
    await page.keyboard.press('ArrowLeft'); // never back: what was seen before is there at once
    await (await arrived).finished();
    times.push(performance.now() - began);
  }
  // The first one opens the model and compiles.
  return row(
    'slider to preview, p95',
    nearTop(times.slice(1)),
    'ms',
    1500,
    `11 moves; the first took ${Math.round(times[0]!)} ms`,
  );
}

async function blockedFrame(page: Page): Promise<AppRow> {
  await learn(page, 'Trained', 2000);
  await page.getByRole('region', { name: 'Learn Trained' }).getByRole('button', { name: 'Stop and keep' }).waitFor();
  const longest = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let [last, longest, frames] = [performance.now(), 0, 0];
        const tick = (now: number) => {
          longest = Math.max(longest, now - last);
          last = now;
          if (++frames < 600) requestAnimationFrame(tick);
          else resolve(longest);
        };
        requestAnimationFrame(tick);
      }),
  );
  await page.getByRole('region', { name: 'Learn Trained' }).getByRole('button', { name: 'Stop', exact: true }).click();
  return row('longest blocked frame while the engine trains', longest, 'ms', 50, '600 frames');
}

function row(what: string, value: number | null, unit: AppRow['unit'], atMost: number, note: string): AppRow {
  return { what, value, unit, atMost, note };
}

function middle(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function nearTop(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1]!;
}
