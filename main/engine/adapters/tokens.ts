import { AppError } from '../../../shared/ipc/result.ts';
import * as tf from '../backends/tf.ts';
import type { Hooks } from '../nn/hooks.ts';

/**
 * The special tokens of a concept: `[v]` stands for who or what it is, `[u]` for how it moves, `[v2]`, `[u2]`
 * ... for the further clips of a joint concept. Their embeddings belong to the concept (textual inversion);
 * the text encoder around them stays as it is.
 *
 * In a prompt every special token becomes the same marker, one whole token of the vocabulary; which embedding
 * a marker takes follows from its place among the markers. So a vocabulary needs only one token to spare,
 * whatever the concept's tokens are called.
 */
const pattern = /\[([vu])(\d*)\]/g;

/**
 * Vocabulary tokens that can serve as the marker: Motif's own, or T5's first sentinel, which no text
 * contains.
 */
const markers = ['[v]', '<extra_id_0>'];

/** What is needed of a tokenizer. */
export interface Vocabulary {
  idOf(token: string): number | undefined;
}

/** A prompt ready for the tokenizer, and the names (`v`, `u2`) of its special tokens in order. */
export type MarkedPrompt = { text: string; names: string[] };

/** The embeddings of a concept's tokens: names, and one row each [count, text width]. */
export type TokenEmbeddings = { names: string[]; values: Float32Array };

/** `[v1]` is `[v]`. */
const canonical = (kind: string, number: string) => (number === '1' ? kind : kind + number);

/** The special tokens in a text, without repeats. */
export function specialTokens(text: string): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, kind, number]) => canonical(kind!, number!)))];
}

/**
 * Puts the marker in the place of the special tokens that are among `known`; others stay as they are written.
 * Throws `invalid-input` when the model's vocabulary has no token that could be the marker.
 */
export function markPrompt(prompt: string, known: readonly string[], vocabulary: Vocabulary): MarkedPrompt {
  const names: string[] = [];
  const marker = markerOf(vocabulary);
  const text = prompt.replaceAll(pattern, (whole, kind: string, number: string) => {
    const name = canonical(kind, number);
    if (!known.includes(name)) return whole;
    if (!marker)
      throw new AppError('invalid-input', "the model's vocabulary has no token that could stand for [v] or [u]", {
        hint: 'Use a model whose tokenizer has "[v]" or the sentinels of T5 ("<extra_id_0>").',
      });
    names.push(name);
    return marker;
  });
  return { text, names };
}

function markerOf(vocabulary: Vocabulary): string | undefined {
  return markers.find((marker) => vocabulary.idOf(marker) !== undefined);
}

/**
 * Hooks that give every marker in encoded prompts its own embedding, a row of `embeddings` [count, text
 * width] in the order of `known`. `names` are those of each prompt, as `markPrompt` answered them.
 * Differentiable in the embeddings.
 */
export function tokenHooks(
  names: readonly (readonly string[])[],
  known: readonly string[],
  embeddings: tf.Tensor2D,
  vocabulary: Vocabulary,
): Pick<Hooks, 'embedTokens'> {
  const marker = vocabulary.idOf(markerOf(vocabulary) ?? '');
  return {
    embedTokens: (ids, base) =>
      tf.tidy(() => {
        const [count, width] = embeddings.shape;
        const tokens = ids[0]!.length;
        const choice = new Float32Array(ids.length * tokens * count);
        const others = new Float32Array(ids.length * tokens).fill(1);
        for (const [row, sequence] of ids.entries()) {
          let occurrence = 0;
          for (const [position, id] of sequence.entries()) {
            if (id !== marker) continue;
            const index = known.indexOf(names[row]![occurrence++] ?? '');
            if (index < 0) continue;
            choice[(row * tokens + position) * count + index] = 1;
            others[row * tokens + position] = 0;
          }
        }
        const learned = tf.matMul(tf.tensor2d(choice, [ids.length * tokens, count]), embeddings);
        const kept = tf.mul(base, tf.tensor3d(others, [ids.length, tokens, 1]));
        return tf.add(kept, tf.reshape(learned, [ids.length, tokens, width])); // [batch, tokens, text width]
      }),
  };
}

/**
 * Fresh embeddings. The first `[v]` and `[u]` start at zeros (docs/method.md); the further tokens of a joint
 * concept would then be the same token, so they start as random vectors of the length that the vocabulary's
 * words have.
 */
export function freshTokens(
  names: string[],
  width: number,
  wordLength: number,
  normals: (count: number) => Float32Array,
) {
  const values = new Float32Array(names.length * width);
  for (const [index, name] of names.entries()) {
    if (name === 'v' || name === 'u') continue;
    const direction = normals(width);
    const length = Math.hypot(...direction);
    for (let i = 0; i < width; i++) values[index * width + i] = (direction[i]! / length) * wordLength;
  }
  return { names, values } satisfies TokenEmbeddings;
}
