import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readWeightsLink } from '../formats/diffusers.ts';
import type { OpenModel } from '../sampling/open-model.ts';

/**
 * Which weights lie in a folder: names, sizes and times of its safetensors files, subfolders included,
 * and of files that it links to.
 * Enough to notice that a model was trained on since, without reading gigabytes.
 */
export async function weightsStamp(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true }))
    .filter((name) => name.endsWith('.safetensors') || basename(name) === 'weights.json')
    .sort();
  const parts: string[] = [];
  for (const name of names) {
    const link = name.endsWith('.json') ? await readWeightsLink(join(folder, dirname(name))) : undefined;
    const { size, mtime } = await stat(link?.file ?? join(folder, name));
    parts.push(`${name.replaceAll('\\', '/')} ${size} ${mtime.toISOString()}`);
  }
  return parts.join('; ');
}

/** What model and judge an evaluation is of. */
export async function standingOf({ name, fingerprint, pipeline }: OpenModel, judge: string) {
  const [weights, judgeWeights] = [await weightsStamp(pipeline.directory), await weightsStamp(judge)];
  return { model: name, fingerprint, weights, judge: judgeWeights };
}
