import type { Gains, PartTensors } from '../adapters/part-kind.ts';
import { kindOf, type LearnedPart } from '../adapters/parts.ts';
import * as tf from '../backends/tf.ts';

export type LearnedParts = Readonly<Record<string, LearnedPart>>;

/** The adapter's tensors, inputs of the recorded step: a moved slider records nothing anew. */
export type AdapterTensors = { parts: Record<string, PartTensors>; appearance?: tf.Tensor2D /* [1, values] */ };

/**
 * What of a concept its tensors come from: its parts, a slider setting, how much of all acts, and how its
 * pictures look.
 */
type Setting = { parts: LearnedParts; gains: Gains; part: number; appearance: Float32Array };

/** Every part at the concept's slider setting; the caller owns the tensors. */
export function adapterTensors({ parts, gains, part: share, appearance }: Setting): AdapterTensors {
  const tensors: AdapterTensors['parts'] = {};
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
export function scaled(parts: LearnedParts, adapter: AdapterTensors, factor: number): AdapterTensors {
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
  const { parts, appearance } = adapter;
  return [...Object.values(parts).flatMap((tensors) => Object.values(tensors)), ...(appearance ? [appearance] : [])];
}
