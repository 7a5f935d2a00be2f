import type { Gains, PartTensors } from '../adapters/part-kind.ts';
import { kindOf, type LearnedPart } from '../adapters/parts.ts';
import * as tf from '../backends/tf.ts';

export type LearnedParts = Readonly<Record<string, LearnedPart>>;

/** One concept's tensors, inputs of the recorded step: a moved slider records nothing anew. */
type ConceptTensors = { parts: Record<string, PartTensors>; appearance?: tf.Tensor2D /* [1, values] */ };

/** Those of all concepts that act, by their places. */
export type AdapterTensors = Record<string, ConceptTensors>;

/**
 * What of a concept its tensors come from: its parts, a slider setting, how much of all acts, and how its
 * pictures look.
 */
type Setting = { parts: LearnedParts; gains: Gains; part: number; appearance: Float32Array };

/** Every part of every concept at its slider setting; the caller owns the tensors. */
export function adapterTensors(settings: readonly Setting[]): AdapterTensors {
  return Object.fromEntries(settings.map((setting, place) => [place, conceptTensors(setting)]));
}

function conceptTensors({ parts, gains, part: share, appearance }: Setting): ConceptTensors {
  const tensors: ConceptTensors['parts'] = {};
  for (const [name, { part, values }] of Object.entries(parts)) {
    const kind = kindOf(part);
    const shapes = kind.tensors();
    const mixed = Object.entries(kind.mix(values, gains)).map(([tensor, given]) => {
      const acting = share !== 1 && kind.linearIn.includes(tensor) ? given.map((value) => value * share) : given;
      return [tensor, tf.tensor(acting, shapes[tensor]!)];
    });
    tensors[name] = Object.fromEntries(mixed);
  }
  const isConditioned = Object.values(parts).some(({ part }) => kindOf(part).readsAppearance);
  return { parts: tensors, ...(isConditioned ? { appearance: tf.tensor2d(appearance, [1, appearance.length]) } : {}) };
}

/** The same, acting `factor` times as much; the caller owns the tensors. */
export function scaled(
  concepts: readonly { parts: LearnedParts }[],
  adapter: AdapterTensors,
  factor: number,
): AdapterTensors {
  return Object.fromEntries(concepts.map(({ parts }, place) => [place, scaledConcept(parts, adapter[place]!, factor)]));
}

function scaledConcept(parts: LearnedParts, adapter: ConceptTensors, factor: number): ConceptTensors {
  const scaledParts = Object.entries(adapter.parts).map(([name, tensors]) => {
    const { linearIn } = kindOf(parts[name]!.part);
    const changed = Object.entries(tensors).map(([tensor, value]) => [
      tensor,
      linearIn.includes(tensor) ? tf.mul(value, factor) : tf.clone(value),
    ]);
    return [name, Object.fromEntries(changed)];
  });
  const { appearance } = adapter;
  return { parts: Object.fromEntries(scaledParts), ...(appearance ? { appearance: tf.clone(appearance) } : {}) };
}

export function tensorsOf(adapter: AdapterTensors | undefined): tf.Tensor[] {
  if (!adapter) return [];
  return Object.values(adapter).flatMap(({ parts, appearance }) => [
    ...Object.values(parts).flatMap((tensors) => Object.values(tensors)),
    ...(appearance ? [appearance] : []),
  ]);
}
