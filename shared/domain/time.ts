import { z } from 'zod';

/** A frame rate or time base as an exact fraction, in frames per second. 30000/1001 stays 30000/1001. */
export const rational = z.object({ numerator: z.int().positive(), denominator: z.int().positive() });
export type Rational = z.infer<typeof rational>;

export function toNumber(rate: Rational): number {
  return rate.numerator / rate.denominator;
}

/** '30000/1001', '25' or '12.5' -> a reduced fraction. Throws RangeError for anything that is no positive rate. */
export function parseRational(text: string): Rational {
  const [left = '', right = '1'] = text.trim().split('/');
  let numerator = Number(left);
  let denominator = Number(right);
  if (!(numerator > 0 && denominator > 0 && Number.isFinite(numerator) && Number.isFinite(denominator))) {
    throw new RangeError(`expected a positive rate such as 25 or 30000/1001, found "${text}"`);
  }
  while (!Number.isInteger(numerator) || !Number.isInteger(denominator)) {
    numerator *= 10;
    denominator *= 10;
    if (numerator > 1e12) throw new RangeError(`the rate "${text}" has too many digits`);
  }
  return reduce(Math.round(numerator), Math.round(denominator));
}

function reduce(numerator: number, denominator: number): Rational {
  let [a, b] = [numerator, denominator];
  while (b > 0) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}

/** The time at which frame `frame` starts, in seconds. */
export function frameToSeconds(frame: number, rate: Rational): number {
  return (frame * rate.denominator) / rate.numerator;
}

/** The frame shown at `seconds`; a time within a millionth of a frame of the next boundary counts as the next frame. */
export function secondsToFrame(seconds: number, rate: Rational): number {
  return Math.floor((seconds * rate.numerator) / rate.denominator + 1e-6);
}

/** hh:mm:ss:ff without drop-frame counting; frames count up to the rounded rate. */
export function formatTimecode(frame: number, rate: Rational): string {
  const base = Math.max(1, Math.round(toNumber(rate)));
  const seconds = Math.floor(frame / base);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60, frame % base];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
