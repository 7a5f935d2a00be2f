import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTrainingState } from '../../../../main/engine/training/checkpoint.ts';
import {
  openWorkFolder,
  requestHash,
  requireMemory,
  requireSpace,
} from '../../../../main/engine/training/work-folder.ts';
import { learnRequest } from '../../../../shared/domain/engine.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-work-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function request(pixel: number, recipe: object = {}, name = 'clip.rgb') {
  const file = join(folder, name);
  await writeFile(file, new Uint8Array(3).fill(pixel));
  return learnRequest.parse({
    model: 'model',
    clips: [
      {
        frames: { file, frameCount: 1, width: 1, height: 1, rate: { numerator: 8, denominator: 1 } },
        caption: { static: 'a [v] dog', dynamic: '' },
      },
    ],
    recipe,
    workDirectory: folder,
    conceptFile: 'concept.safetensors',
  });
}

describe('a folder of learning', () => {
  it('belongs to one request', async () => {
    const work = join(folder, 'own');
    await openWorkFolder(work, 'a', 1e9);
    await expect(openWorkFolder(work, 'a', 1e9)).resolves.toMatchObject({
      checkpoint: join(work, 'checkpoint.safetensors'),
    });
    await expect(openWorkFolder(work, 'b', 1e9)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('keeps to the memory that its run began with, unless half of it is gone', async () => {
    const work = join(folder, 'memory');
    const reckonedWith = async (freeBytes: number) => (await openWorkFolder(work, 'a', freeBytes)).memoryBytes;
    expect(await reckonedWith(8e9)).toBe(8e9);
    expect(await reckonedWith(30e9)).toBe(8e9);
    expect(await reckonedWith(5e9)).toBe(8e9);
    expect(await reckonedWith(3e9)).toBe(3e9);
    expect(await reckonedWith(7e9)).toBe(8e9);
    await writeFile(join(work, 'request.json'), JSON.stringify({ version: 1, hash: 'a' })); // of an earlier version
    expect(await reckonedWith(6e9)).toBe(6e9);
  });

  it('is known by the pictures, the recipe and the model, not by where files lie or how often it saves', async () => {
    const hash = await requestHash(await request(1), 'weights');
    expect(await requestHash(await request(1, {}, 'moved.rgb'), 'weights')).toBe(hash);
    expect(await requestHash(await request(1, { checkpointEvery: 7, sampleEvery: 9 }), 'weights')).toBe(hash);
    expect(await requestHash(await request(2), 'weights')).not.toBe(hash);
    expect(await requestHash(await request(1, { rank: 3 }), 'weights')).not.toBe(hash);
    expect(await requestHash(await request(1), 'other weights')).not.toBe(hash);
  });

  it('needs room on its disk', async () => {
    await expect(requireSpace(folder, 1)).resolves.toBeUndefined();
    await expect(requireSpace(folder, 1e18)).rejects.toMatchObject({ code: 'out-of-space' });
  });

  it('with a damaged checkpoint says so', async () => {
    const file = join(folder, 'checkpoint.safetensors');
    expect(await readTrainingState(file)).toBeUndefined();
    await writeFile(file, 'nonsense');
    await expect(readTrainingState(file)).rejects.toMatchObject({ code: 'damaged-file' });
  });
});

it('what learns must fit into half of the free memory, with its gradients and moments', () => {
  expect(() => requireMemory(1e6, 32e6)).not.toThrow();
  expect(() => requireMemory(425e6, 8e9)).toThrow('6.8 GB of memory on top of the model, and only 8.0 GB is free');
});
