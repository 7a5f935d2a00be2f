import { type Rational, toNumber } from '../../shared/domain/time.ts';
import { createFrameSampler } from './frame-sampler.ts';
import { type ProbeStream, rationalNumber, rationalOr } from './probe-document.ts';
import type { Probe } from './probe-types.ts';

/** Rates that cameras, films and animations have, where a file's own word is wrong. */
const usualRates: readonly Rational[] = [
  ...[24, 30, 48, 60, 120].flatMap((whole) => [
    { numerator: whole, denominator: 1 },
    { numerator: whole * 1000, denominator: 1001 },
  ]),
  ...[5, 6, 8, 10, 12, 15, 16, 18, 20, 25, 50, 90, 100, 144, 240].map((numerator) => ({ numerator, denominator: 1 })),
  { numerator: 25, denominator: 2 },
];

/** How far a rate may be off before the packets' times overrule it; 24 and 24000/1001 are closer together. */
const relativeTolerance = 0.002;

/** The step of a stream's clock in seconds: 0.001 in Matroska, 0.01 in GIF. */
export function clockStep(stream: ProbeStream): number {
  const step = rationalNumber(stream.time_base);
  return step > 0 ? step : 0.001;
}

/**
 * The rate of frames at `times` (sorted seconds). A file's own two rates are taken only where its times agree: one is the least
 * common rate of odd files (twice the true one when interlaced), the other whatever the muxer was told.
 */
export function frameRate(stream: ProbeStream, times: readonly number[], variable: boolean): Rational {
  const nominal = rationalOr(stream.r_frame_rate, { numerator: 25, denominator: 1 });
  const average = rationalOr(stream.avg_frame_rate, nominal);
  const length = times.length > 1 ? times.at(-1)! - times[0]! : 0;
  if (length <= 0) return toNumber(nominal) <= 240 ? nominal : average;
  const measured = (times.length - 1) / length;
  // Of a varying rate the last frame's own duration counts too, which the times do not tell.
  const tolerance = variable
    ? 0.05 + 1 / times.length
    : relativeTolerance + Math.min(0.05, (2 * clockStep(stream)) / length);
  const fits = (rate: Rational) => Math.abs(toNumber(rate) / measured - 1) <= tolerance;
  const said = (variable ? [average] : [nominal, average]).find(fits);
  if (said) return said;
  const distance = (rate: Rational) => Math.abs(toNumber(rate) - measured);
  const usual = usualRates.reduce((best, rate) => (distance(rate) < distance(best) ? rate : best));
  if (Math.abs(toNumber(usual) / measured - 1) <= (variable ? relativeTolerance : tolerance)) return usual;
  return rationalOr(measured.toFixed(3), usual);
}

/** Of a varying rate's frames, so many may be left out where all are written at one. */
const lostShare = 0.01;

/**
 * The one rate at which all of a file's frames are to be written: its own, or, where that varies, the lowest usual one that shows
 * nearly every frame. The average would leave out a part of every stretch that is faster.
 */
export function steadyRate({
  rate,
  variableRate,
  frameTimes,
  shortestGap,
  endSeconds,
}: Pick<Probe, 'rate' | 'variableRate' | 'frameTimes' | 'shortestGap' | 'endSeconds'>): Rational {
  if (!variableRate || !frameTimes) return rate;
  const candidates = usualRates
    .filter((usual) => toNumber(usual) <= 120 && toNumber(usual) >= toNumber(rate) * (1 - 2 * lostShare))
    .sort((a, b) => toNumber(a) - toNumber(b));
  const lost = (candidate: Rational) => {
    const startSeconds = frameTimes[0]!;
    const maximum = Number.POSITIVE_INFINITY;
    const sampler = createFrameSampler({ startSeconds, rate: toNumber(candidate), sourceGap: shortestGap, maximum });
    sampler.next(startSeconds);
    return [...frameTimes.slice(1), endSeconds].filter((seconds) => sampler.next(seconds) === 0).length;
  };
  const allowed = Math.max(1, lostShare * frameTimes.length);
  const lowest = candidates.find((candidate) => lost(candidate) <= allowed) ?? candidates.at(-1) ?? rate;
  // Of 30 and 30000/1001 the one that suits better.
  const alike = candidates.filter((candidate) => toNumber(candidate) / toNumber(lowest) <= 1 + relativeTolerance);
  const offGrid = (candidate: Rational) =>
    frameTimes.reduce((sum, seconds) => {
      const place = (seconds - frameTimes[0]!) * toNumber(candidate);
      return sum + Math.abs(place - Math.round(place));
    }, 0);
  return alike.reduce((best, candidate) => (offGrid(candidate) < offGrid(best) ? candidate : best), lowest);
}

/** Raw streams have no times; ffprobe then gives one field's rate, ffmpeg's default, and the packets' true duration. */
export function rateWithoutTimes(stream: ProbeStream, packetSeconds: number): Rational {
  const nominal = rationalOr(stream.r_frame_rate, { numerator: 25, denominator: 1 });
  const average = rationalOr(stream.avg_frame_rate, nominal);
  const half =
    nominal.numerator % 2 === 0
      ? { ...nominal, numerator: nominal.numerator / 2 }
      : { ...nominal, denominator: nominal.denominator * 2 };
  const distance = (rate: Rational) => Math.abs(toNumber(rate) * packetSeconds - 1);
  return [half, average].reduce((best, rate) => (distance(rate) < distance(best) ? rate : best), nominal);
}
