import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

/** Bundles TensorFlow.js' core with its gradients, and its CPU backend against the very same core, once per version. */
export default async function bundleTfjs(): Promise<void> {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const { version } = createRequire(import.meta.url)('@tensorflow/tfjs-core/package.json') as { version: string };
  const outdir = join(root, 'node_modules/.cache/motif');
  const stamp = join(outdir, `tfjs-${version}.stamp`);
  if (existsSync(stamp)) return;
  const options = {
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  } satisfies BuildOptions;
  const banner = {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  };
  const stdin = (contents: string) => ({ contents, resolveDir: root });
  await build({
    ...options,
    banner,
    stdin: stdin(
      "import '@tensorflow/tfjs-core/dist/register_all_gradients.js'; export * from '@tensorflow/tfjs-core/dist/index.js';",
    ),
    outfile: join(outdir, 'tfjs-core.js'),
  });
  await build({
    ...options,
    banner,
    stdin: stdin("export * from '@tensorflow/tfjs-backend-cpu/dist/index.js';"),
    outfile: join(outdir, 'tfjs-backend-cpu.js'),
    plugins: [
      {
        name: 'same-core',
        setup(b) {
          b.onResolve({ filter: /^@tensorflow\/tfjs-core(\/.*)?$/ }, () => ({
            path: './tfjs-core.js',
            external: true,
          }));
        },
      },
    ],
  });
  await build({ stdin: stdin(''), outfile: `${stamp}.part`, logLevel: 'silent' });
  await rename(`${stamp}.part`, stamp);
}
