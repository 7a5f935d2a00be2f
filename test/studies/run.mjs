// Bundles and runs one study: node test/studies/run.mjs test/studies/NAME.ts [arguments]. TensorFlow.js is bundled as in build.mjs.
import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [study, ...rest] = process.argv.slice(2);
if (!study) throw new Error('usage: node test/studies/run.mjs test/studies/NAME.ts [arguments]');
const root = fileURLToPath(new URL('../..', import.meta.url));
const outfile = join(root, 'node_modules/.cache/motif/studies', `${basename(study, '.ts')}.mjs`);
await build({
  entryPoints: [study],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  mainFields: ['module', 'main'],
  logLevel: 'warning',
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
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
process.exitCode = spawnSync(process.execPath, [outfile, ...rest], { stdio: 'inherit', cwd: root }).status ?? 1;
