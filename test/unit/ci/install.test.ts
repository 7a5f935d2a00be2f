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
