import type { EditSettings } from './edit.ts';

/** How an edit is sampled, as far as that is to be known before. */

/** Noise level below which FlowEdit goes without guidance (arXiv 2404.07724): what is left to decide there are details (test/studies). */
export const guidedAbove = 0.5;

/**
 * How much of the concept FlowEdit's guidance compares prompts under, at most. All of it has learned one clip
 * under one caption, and tears it apart under other words; none of it leads away from the clip. From pure
 * noise, where its own words give the clip back, all of it is better (test/studies).
 */
export const guidingPart = 0.5;

/** Frames that neighbouring windows share at least. */
const sharedFrames = 5;

/** The first frame of each window of `length` frames that together cover `frameCount`; the last one ends with the clip. */
export function windowsOf(frameCount: number, length: number): number[] {
  if (frameCount <= length) return [0];
  const stride = Math.max(1, length - sharedFrames);
  const count = Math.ceil((frameCount - length) / stride) + 1;
  return Array.from({ length: count }, (_, index) => Math.min(index * stride, frameCount - length));
}

/** The settings that decide what is computed. */
export type SampledBy = Pick<EditSettings, 'fidelity' | 'fidelityStart' | 'guidance' | 'part' | 'steps'>;

/**
 * The forward passes that make one clip with a model whose noise levels have this shift: in order, how many prompts each computes at once.
 * `hasConcept`: whether a concept acts.
 */
export function passesOf(
  { fidelity, fidelityStart, guidance, part, steps }: SampledBy,
  shift: number,
  hasConcept: boolean,
): number[] {
  const first = Math.round(fidelity * steps);
  const levels = Array.from({ length: steps - first }, (_, index) => shifted(1 - (first + index) / steps, shift));
  const isGuided = guidance > 1;
  const towards = levels.map(() => (isGuided ? 2 : 1));
  if (fidelity === 0 || fidelityStart === 'noise') return towards;
  if (fidelityStart === 'inversion') return [...levels.map(() => 1), ...towards];
  // Beside the clip's own flow: the prompt, the negative prompt and what the clip shows, these compared under less of the concept.
  const guided = hasConcept && part > guidingPart ? [1, 3] : [3];
  return levels.flatMap((level) => [...(isGuided && level >= guidedAbove ? guided : [1]), 1]);
}

/** A noise level of an even schedule as a shifted one has it. */
const shifted = (level: number, shift: number) => (shift * level) / (1 + (shift - 1) * level);
