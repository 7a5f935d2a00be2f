import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConcept } from '../../../main/engine/formats/concept.ts';
import type { LearnRequest } from '../../../shared/domain/engine.ts';
import { learnRequest, temporaryFolder } from './tiny-model.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
let folder: string;
let program: string;
let expected: Awaited<ReturnType<typeof readConcept>>;

/** The bundle lies in the checkout, so that it finds its packages. */
beforeAll(async () => {
  folder = await temporaryFolder();
  program = join(root, 'node_modules/.cache/motif', `learn-process-${process.pid}.mjs`);
  await build({
    entryPoints: [fileURLToPath(new URL('./learn-process.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
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
  const request = await requestIn('whole');
  await run(request);
  expected = await readConcept(request.conceptFile);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rm(program, { force: true });
});

async function requestIn(name: string): Promise<LearnRequest> {
  await mkdir(join(folder, name), { recursive: true });
  return learnRequest(join(folder, name), { stepsIdentity: 7, stepsMotion: 7, checkpointEvery: 3 });
}

/** Runs until the end, or until it is killed right after the line `killAt`, and answers all lines. */
async function run(request: LearnRequest, killAt?: string): Promise<string[]> {
  const file = join(request.workDirectory, '..', 'request-to-run.json');
  await writeFile(file, JSON.stringify(request));
  const child = spawn(process.execPath, [program, file, killAt ?? ''], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) =>
    child.on('close', (code, signal) => resolve(signal ?? code)),
  );
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  expect(await ended).toBe(killAt ? 'SIGKILL' : 0);
  return lines;
}

describe('learning that was killed', () => {
  for (const [stage, step] of [
    ['identity', 5],
    ['motion', 4],
  ] as const) {
    it(`in stage ${stage} ends in the same weights as learning that was not`, async () => {
      const request = await requestIn(stage);
      await run(request, `${stage} ${step}`);
      await expect(readFile(request.conceptFile)).rejects.toThrow('ENOENT');
      const lines = await run(request);
      const [first] = lines;
      expect(lines.at(-1)).toBe(`${lines.length - 1} steps`); // what was done before the kill is not counted
      expect(first).toBe(`${stage} 4`); // from the checkpoint after step 3
      expect(await readConcept(request.conceptFile)).toEqual(expected);
    });
  }
});
