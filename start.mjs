// `npm start`: builds what changed and opens the editor, in Electron where there is one and a display, else in the default browser.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = import.meta.dirname;

/** The time of the last change below the given folders and files. */
function changedAt(...places) {
  return Math.max(
    0,
    ...places.flatMap((place) => {
      const path = join(root, place);
      if (!existsSync(path)) return [];
      if (!statSync(path).isDirectory()) return [statSync(path).mtimeMs];
      return readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs);
    }),
  );
}

function build(words) {
  const { status } = spawnSync(process.execPath, words, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}

if (changedAt('shared', 'main', 'build.mjs', 'package.json') > changedAt('dist/server.js')) build(['build.mjs']);
if (changedAt('shared', 'renderer', 'vite.config.ts', 'package.json') > changedAt('dist/renderer/index.html')) {
  build(['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn']);
}

const electronFolder = join(root, 'node_modules', 'electron');
const hasDisplay = process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
const words = process.argv.slice(2);

function electronProgram() {
  const pathFile = join(electronFolder, 'path.txt');
  const program = existsSync(pathFile) ? join(electronFolder, 'dist', readFileSync(pathFile, 'utf8').trim()) : '';
  return existsSync(program) ? program : null;
}

/** npm brings Electron without its program, which is fetched at its first use; where that fails it is tried again a day later. */
function findElectron() {
  const tried = join('node_modules', '.cache', 'motif', 'electron-tried');
  if (electronProgram() || !existsSync(electronFolder) || changedAt(tried) > Date.now() - 86_400_000) {
    return electronProgram();
  }
  console.log('Fetching Electron, once. Without it the editor opens in the browser.');
  const options = { stdio: ['ignore', 'ignore', 'ignore'], timeout: 300_000 };
  spawnSync(process.execPath, [join(electronFolder, 'install.js')], options);
  if (!electronProgram()) {
    mkdirSync(join(root, dirname(tried)), { recursive: true });
    writeFileSync(join(root, tried), '');
  }
  return electronProgram();
}

// What .npmrc gives scripts of npm is none of Electron's business.
if (process.env.NODE_OPTIONS?.includes('ONNXRUNTIME_NODE_INSTALL')) delete process.env.NODE_OPTIONS;
const electron = hasDisplay && words.length === 0 ? findElectron() : null;
const child = electron
  ? spawn(electron, [root], { stdio: 'inherit' })
  : spawn(process.execPath, [join(root, 'dist', 'server.js'), ...words], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
