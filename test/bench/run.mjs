// Bundles one benchmark of this folder and runs it: node test/bench/run.mjs lora-step [arguments]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [name, ...rest] = process.argv.slice(2);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(root, 'node_modules/.cache/motif-bench-'));
try {
  await build({
    entryPoints: [join(root, `test/bench/${name}.ts`)],
    outfile: join(folder, 'bench.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    plugins: [
      {
        name: 'bundle-tfjs',
        setup(b) {
          b.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === 'entry-point' || /^@tensorflow\/tfjs-(core|backend-cpu)/.test(path)
              ? undefined
              : { path, external: true },
          );
        },
      },
    ],
    banner: { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" },
    logLevel: 'warning',
  });
  const { status } = spawnSync(process.execPath, ['--expose-gc', join(folder, 'bench.mjs'), ...rest], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
