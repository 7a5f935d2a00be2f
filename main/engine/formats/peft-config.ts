import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import { readJson } from './diffusers.ts';
import type { TensorSource } from './tensor-file.ts';

/**
 * What PEFT says of a LoRA beside its weights (https://huggingface.co/docs/peft, LoraConfig): in `adapter_config.json`, or as diffusers
 * stores it in the weights' own metadata, each key behind the module's name.
 */
const peftConfig = z.object({
  peft_type: z.literal('LORA', 'only LoRA adapters can be imported').default('LORA'),
  r: z.int().positive().optional(),
  lora_alpha: z.number().optional(),
  /** Name endings of layers, or regular expressions for them, with another rank or alpha. */
  rank_pattern: z.record(z.string(), z.int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  /** Scale by the square root of the rank (arXiv 2312.03732). */
  use_rslora: z.boolean().nullish(),
  use_dora: z.literal(false, 'DoRA is more than a low-rank change').nullish(),
  lora_bias: z.literal(false, 'changed biases are more than a low-rank change').nullish(),
});
type PeftConfig = z.infer<typeof peftConfig>;

/** A configuration and the file that it was read from, for messages. */
export interface FoundConfig {
  file: string;
  config: PeftConfig;
}

const metadataKey = 'lora_adapter_metadata';
const configFile = 'adapter_config.json';
const weightsFile = 'adapter_model.safetensors';
/** How PEFT's own files name their tensors; others never do. */
const peftPrefix = 'base_model.model.';

/** The configuration of a LoRA file; undefined where nothing says more than the weights. Throws AppError for one that cannot be read. */
export async function findPeftConfig(source: TensorSource): Promise<FoundConfig | undefined> {
  const text = source.metadata[metadataKey];
  if (text) return { file: source.path, config: fromMetadata(source.path, text) };
  if (!isPeftFile(source)) return undefined;
  const file = join(dirname(source.path), configFile);
  if (!(await stat(file).catch(() => undefined))?.isFile()) return undefined;
  return { file, config: check(file, await readJson(file, z.unknown())) };
}

/** Whether a file is laid out as PEFT saves it, with its scale in a second file. */
export function isPeftFile(source: TensorSource): boolean {
  return basename(source.path) === weightsFile || source.names().some((name) => name.startsWith(peftPrefix));
}

function fromMetadata(file: string, text: string): PeftConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('damaged-file', `${file}: its LoRA metadata is not JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null)
    throw new AppError('damaged-file', `${file}: its LoRA metadata is no table`);
  return check(
    file,
    Object.fromEntries(Object.entries(value).map(([key, part]) => [key.replace(/^transformer\./, ''), part])),
  );
}

function check(file: string, value: unknown): PeftConfig {
  const parsed = peftConfig.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError('damaged-file', `${file} does not describe a LoRA: ${z.prettifyError(parsed.error)}`, {
    hint: 'Save the adapter again as a plain LoRA.',
  });
}

/**
 * By what up times down is multiplied in each layer: alpha / rank, or alpha / sqrt(rank). Answers a function of a layer's path and stored
 * rank, which throws `damaged-file` when the configuration speaks of another rank.
 */
export function peftScale({ file, config }: FoundConfig): (path: string, rank: number) => number {
  const ranks = patterns(file, config.rank_pattern);
  const alphas = patterns(file, config.alpha_pattern);
  return (path, rank) => {
    const stated = ranks.find(({ matches }) => matches.test(path))?.value ?? config.r;
    if (stated !== undefined && stated !== rank)
      throw new AppError(
        'damaged-file',
        `${file} speaks of rank ${stated} at "${path}", whose matrices are of rank ${rank}.`,
        {
          hint: `Its ${configFile} seems to belong to another adapter. Copy both files of the adapter again.`,
        },
      );
    const alpha = alphas.find(({ matches }) => matches.test(path))?.value ?? config.lora_alpha ?? rank;
    return alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
  };
}

/**
 * PEFT matches each key, as a regular expression, against the end of a layer's name, and takes the first that fits. Only expressions that
 * cannot take long are understood: names, `.`, alternatives, and few of `\d+` and `.*`.
 */
const simplePattern = /^\^?(?:[\w|()-]|\\?\.(?![*+?])|\\d\+?|\.\*)+\$?$/;

function patterns(
  file: string,
  given: Record<string, number> | null | undefined,
): { matches: RegExp; value: number }[] {
  return Object.entries(given ?? {}).map(([key, value]) => {
    const repetitions = key.match(/\.\*|\\d\+/g)?.length ?? 0;
    if (key.length > 200 || repetitions > 3 || !simplePattern.test(key)) throw unclear(file, key);
    try {
      return { matches: new RegExp(`^(?:.*\\.)?(?:${key})$`), value };
    } catch {
      throw unclear(file, key);
    }
  });
}

const unclear = (file: string, key: string) =>
  new AppError(
    'invalid-input',
    `${file} gives some layers another rank or alpha, by a pattern that is not understood: ${key}`,
    {
      hint: 'Save the adapter with the names of the layers instead of regular expressions.',
    },
  );
