import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenModel } from '../sampling/open-model.ts';

/**
 * Which weights lie in a folder: names, sizes and times of its safetensors files, subfolders included.
 * Enough to notice that a model was trained on since, without reading gigabytes.
 */
async function weightsStamp(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.safetensors')).sort();
  const parts: string[] = [];
  for (const name of names) {
    const { size, mtime } = await stat(join(folder, name));
    parts.push(`${name.replaceAll('\\', '/')} ${size} ${mtime.toISOString()}`);
  }
  return parts.join('; ');
}

/** What model and judge an evaluation is of. */
export async function standingOf({ name, fingerprint, pipeline }: OpenModel, judge: string) {
  const [weights, judgeWeights] = [await weightsStamp(pipeline.directory), await weightsStamp(judge)];
  return { model: name, fingerprint, weights, judge: judgeWeights };
}
