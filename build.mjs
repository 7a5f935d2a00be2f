// Bundles the command line, the editor's hosts, the engine process and the measurements of `motif bench` into dist/. TensorFlow.js' ES modules are bundled
// in, because its Node build lacks the gradients; every other dependency stays in node_modules.
import { build } from 'esbuild';

const bundleTfjs = {
  name: 'bundle-tfjs',
  setup(b) {
    b.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || /^@tensorflow\/tfjs-(core|backend-cpu)/.test(path)
        ? undefined
        : { path, external: true },
    );
  },
};

await build({
  entryPoints: {
    motif: 'main/cli/motif.ts',
    'engine-process': 'main/engine-host/engine-process.ts',
    server: 'main/server/main.ts',
    app: 'main/app/main.ts',
    'bench-measure': 'test/bench/measure.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  mainFields: ['module', 'main'],
  sourcemap: true,
  plugins: [bundleTfjs],
  logLevel: 'warning',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});

// Electron's sandboxed preload takes neither ES modules nor imports of its own.
await build({
  entryPoints: { preload: 'main/app/preload.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  external: ['electron'],
  logLevel: 'warning',
});
