import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** The renderer: the page that both hosts (Electron and the server) show, and the one that a study's link opens. */
export default defineConfig({
  root: 'renderer',
  base: './',
  plugins: [svelte()],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    rolldownOptions: { input: ['renderer/index.html', 'renderer/study.html'] },
    target: 'es2023',
    // Measured compressed, by `npm run bench -- app`.
    chunkSizeWarningLimit: 1000,
    // Inlined assets would need an exception in the page's Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
