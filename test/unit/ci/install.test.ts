import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

// A package that ships its binaries says `gypfile: false`, but npm forgets that when it writes a lock file and then compiles
// the package on every machine, which fails where there is no compiler.
test('nothing is compiled when the dependencies are installed', () => {
  const { packages } = read('package-lock.json') as { packages: Record<string, { gypfile?: boolean }> };
  const { allowScripts } = read('package.json') as { allowScripts: Record<string, boolean> };
  const native = Object.keys(packages).filter((path) => path && existsSync(`${path}/binding.gyp`));
  expect(native).toContain('node_modules/better-sqlite3');
  for (const path of native) {
    const { scripts = {} } = read(`${path}/package.json`);
    const compiles = packages[path]!.gypfile !== false && !scripts.install && !scripts.preinstall;
    expect(compiles, `"gypfile": false must be written into the lock file's entry of ${path}`).toBe(false);
    expect(allowScripts[path.replace(/^.*node_modules\//, '')], `allowScripts of ${path}`).toBe(false);
  }
});

// npm 10, which does not know `allowScripts`, runs that script with the options of .npmrc.
test('the install script of ONNX Runtime is told to fetch nothing, by a setting that npm knows', () => {
  const [, options] = /^node-options=(.+)$/m.exec(readFileSync('.npmrc', 'utf8'))!;
  const { ONNXRUNTIME_NODE_INSTALL: _, ...env } = process.env;
  const asked = (given: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, ['-p', 'process.env.ONNXRUNTIME_NODE_INSTALL'], {
      env: { ...env, ...given, NODE_OPTIONS: options },
      encoding: 'utf8',
    }).stdout.trim();
  expect(asked({})).toBe('skip');
  expect(asked({ ONNXRUNTIME_NODE_INSTALL: 'cuda12' })).toBe('cuda12');
  const script = readFileSync('node_modules/onnxruntime-node/script/install-utils.js', 'utf8');
  expect(script).toContain('process.env.ONNXRUNTIME_NODE_INSTALL ||');
  const known = spawnSync('npm', ['config', 'get', 'node-options'], { encoding: 'utf8', shell: true });
  expect(known.stdout.trim()).toBe(options);
  expect(known.stderr).not.toContain('Unknown project config');
});
