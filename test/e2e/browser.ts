import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import bundledChromium from '@sparticuz/chromium';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

const root = resolve(import.meta.dirname, '../..');

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
  // With the page in the browser's own process, closing one window would end them all. Its graphics processor is one in software, which draws
  // what changes in many times as long as the browser's own drawing does.
  const graphics = /^--(use-gl|use-angle|enable-unsafe-swiftshader|ignore-gpu-blocklist|in-process-gpu)/;
  const args = bundledChromium.args.filter((word) => word !== '--single-process' && !graphics.test(word));
  return chromium.launch({ executablePath: await bundledChromium.executablePath(), args: [...args, '--disable-gpu'] });
}

/** The built server with a library of its own (filled before it starts), and a browser on it. */
export async function openEditor(fill?: (home: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'motif-editor-'));
  const home = join(folder, 'library');
  fill?.(home);
  const browser = await launchBrowser();
  const { child, address, errors } = await startServer(home);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const problems: string[] = [];
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(address);

  return {
    folder,
    home,
    address,
    server: child,
    /** What the server wrote to its standard error. */
    errors,
    page,
    context,
    /** What the page complained of, scripts refused by its policy included. */
    problems,
    async close() {
      await browser.close();
      child.kill('SIGTERM');
      await new Promise((done) => (isOver(child) ? done(null) : child.once('exit', done)));
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Starts the built server on a library; answers the address that it prints. */
export async function startServer(home: string): Promise<{ child: ChildProcess; address: string; errors: string[] }> {
  const program = join(root, 'dist', 'server.js');
  if (!existsSync(program) || !existsSync(join(root, 'dist', 'renderer', 'index.html'))) {
    throw new Error('The editor is not built: npm run build');
  }
  const child = spawn(process.execPath, [program, '--no-open', '--home', home], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line);
    console.error(line);
  });
  const address = await new Promise<string>((found, failed) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [address] = /http:\S+/.exec(line) ?? [];
      if (address) found(address);
    });
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}`)));
  });
  return { child, address, errors };
}

const takesPictures = process.env.MOTIF_SCREENS !== undefined;

const sizes = [
  { width: 1024, height: 640 },
  { width: 1440, height: 900 },
  { width: 2560, height: 1440 },
];

/** Lets the browser itself drop files or folders of the disk on the page, as its window's system would. */
export async function dropFromDisk(page: Page, paths: string[]): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await protocol.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data });
  await protocol.detach();
}

/** As a person drops them: the page gets a drop event that carries the files. */
export async function drop(page: Page, files: string[]): Promise<void> {
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

/**
 * Answers which of the sizes the page does not fit, and what axe finds wrong in either theme. Themes differ in colours alone, so the
 * other one is asked for its contrast. With MOTIF_SCREENS it also writes out/screens/NAME-THEME-WIDTH.png, which takes many times as long.
 */
export async function inspectScreen(page: Page, name: string): Promise<string[]> {
  const found: string[] = [];
  const before = await page.evaluate(() => document.documentElement.dataset.theme ?? 'dark');
  for (const theme of ['dark', 'light']) {
    await showTheme(page, theme);
    for (const size of theme === 'dark' || takesPictures ? sizes : []) {
      await page.setViewportSize(size);
      await page.waitForTimeout(60);
      await takePicture(page, `${name}-${theme}-${size.width}`);
      const overflow = await page.evaluate(
        () =>
          document.documentElement.scrollWidth > window.innerWidth ||
          document.documentElement.scrollHeight > window.innerHeight,
      );
      if (overflow) found.push(`${name} does not fit ${size.width}x${size.height}`);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.waitForTimeout(60);
    found.push(...(await axeViolations(page, `${name}, ${theme}`, theme === 'dark' ? null : ['color-contrast'])));
  }
  await showTheme(page, before);
  return found;
}

/** Until colours have changed over, however slow the machine. */
async function showTheme(page: Page, theme: string): Promise<void> {
  await page.evaluate(async (theme) => {
    document.documentElement.dataset.theme = theme;
    const changes = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    await Promise.allSettled(changes.map(({ finished }) => finished));
  }, theme);
}

/** Writes out/screens/NAME.png, where pictures are asked for. */
export async function takePicture(page: Page, name: string): Promise<void> {
  if (!takesPictures) return;
  const folder = join(root, 'out', 'screens');
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** By all of axe's rules, or those that are named. */
async function axeViolations(page: Page, where: string, rules: string[] | null): Promise<string[]> {
  // Put in by the debugger's way, because the page's policy allows no script of others; once, it stays until the page is loaded again.
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(`${axe.source}; undefined`);
  const options = JSON.stringify({ resultTypes: ['violations'], ...(rules ? { runOnly: rules } : {}) });
  const violations = (await page.evaluate(
    `axe.run(document, ${options}).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html.slice(0, 160) + ' ' + failureSummary)))`,
  )) as string[];
  return violations.map((violation) => `${where}: ${violation}`);
}
