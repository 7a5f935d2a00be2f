import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { LearnRequest } from '../../../shared/domain/engine.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { freeBytes } from '../../files/free-space.ts';
import { writeWhole } from '../../files/place.ts';

/** The files of a run of learning. */
export type WorkFolder = {
  checkpoint: string;
  prepared: string;
  samples: string;
  /** Once this file is there, learning ends with the step at hand and keeps what it has. */
  keep: string;
  /** Free memory that the run reckons with. */
  memoryBytes: number;
};

const requestFile = z.object({ version: z.literal(1), hash: z.string(), memoryBytes: z.number().optional() });

/**
 * Opens the folder of a run, making it if need be. Throws `conflict` when it belongs to a run of another
 * request: going on there would mix two concepts.
 *
 * A run reckons with the memory that was free when it began, so that it goes on to the bit as it would have:
 * what is computed again for lack of memory differs in its last bits. Only where less than half of that is
 * left, with what is free now.
 */
export async function openWorkFolder(directory: string, hash: string, freeBytes: number): Promise<WorkFolder> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'request.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const known = text === undefined ? undefined : readRequest(text);
  if (text === undefined) {
    await writeWhole(file, JSON.stringify({ version: 1, hash, memoryBytes: freeBytes }));
  } else if (known?.hash !== hash) {
    throw new AppError('conflict', `${directory} holds the unfinished learning of another concept`, {
      hint: 'Choose an empty folder, or delete this one if that learning is no longer wanted.',
    });
  }
  const atStart = known?.memoryBytes ?? freeBytes;
  return {
    memoryBytes: freeBytes < atStart / 2 ? freeBytes : atStart,
    checkpoint: join(directory, 'checkpoint.safetensors'),
    prepared: join(directory, 'prepared.safetensors'),
    samples: join(directory, 'samples'),
    keep: join(directory, 'keep'),
  };
}

function readRequest(text: string): z.infer<typeof requestFile> | undefined {
  try {
    return requestFile.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * What makes two requests the same run: the model, the pictures themselves, their captions and the recipe
 * (but for how often a run samples and saves, which changes nothing in the result).
 */
export async function requestHash(request: LearnRequest, modelFingerprint: string): Promise<string> {
  const { sampleEvery: _, checkpointEvery: __, ...recipe } = request.recipe;
  const clips = [];
  for (const { frames, caption } of request.clips) {
    const { file, ...format } = frames;
    clips.push({ format, caption, pictures: await hashFile(file) });
  }
  return createHash('sha256').update(JSON.stringify({ modelFingerprint, clips, recipe })).digest('hex');
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** Throws `out-of-space` unless the folder's disk has room for `bytes`. */
export async function requireSpace(directory: string, bytes: number): Promise<void> {
  const free = await freeBytes(directory);
  if (free >= bytes) return;
  const megabytes = (count: number) => `${Math.ceil(count / 1e6)} MB`;
  throw new AppError('out-of-space', `${directory} has ${megabytes(free)} left, learning needs ${megabytes(bytes)}`, {
    hint: 'Free some space, or choose a folder on another disk.',
  });
}

/**
 * Throws `out-of-memory` unless so many numbers can learn: they, their gradients and AdamW's two moments, in
 * float32, in half of what is free.
 */
export function requireMemory(numbers: number, freeBytes: number): void {
  const bytes = 16 * numbers;
  if (bytes <= freeBytes / 2) return;
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`;
  throw new AppError(
    'out-of-memory',
    `What this method learns takes ${gigabytes(bytes)} of memory on top of the model, and only ${gigabytes(freeBytes)} is free.`,
    { hint: 'Choose a method that learns less, such as Set-and-Sequence, or a smaller rank.' },
  );
}

/** Makes the folder of a file that is going to be written. */
export async function makeFolderOf(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
}
