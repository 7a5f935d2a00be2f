import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import { exists } from '../../files/file-names.ts';
import { placeWhole } from '../../files/place.ts';
import { type LinkedWeights, linkedWeightsSchema, openLinkedWeights } from './linked-weights.ts';
import { openSafetensors } from './safetensors.ts';
import { openSafetensorsIndex } from './safetensors-index.ts';
import { type TensorToWrite, writeSafetensors } from './safetensors-write.ts';
import type { TensorSource } from './tensor-file.ts';

/**
 * Model directories as Python's diffusers lays them out: `model_index.json` and one folder per component, each with its
 * `config.json` and its weights as safetensors, in one file or sharded behind an index.
 */

/** The vocabularies of multilingual tokenizers, the largest of these files, take some 20 MB. */
const maximumJsonBytes = 256e6;

/** Reads and checks a JSON file. Throws `not-found`, or `damaged-file` naming the file and what is wrong in it. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let text: string;
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size > maximumJsonBytes)
      throw new AppError('damaged-file', `${path} is no file of a configuration, or too large to be one`);
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('not-found', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('damaged-file', `${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new AppError('damaged-file', `${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** `model_index.json`: which class each component is, beside plain values such as `boundary_ratio`. */
const modelIndexSchema = z.looseObject({ _class_name: z.string() });

export type ModelIndex = z.infer<typeof modelIndexSchema>;

/** Reads `model_index.json` of a model directory. */
export async function readModelIndex(directory: string): Promise<ModelIndex> {
  const path = join(directory, 'model_index.json');
  if (!(await exists(path)))
    throw new AppError('not-found', `${directory} is not a model directory: model_index.json is missing`, {
      hint: 'Choose the folder of a checkpoint in diffusers layout, the one that holds model_index.json.',
    });
  return readJson(path, modelIndexSchema);
}

/** Base names under which diffusers and transformers keep weights, a half-precision variant last. */
const weightNames = ['diffusion_pytorch_model', 'model', 'diffusion_pytorch_model.fp16', 'model.fp16'];

/** A component's `weights.json`, which says where its weights lie instead of in its folder; undefined where they lie in it. */
export async function readWeightsLink(folder: string): Promise<LinkedWeights | undefined> {
  const path = join(folder, 'weights.json');
  return (await exists(path)) ? readJson(path, linkedWeightsSchema) : undefined;
}

/** Opens the weights in a component's folder, single, sharded or linked. The caller closes the source. */
export async function openWeights(folder: string): Promise<TensorSource> {
  const link = await readWeightsLink(folder);
  if (link) return openLinkedWeights(link);
  for (const name of weightNames) {
    const single = join(folder, `${name}.safetensors`);
    if (await exists(single)) return openSafetensors(single);
    // diffusers writes `NAME.safetensors.index.json`, and `NAME.safetensors.index.fp16.json` for a variant
    const [base, variant] = [name.replace('.fp16', ''), name.endsWith('.fp16') ? '.fp16' : ''];
    const index = join(folder, `${base}.safetensors.index${variant}.json`);
    if (await exists(index)) return openSafetensorsIndex(index);
  }
  const files = (await exists(folder)) ? await readdir(folder) : [];
  throw new AppError('not-found', `${folder} holds no safetensors weights`, {
    hint: files.some((file) => file.endsWith('.bin'))
      ? 'The .bin weights in it can run code when opened and are not read. Save the model with safe_serialization=True.'
      : 'The checkpoint is incomplete. Copy or download this folder again.',
  });
}

export interface ComponentToWrite {
  /** Folder inside the model directory. */
  name: string;
  /** File name and content of the configuration: text, since Python tells 1 and 1.0 apart where JavaScript does not. */
  configName?: string;
  config: string;
  /** Base name of the weights: `diffusion_pytorch_model` for diffusers' classes, `model` for transformers'. */
  weightsName?: 'diffusion_pytorch_model' | 'model';
  tensors?: TensorToWrite[];
  /** Further files in the folder. */
  files?: { name: string; content: string }[];
}

/**
 * Writes a model directory that Python's diffusers loads: beside, then renamed. Throws `conflict` when the folder is there already.
 * `copies` are folders taken over as they are (a tokenizer), `files` further files at the top.
 */
export async function writeModelDirectory(
  directory: string,
  content: {
    /** Content of `model_index.json`. */
    index: string;
    components: ComponentToWrite[];
    copies?: { name: string; from: string }[];
    files?: { name: string; content: string }[];
  },
): Promise<void> {
  if (await exists(directory))
    throw new AppError('conflict', `${directory} exists already`, { hint: 'Choose another folder.' });
  await placeWhole(directory, async (beside) => {
    await mkdir(beside);
    for (const component of content.components) {
      const folder = join(beside, component.name);
      await mkdir(folder);
      await writeFile(join(folder, component.configName ?? 'config.json'), component.config);
      for (const file of component.files ?? []) await writeFile(join(folder, file.name), file.content);
      if (component.tensors)
        await writeSafetensors(
          join(folder, `${component.weightsName ?? 'diffusion_pytorch_model'}.safetensors`),
          component.tensors,
          { format: 'pt' },
        );
    }
    for (const { name, from } of content.copies ?? []) await cp(from, join(beside, name), { recursive: true });
    for (const file of content.files ?? []) await writeFile(join(beside, file.name), file.content);
    await writeFile(join(beside, 'model_index.json'), content.index);
  });
}
