import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import { openSafetensors } from './safetensors.ts';
import type { TensorSource } from './tensor-file.ts';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens a checkpoint in several files through its `*.safetensors.index.json` as one source.
 * Throws `damaged-file` when the index names a tensor that its file does not hold, or files hold more than the index.
 */
export async function openSafetensorsIndex(path: string): Promise<TensorSource> {
  const map = await readIndex(path);
  const shards = new Map<string, TensorSource>();
  const close = async () => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const file of new Set(Object.values(map))) {
      if (/[/\\:]|^\.\.?$/.test(file))
        throw new AppError('damaged-file', `${path}: the file name "${file}" leaves the folder`);
      shards.set(file, await openSafetensors(join(dirname(path), file)));
    }
    for (const [name, file] of Object.entries(map)) shards.get(file)!.info(name);
    for (const [file, shard] of shards)
      for (const name of shard.names())
        if (map[name] !== file) throw new AppError('damaged-file', `${shard.path}: tensor "${name}" is not in ${path}`);
  } catch (error) {
    await close();
    throw error;
  }
  const shardOf = (name: string) => {
    const shard = shards.get(map[name] ?? '');
    if (!shard) throw new AppError('damaged-file', `${path}: tensor "${name}" is missing`);
    return shard;
  };
  return {
    path,
    metadata: Object.assign({}, ...[...shards.values()].map((shard) => shard.metadata)),
    names: () => Object.keys(map),
    has: (name) => Object.hasOwn(map, name),
    info: (name) => shardOf(name).info(name),
    readFloats: (name, ...range) => shardOf(name).readFloats(name, ...range),
    readIntegers: (name) => shardOf(name).readIntegers(name),
    close,
  };
}

async function readIndex(path: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('not-found', `${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
  try {
    return indexSchema.parse(JSON.parse(text)).weight_map;
  } catch (cause) {
    throw new AppError('damaged-file', `${path} is not an index of safetensors files`, { cause });
  }
}
