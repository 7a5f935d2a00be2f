import type { EditSettings } from './edit.ts';

type Strength = Pick<EditSettings, 'fidelity' | 'guidance'>;

/** The strength that edits and looks begin with where nothing is said of it. */
export const startStrength = 0.5;

/** Of a clip made from pure noise. */
const fromNoise: Strength = { fidelity: 0, guidance: 4 };

/** Fidelity and guidance of the strengths 0, 1/4, 1/2, 3/4 and 1: less of the clip is held as the words are pressed less hard (test/studies). */
const strengths: readonly Strength[] = [
  { fidelity: 0.5, guidance: 20 },
  { fidelity: 0.4, guidance: 14 },
  { fidelity: 0.3, guidance: 12 },
  { fidelity: 0.2, guidance: 12 },
  { fidelity: 0.1, guidance: 8 },
];

/** Strength (0 to 1) moves fidelity and guidance together, linear between its five known places. */
export function strengthSettings(strength: number): Strength {
  const place = Math.min(1, Math.max(0, strength)) * (strengths.length - 1);
  const [low, high] = [strengths[Math.floor(place)]!, strengths[Math.ceil(place)]!];
  const share = place - Math.floor(place);
  const between = (a: number, b: number) => Number((a + share * (b - a)).toFixed(3));
  return { fidelity: between(low.fidelity, high.fidelity), guidance: between(low.guidance, high.guidance) };
}

/** The strength whose fidelity is nearest to that of an edit. */
export function strengthOf({ fidelity }: Pick<EditSettings, 'fidelity'>): number {
  const places = Array.from({ length: 101 }, (_, index) => index / 100);
  const distance = (strength: number) => Math.abs(strengthSettings(strength).fidelity - fidelity);
  return places.reduce((best, place) => (distance(place) < distance(best) ? place : best));
}

/** The guidance that goes with a fidelity: that of its strength, and a mild one for pure noise. */
export function guidanceFor(fidelity: number): number {
  return fidelity === 0 ? fromNoise.guidance : strengthSettings(strengthOf({ fidelity })).guidance;
}

/**
 * What a new edit of a concept begins with: what its clip shows stays unless the words or sliders change it; where it has none of its
 * own, the edit begins at noise.
 */
export function startSettings(hasOwnClip: boolean): Strength {
  return hasOwnClip ? strengthSettings(startStrength) : fromNoise;
}
