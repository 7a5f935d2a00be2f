import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** One file each, made by test/bundle-tfjs.ts: TensorFlow.js' ES modules carry the gradients that its Node build lacks. */
const bundled = (name: string) => fileURLToPath(new URL(`./node_modules/.cache/motif/${name}.js`, import.meta.url));

/** Of hangs, not of slowness: a busy machine is late, and the seconds that are usual are not enough there. */
const patient = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000 } } };

const shared = {
  resolve: {
    alias: [
      { find: '@tensorflow/tfjs-core/dist/register_all_gradients.js', replacement: bundled('tfjs-core') },
      { find: /^@tensorflow\/tfjs-core(\/dist\/index(\.js)?)?$/, replacement: bundled('tfjs-core') },
      { find: /^@tensorflow\/tfjs-backend-cpu(\/dist\/index\.js)?$/, replacement: bundled('tfjs-backend-cpu') },
    ],
  },
};

/** States of the window are tested in Node as they are in a browser: what is derived follows what it is derived from. */
const asInABrowser = {
  plugins: [svelte({ dynamicCompileOptions: () => ({ generate: 'client' }) })],
  resolve: {
    alias: [
      ...shared.resolve.alias,
      {
        find: /^svelte$/,
        replacement: fileURLToPath(new URL('./node_modules/svelte/src/index-client.js', import.meta.url)),
      },
    ],
  },
};

export default defineConfig({
  test: {
    globalSetup: ['test/bundle-tfjs.ts'],
    maxWorkers: 2,
    projects: [
      {
        ...asInABrowser,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/engine/**'],
          ...patient,
          // A fresh process for each of so many short files took more than half of their time. What computes is one for a process.
          isolate: false,
        },
      },
      { ...shared, test: { name: 'engine', include: ['test/unit/engine/**/*.test.ts'], ...patient } },
      { ...shared, test: { name: 'golden', include: ['test/golden/**/*.test.ts'], ...patient } },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/campaign/**/*.test.ts'],
          ...patient,
          testTimeout: 180_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/unpack-browser.ts'],
          ...patient,
          testTimeout: 600_000,
        },
      },
    ],
  },
});
