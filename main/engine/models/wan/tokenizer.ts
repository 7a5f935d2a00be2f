import { join } from 'node:path';
import { Tokenizer as PublishedTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { AppError } from '../../../../shared/ipc/result.ts';
import { readJson } from '../../formats/diffusers.ts';
import type { Tokens } from '../video-model.ts';

export interface Tokenizer {
  /** Cuts at `length` (keeping the end token) and pads up to it. */
  encode(prompts: readonly string[], length: number): Tokens;
  /** The id of a whole token such as `[v]`, or undefined if the vocabulary has none. */
  idOf(token: string): number | undefined;
  /** The text of the tokens, one by one, for showing how a prompt is read. */
  pieces(prompt: string): string[];
}

const tokenName = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]);
const vocabularySchema = z.looseObject({
  model: z.looseObject({ type: z.string(), byte_fallback: z.boolean().nullish() }),
});
const tokenizerConfigSchema = z.looseObject({ pad_token: tokenName.default('<pad>') });

/** Opens the `tokenizer/` folder of a checkpoint (tokenizer.json and tokenizer_config.json). */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json');
  const vocabulary = await readJson(path, vocabularySchema);
  const config = await readJson(join(folder, 'tokenizer_config.json'), tokenizerConfigSchema);
  const tokenizer = open(path, vocabulary, config);
  const read = speaking(path, vocabulary.model.byte_fallback ? bytewise(tokenizer) : wholly(tokenizer));
  const padding = tokenizer.token_to_id(config.pad_token);
  if (padding === undefined)
    throw new AppError('damaged-file', `${path} does not hold the padding token "${config.pad_token}"`);
  return {
    encode(prompts, length) {
      const rows = prompts.map((prompt) => truncated(read, prompt, length));
      return {
        ids: rows.map((row) => [...row, ...new Array<number>(length - row.length).fill(padding)]),
        lengths: rows.map((row) => row.length),
      };
    },
    idOf: (token) => tokenizer.token_to_id(token),
    pieces: (prompt) => tokenizer.tokenize(prompt, { add_special_tokens: false }),
  };
}

function open(path: string, vocabulary: object, config: object): PublishedTokenizer {
  try {
    return new PublishedTokenizer(vocabulary, config);
  } catch (cause) {
    throw new AppError('damaged-file', `${path} cannot be used: ${(cause as Error).message}`, { cause });
  }
}

type Read = (prompt: string, withEnd: boolean) => number[];

/** The library finds out that parts of a vocabulary are missing only when it comes to need them. */
function speaking(path: string, read: Read): Read {
  return (prompt, withEnd) => {
    try {
      return read(prompt, withEnd);
    } catch (cause) {
      throw new AppError('damaged-file', `${path} cannot be used: ${(cause as Error).message}`, { cause });
    }
  };
}

const wholly =
  (tokenizer: PublishedTokenizer): Read =>
  (prompt, withEnd) =>
    tokenizer.encode(prompt, { add_special_tokens: withEnd }).ids;

/**
 * What the vocabulary cannot spell becomes its UTF-8 bytes (`<0xE2>`...), as in the reference tokenizers.
 * The library does that for BPE alone and melts unknown characters of a Unigram model into one token, so
 * that is switched off and the bytes looked up here.
 */
function bytewise(tokenizer: PublishedTokenizer): Read {
  if (tokenizer.model) tokenizer.model.fuse_unk = false;
  return (prompt, withEnd) => {
    const { tokens, ids } = tokenizer.encode(prompt, { add_special_tokens: withEnd });
    return tokens.flatMap((token, index) => {
      if (tokenizer.token_to_id(token) !== undefined) return [ids[index]!];
      const names = [...Buffer.from(token, 'utf8')].map(
        (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
      );
      const bytes = names.map((name) => tokenizer.token_to_id(name));
      return bytes.every((id) => id !== undefined) ? bytes : [ids[index]!];
    });
  };
}

/** Ids of a prompt, at most `length`: what is cut is text, never the end token behind it. */
function truncated(read: Read, prompt: string, length: number): number[] {
  const ids = read(prompt, true);
  if (ids.length <= length) return ids;
  const text = read(prompt, false);
  const added = ids.length - text.length;
  return [...text.slice(0, length - added), ...(added ? ids.slice(-added) : [])];
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** A prompt as the Wan pipeline reads it: HTML entities resolved, white space collapsed and trimmed. */
export function cleanPrompt(prompt: string): string {
  const resolve = (text: string) =>
    text
      .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name: string) => entities[name]!)
      .replace(/&#(\d{1,6});/g, (_, code: string) => String.fromCodePoint(Number(code)));
  return resolve(resolve(prompt)).replace(/\s+/g, ' ').trim();
}
