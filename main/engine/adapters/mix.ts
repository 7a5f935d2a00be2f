import { AppError } from '../../../shared/ipc/result.ts';
import type { Slider } from './part-kind.ts';
import type { LearnedPart } from './parts.ts';

type LearnedParts = Readonly<Record<string, LearnedPart>>;

/**
 * What of a concept acts for one slider alone, so that it can stand beside what of another concept acts for
 * the other: parts that follow the slider, and of a basis A1 B1 for the identity, A1 B2 for the motion. Names
 * begin with the slider's. Throws `invalid-input` when there is nothing.
 */
export function partsFollowing(slider: Slider, concept: string, parts: LearnedParts): LearnedParts {
  const following: Record<string, LearnedPart> = {};
  for (const [name, learned] of Object.entries(parts)) {
    const own = alone(learned, slider);
    if (own) following[name === slider ? name : `${slider}-${name}`] = own;
  }
  if (Object.keys(following).length > 0) return following;
  throw new AppError('invalid-input', `"${concept}" has no learned ${slider} to take.`, {
    hint: 'DreamVideo and MotionDirector learn the two separately; Set-and-Sequence learns both too.',
  });
}

function alone({ part, values }: LearnedPart, slider: Slider): LearnedPart | undefined {
  if (part.kind === 'basis') {
    const coefficients = slider === 'identity' ? values.coefficients! : values.residual!;
    if (coefficients.every((value) => value === 0)) return undefined;
    return { part: { kind: 'low-rank', shape: part.shape, slider }, values: { basis: values.basis!, coefficients } };
  }
  return part.slider === slider ? { part, values } : undefined;
}
