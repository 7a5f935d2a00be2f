import { createHash } from 'node:crypto';
import type { Gains } from '../adapters/part-kind.ts';
import type { TokenEmbeddings } from '../adapters/tokens.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import type { LearnedParts } from './adapter-tensors.ts';

/** A learned concept at one slider setting. */
export interface ActingConcept {
  parts: LearnedParts;
  /** Its appearance, for parts that are conditioned on it. */
  appearance: Float32Array;
  gains: Gains;
  /** Whether it was learned from the clip that is started from: it acts under what that shows, others do not. */
  isOwn: boolean;
}

/** All that acts, most often one concept. */
export interface SampledConcept {
  acting: readonly ActingConcept[];
  tokens: TokenEmbeddings;
  /** How much of it acts, in everything: 0 to 1. */
  part: number;
}

export function hashOfPictures({ width, height, data }: Pictures): string {
  return createHash('sha1').update(`${width}x${height}`).update(data).digest('hex');
}

export function hashOfTokens({ names, values }: TokenEmbeddings): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha1').update(names.join()).update(bytes).digest('hex');
}

const hashes = new WeakMap<LearnedParts, string>();

/** By what it learned, and how it looks; not by its gains. */
export function nameOfConcept({ parts, appearance }: Pick<ActingConcept, 'parts' | 'appearance'>): string {
  const known = hashes.get(parts);
  if (known !== undefined) return known;
  const hash = createHash('sha1').update(appearance.join());
  for (const [name, { part, values }] of Object.entries(parts)) {
    hash.update(JSON.stringify([name, part]));
    for (const { buffer, byteOffset, byteLength } of Object.values(values))
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  const found = hash.digest('hex');
  hashes.set(parts, found);
  return found;
}

export function nameOfSource(concept: ActingConcept): [string, boolean] {
  return [nameOfConcept(concept), concept.isOwn];
}
