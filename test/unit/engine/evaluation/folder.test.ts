import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openEvaluationFolder, readKept, writePart } from '../../../../main/engine/evaluation/folder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-evaluation-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a folder goes on with the same settings, whatever their order, and refuses others by name', async () => {
  await openEvaluationFolder(folder, { steps: 4, sampling: { guidance: 5, seed: 1 } });
  await openEvaluationFolder(folder, { sampling: { seed: 1, guidance: 5 }, steps: 4 });
  await expect(openEvaluationFolder(folder, { steps: 5, sampling: { guidance: 5, seed: 1 } })).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('steps differ'),
  });
});

test('a part is kept whole, and one that is damaged or of another kind is measured again', async () => {
  const schema = z.object({ value: z.number() });
  const file = join(folder, 'part.json');
  expect(await readKept(file, schema)).toBeUndefined();
  await writePart(file, { value: 3 });
  expect(await readKept(file, schema)).toEqual({ value: 3 });
  expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  await writeFile(file, '{"value":');
  expect(await readKept(file, schema)).toBeUndefined();
  await writePart(file, { other: 3 });
  expect(await readKept(file, schema)).toBeUndefined();
});
