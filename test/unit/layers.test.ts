import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'motif-layers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Imports that the map forbids, each in a file of its own, with the rule that has to notice. */
const planted: readonly [from: string, to: string, rule: string][] = [
  ['shared/domain/x1.ts', 'main/library/there.ts', 'shared-is-alone'],
  ['shared/domain/x2.ts', 'electron', 'shared-imports-only-zod'],
  ['shared/domain/x3.ts', 'node:fs', 'shared-without-node'],
  ['main/host/x1.ts', 'main/library/there.ts', 'main-host'],
  ['main/app/x2.ts', 'main/server/there.ts', 'main-app'],
  ['main/server/x4.ts', 'main/app/there.ts', 'main-server'],
  ['main/services/x1.ts', 'main/cli/there.ts', 'main-services'],
  ['main/jobs/x1.ts', 'main/services/there.ts', 'main-jobs'],
  ['main/jobs/x2.ts', 'electron', 'electron-in-the-app-alone'],
  ['main/files/x1.ts', 'main/media/there.ts', 'main-files'],
  ['main/library/x1.ts', 'main/media/there.ts', 'main-library'],
  ['main/media/x1.ts', 'main/library/there.ts', 'main-media'],
  ['main/media/x2.ts', 'better-sqlite3', 'sqlite-in-the-library-alone'],
  ['main/engine-host/x1.ts', 'main/engine/nn/there.ts', 'main-engine-host'],
  ['main/app/x1.ts', 'main/engine/nn/there.ts', 'engine-by-its-index'],
  ['main/server/x1.ts', 'main/engine/training/there.ts', 'engine-by-its-index'],
  ['main/server/x2.ts', 'renderer/there.ts', 'server-without-renderer'],
  ['main/cli/x1.ts', 'main/engine/sampling/there.ts', 'commands-by-services'],
  ['main/engine/x1.ts', 'main/library/there.ts', 'main-engine'],
  ['main/engine/training/x1.ts', 'electron', 'engine-knows-no-host'],
  ['main/engine/training/x2.ts', '@tensorflow/tfjs-core', 'one-door-to-tensorflow'],
  ['main/engine/backends/x1.ts', '@tensorflow/tfjs-core', 'one-import-of-tensorflow'],
  ['main/engine/backends/x2.ts', 'main/engine/nn/there.ts', 'formats-and-backends-first'],
  ['main/engine/nn/x1.ts', 'main/engine/models/there.ts', 'nn-below-models'],
  ['main/engine/models/x1.ts', 'main/engine/training/there.ts', 'models-below-training'],
  ['main/engine/sampling/x3.ts', 'main/engine/models/wan/there.ts', 'models-by-their-registry'],
  ['main/engine/methods/x1.ts', 'main/engine/training/there.ts', 'methods-below-training'],
  ['main/engine/metrics/x1.ts', 'main/engine/training/there.ts', 'metrics-and-sampling-without-training'],
  ['main/engine/sampling/x1.ts', 'main/engine/training/there.ts', 'metrics-and-sampling-without-training'],
  ['main/engine/training/x3.ts', 'main/world/there.ts', 'world-for-evaluation'],
  ['main/engine/sampling/x2.ts', 'main/engine/evaluation/there.ts', 'evaluation-last'],
  ['main/server/x3.ts', 'main/world/there.ts', 'world-for-evaluation'],
  ['main/world/x1.ts', 'main/engine/nn/there.ts', 'world-alone'],
  ['main/engine/nn/x2.ts', 'main/engine/index.ts', 'inside-the-engine-no-index'],
  ['renderer/x1.ts', 'main/library/there.ts', 'renderer'],
  ['renderer/features/edit/x1.svelte', 'renderer/app/editor.svelte.ts', 'features-by-their-contexts'],
  ['renderer/features/edit/x2.svelte', 'renderer/features/learn/there.ts', 'features-by-what-they-lend'],
  ['renderer/ui/x1.svelte', 'renderer/features/edit/there.ts', 'ui-knows-no-feature'],
  ['shared/domain/y1.ts', 'shared/domain/y2.ts', 'no-circles'],
];

it('every import that the map forbids is found by its rule', { timeout: 60_000 }, () => {
  for (const name of ['tsconfig.json', '.dependency-cruiser.cjs', 'package.json'])
    cpSync(join(root, name), join(folder, name));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  const isFile = (to: string) => /^(main|shared|renderer)\//.test(to);
  const write = (file: string, content: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  };
  for (const [, to] of planted) if (isFile(to)) write(to, 'export const there = 1;\n');
  for (const [from, to] of planted) {
    const path = isFile(to)
      ? relative(dirname(from), to)
          .replaceAll('\\', '/')
          .replace(/^(?!\.)/, './')
      : to;
    const use = `import * as there from '${path}';\nexport const used = there;\n`;
    write(from, from.endsWith('.svelte') ? `<script module lang="ts">\n${use}</script>\n` : use);
  }
  write('shared/domain/y2.ts', "export * from './y1.ts';\n");
  const cruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [cruise, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'shared', 'main', 'renderer'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  const found = summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`);
  expect(found).toEqual(expect.arrayContaining(planted.map(([from, , rule]) => `${from}: ${rule}`)));
});

it('every rule of the map is among them', () => {
  const map: { forbidden: { name: string }[] } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');
  const tried = new Set(planted.map(([, , rule]) => rule));
  expect(map.forbidden.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
});
