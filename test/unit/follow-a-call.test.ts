import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const asking = [
  'renderer/features/library/versions.svelte.ts',
  'main/cli/commands/clips.ts',
  'main/jobs/runners/learn.ts',
];
const files = [...asking, 'main/services/services.ts', 'main/engine/index.ts'].map((file) => join(root, file));
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const editor = ts.createLanguageService({
  fileExists: ts.sys.fileExists,
  readFile: ts.sys.readFile,
  readDirectory: ts.sys.readDirectory,
  getScriptFileNames: () => files,
  getScriptVersion: () => '1',
  getScriptSnapshot: (file) => {
    const text = ts.sys.readFile(file);
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
  },
  getCurrentDirectory: () => root,
  getCompilationSettings: () => ({ ...options, incremental: false, tsBuildInfoFile: undefined }),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
});

const places = (found: readonly ts.DocumentSpan[] | undefined) =>
  (found ?? []).map(({ fileName }) => relative(root, fileName).replaceAll('\\', '/'));

it.each([
  [asking[0]!, "'concepts.versions'", 'shared/ipc/app-contract.ts', 'main/services/concepts.ts'],
  [asking[1]!, "'clips.list'", 'shared/ipc/app-contract.ts', 'main/services/clips.ts'],
  [asking[2]!, 'learn(\n', 'shared/ipc/engine-contract.ts', 'main/engine/index.ts'],
])(
  'an editor leads from the call in %s to the contract, and to its handler without a layer in between',
  {
    timeout: 120_000,
  },
  (file, call, contract, handler) => {
    const path = join(root, file);
    const position = readFileSync(path, 'utf8').indexOf(call) + 1;
    expect(position).toBeGreaterThan(0);
    expect(places(editor.getDefinitionAtPosition(path, position))).toEqual([contract]);
    expect(places(editor.getImplementationAtPosition(path, position)).sort()).toEqual([contract, handler].sort());
  },
);
