import { hash } from './random.ts';
import type { Scene } from './scene.ts';
import { isElement } from './vocabulary.ts';

export type Split = 'train' | 'validation' | 'test';

/** Test and validation seeds are never trained on. */
export function splitOf(seed: number): Split {
  const last = seed % 10;
  return last === 0 ? 'test' : last === 1 ? 'validation' : 'train';
}

/**
 * Combinations (subject x motion x background) that no training sees with any seed: about one in twenty.
 * Elements are their motion, so that nothing would be combined; they are never held out.
 */
export function isHeldOut(scene: Scene): boolean {
  return scene.subjects.some(
    ({ kind, motion }) =>
      !isElement(kind) && hash(0, `held out: ${kind}, ${motion.kind}, ${scene.background.kind}`) % 20 === 0,
  );
}

/** Whether a scene belongs into a data set. Held-out combinations appear in the test split only. */
export function belongsTo(scene: Scene, split: Split): boolean {
  return splitOf(scene.seed) === split && (split === 'test' || !isHeldOut(scene));
}
