import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../../../../../shared/ipc/result.ts';
import { type CheckpointFile, openCheckpointFile } from '../../../formats/checkpoint-file.ts';
import type { LinkedWeights } from '../../../formats/linked-weights.ts';
import type { SentencePieces } from '../../../formats/sentence-piece.ts';
import type { NamedTensors } from './names.ts';
import { describeTextEncoder, isTextEncoder } from './text-encoder.ts';
import { tokenizerOf } from './tokenizer.ts';
import { transformerConfig, transformerNames, transformerPrefix } from './transformer.ts';
import { describeVae, isVae } from './vae.ts';

/** One part of a model in a file of its own. */
export interface ModelPart {
  kind: 'transformer' | 'vae' | 'text_encoder';
  /** `config.json` as diffusers or transformers write it. */
  config: Record<string, unknown>;
  link: LinkedWeights;
  /** A text encoder's file may bring its tokenizer along. */
  tokenizer?: SentencePieces;
}

/**
 * Says which part of a model of Wan a file holds, with its configuration as its tensors' shapes give it. Reads its header alone, and a
 * tokenizer where there is one. `heads`: of the transformer's attention, where that is known. Throws `invalid-input` for a file of anything
 * else, and what `openCheckpointFile` throws.
 */
export async function inspectPart(path: string, { heads }: { heads?: number } = {}): Promise<ModelPart> {
  const file = await openCheckpointFile(path);
  try {
    const link = async (tensors: NamedTensors): Promise<LinkedWeights> => ({
      version: 1,
      file: resolve(path),
      bytes: (await stat(path)).size,
      tensors: Object.fromEntries(tensors),
    });
    const { kind, config, tensors } = described(file, heads);
    const tokenizer = kind === 'text_encoder' ? await tokenizerOf(file) : undefined;
    return { kind, config, link: await link(tensors), ...(tokenizer ? { tokenizer } : {}) };
  } finally {
    await file.source.close();
  }
}

function described(
  { source }: CheckpointFile,
  heads?: number,
): Pick<ModelPart, 'kind' | 'config'> & { tensors: NamedTensors } {
  const prefix = transformerPrefix(source);
  if (prefix !== undefined) {
    const tensors = transformerNames(source, prefix);
    return { kind: 'transformer', tensors, config: transformerConfig(source, tensors, heads) };
  }
  if (isVae(source)) return { kind: 'vae', ...describeVae(source) };
  if (isTextEncoder(source)) return { kind: 'text_encoder', ...describeTextEncoder(source) };
  throw new AppError(
    'invalid-input',
    `${source.path} holds no part of a Wan model: its first tensor is "${source.names()[0] ?? 'none'}".`,
    {
      hint: "Choose a transformer of Wan 2.1 or 2.2, Wan's autoencoder, or the text encoder UMT5-XXL.",
    },
  );
}
