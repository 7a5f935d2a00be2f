// Bundles the command line, the engine process and the measurements of `motif bench` into dist/. TensorFlow.js' ES modules are bundled
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
