import { type ConceptShape, type ConceptValues, freshConcept } from '../adapters/set-and-sequence.ts';
import { freshTokens, type TokenEmbeddings } from '../adapters/tokens.ts';
import * as tf from '../backends/tf.ts';
import { Random } from '../nn/random.ts';
import type { SampledConcept } from '../sampling/concept-sampler.ts';
import type { TrainingState } from './checkpoint.ts';
import { freshState } from './train.ts';

/** A concept of which nothing is learned yet. With `trainTokens` its tokens are among the weights. */
export function freshRun(
  shape: ConceptShape,
  tokens: TokenEmbeddings,
  seed: number,
  trainTokens: boolean,
): TrainingState {
  const weights = freshConcept(shape, new Random(`${seed}/weights`));
  if (!trainTokens) return freshState(weights);
  const width = tokens.values.length / tokens.names.length;
  return freshState({ ...weights, tokens: tf.tensor2d(tokens.values, [tokens.names.length, width]) });
}

/** The special tokens' embeddings before learning; T5's words are vectors of about unit variance. */
export function startTokens(names: string[], width: number, seed: number): TokenEmbeddings {
  const random = new Random(`${seed}/tokens`);
  return freshTokens(names, width, Math.sqrt(width), (count) => random.normals(count));
}

/** A state's concept as it is at this moment; tokens that do not learn are as they started. */
export async function conceptOf(
  shape: ConceptShape,
  { weights }: TrainingState,
  start: TokenEmbeddings,
): Promise<SampledConcept> {
  const read = async (name: string) => (await weights[name]!.data()) as Float32Array;
  const values: ConceptValues = {
    basis: await read('basis'),
    coefficients: await read('coefficients'),
    residual: await read('residual'),
  };
  const tokens = { names: start.names, values: weights.tokens ? await read('tokens') : start.values };
  return { shape, values, tokens, gains: { identity: 1, motion: 1 }, part: 1 };
}

/** One vector per token, by its name. */
export function tokensByName({ names, values }: TokenEmbeddings): Record<string, Float32Array> {
  const width = values.length / names.length;
  return Object.fromEntries(names.map((name, index) => [name, values.slice(index * width, (index + 1) * width)]));
}
