import type { LearnedPart } from '../adapters/parts.ts';
import { freshWeights, kindOf, type Parts } from '../adapters/parts.ts';
import { freshTokens, type TokenEmbeddings } from '../adapters/tokens.ts';
import * as tf from '../backends/tf.ts';
import { tokenRows } from '../methods/method.ts';
import { Random } from '../nn/random.ts';
import type { SampledConcept } from '../sampling/acting-concept.ts';
import type { Tensors } from './adamw.ts';
import type { TrainingState } from './checkpoint.ts';
import { freshState } from './train.ts';

/** A concept of which nothing is learned yet. With `tokensLearn` its tokens are among the weights. */
export function freshRun(parts: Parts, tokens: TokenEmbeddings, seed: number, tokensLearn: boolean): TrainingState {
  const weights = freshWeights(parts, new Random(`${seed}/weights`));
  if (!tokensLearn) return freshState(weights);
  const width = tokens.values.length / tokens.names.length;
  return freshState({ ...weights, [tokenRows]: tf.tensor2d(tokens.values, [tokens.names.length, width]) });
}

/** The special tokens' embeddings before learning; T5's words are vectors of about unit variance. */
export function startTokens(names: string[], width: number, seed: number): TokenEmbeddings {
  const random = new Random(`${seed}/tokens`);
  return freshTokens(names, width, Math.sqrt(width), (count) => random.normals(count));
}

/** The tokens as they are at this moment; those that do not learn are as they started. */
export async function tokensOf(weights: Tensors, start: TokenEmbeddings): Promise<TokenEmbeddings> {
  const rows = weights[tokenRows];
  return { names: start.names, values: rows ? ((await rows.data()) as Float32Array) : start.values };
}

/** A state's concept as it is at this moment; `appearance` is that of its pictures. */
export async function conceptOf(
  parts: Parts,
  { weights }: TrainingState,
  start: TokenEmbeddings,
  appearance: Float32Array,
): Promise<SampledConcept> {
  const learned: Record<string, LearnedPart> = {};
  for (const [name, part] of Object.entries(parts)) {
    const values: LearnedPart['values'] = {};
    for (const tensor of Object.keys(kindOf(part).tensors()))
      values[tensor] = (await weights[`${name}.${tensor}`]!.data()) as Float32Array;
    learned[name] = { part, values };
  }
  const tokens = await tokensOf(weights, start);
  return { acting: [{ parts: learned, appearance, gains: { identity: 1, motion: 1 }, isOwn: true }], tokens, part: 1 };
}

/** One vector per token, by its name. */
export function tokensByName({ names, values }: TokenEmbeddings): Record<string, Float32Array> {
  const width = values.length / names.length;
  return Object.fromEntries(names.map((name, index) => [name, values.slice(index * width, (index + 1) * width)]));
}
