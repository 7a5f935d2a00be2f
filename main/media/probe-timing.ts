import { type Rational, toNumber } from '../../shared/domain/time.ts';
import { type ProbeDocument, type ProbePacket, type ProbeStream, rationalOr, secondsOr } from './probe-document.ts';
import type { Probe } from './probe-types.ts';

type Timing = Pick<
  Probe,
  | 'rate'
  | 'variableRate'
  | 'shortestGap'
  | 'longestGap'
  | 'frameCount'
  | 'frameCountExact'
  | 'startSeconds'
  | 'endSeconds'
  | 'claimedSeconds'
  | 'keyFrameGap'
  | 'hasTimes'
  | 'frameTimes'
>;

/** Clock ticks of a millisecond (Matroska) make gaps of a constant rate differ by as much. */
const gapTolerance = 0.002;

export interface TimingParts {
  document: ProbeDocument;
  stream: ProbeStream;
  packets: ProbePacket[];
  /** The packets are all there are, not a sample. */
  packetsComplete: boolean;
}

/** Rate, count and times of the frames that are shown, from the packets' times. */
export function parseTiming({ document, stream, packets, packetsComplete }: TimingParts): Timing {
  const fileStart = secondsOr(document.format?.start_time, 0);
  // A packet flagged D is decoded and not shown: an edit list starts after it.
  const shown = packets.filter(({ flags }) => !flags?.includes('D'));
  const hasTimes = shown.some(({ pts_time }) => isTime(pts_time)) || shown.length === 0;
  const times = shown
    .map(({ pts_time, dts_time }) => secondsOr(hasTimes ? pts_time : dts_time, Number.NaN) - fileStart)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  const shortestGap = gaps.reduce((least, gap) => Math.min(least, gap), Number.POSITIVE_INFINITY);
  const longestGap = longestGapOf(times);
  const variableRate = gaps.length > 0 && longestGap - shortestGap > gapTolerance;
  const nominal = rationalOr(stream.r_frame_rate, { numerator: 25, denominator: 1 });
  const average = rationalOr(stream.avg_frame_rate, nominal);
  const duration = secondsOr(packets[0]?.duration_time, 0);
  const rate =
    times.length === 0 && duration > 0
      ? nearestRate(1 / duration, nominal, average)
      : variableRate || !plausible(nominal, gaps)
        ? average
        : nominal;
  const startSeconds = times[0] ?? Math.max(0, secondsOr(stream.start_time, 0) - fileStart);
  const claimedSeconds = secondsOr(
    stream.duration,
    secondsOr(stream.tags?.DURATION, secondsOr(document.format?.duration, 0)),
  );
  const lastDuration = secondsOr(shown.at(-1)?.duration_time, 0) || 1 / toNumber(rate);
  const readEnd = times.length > 0 ? times.at(-1)! + lastDuration : claimedSeconds || shown.length / toNumber(rate);
  const keyTimes = shown
    .filter(({ flags }) => flags?.startsWith('K'))
    .map(({ pts_time }) => secondsOr(pts_time, Number.NaN) - fileStart)
    .filter(Number.isFinite);
  const counted = Number(stream.nb_frames) || Math.round(claimedSeconds * toNumber(rate));
  return {
    rate,
    variableRate,
    shortestGap: gaps.length > 0 ? shortestGap : 1 / toNumber(rate),
    longestGap: gaps.length > 0 ? longestGap : 1 / toNumber(rate),
    frameCount: Math.max(1, packetsComplete ? shown.length : counted),
    frameCountExact: packetsComplete && shown.length > 0,
    startSeconds,
    endSeconds: packetsComplete ? readEnd : Math.max(readEnd, claimedSeconds),
    claimedSeconds,
    keyFrameGap: longestGapOf([...keyTimes, readEnd]),
    hasTimes,
    frameTimes: packetsComplete && times.length === shown.length && times.length > 0 ? times : undefined,
  };
}

/** r_frame_rate is the least common rate: of interlaced or odd files it is a multiple of what is shown. */
function plausible(rate: Rational, gaps: number[]): boolean {
  if (gaps.length === 0) return toNumber(rate) <= 240;
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return Math.abs(mean * toNumber(rate) - 1) < 0.05;
}

function longestGapOf(times: number[]): number {
  return times.slice(1).reduce((most, time, index) => Math.max(most, time - times[index]!), 0);
}

function isTime(text: string | undefined): boolean {
  return text !== undefined && text !== 'N/A';
}

/** Raw streams have no times; ffprobe then gives one field's rate, ffmpeg's default, and the packets' true duration. */
function nearestRate(wanted: number, nominal: Rational, average: Rational): Rational {
  const half =
    nominal.numerator % 2 === 0
      ? { ...nominal, numerator: nominal.numerator / 2 }
      : { ...nominal, denominator: nominal.denominator * 2 };
  const distance = (rate: Rational) => Math.abs(toNumber(rate) - wanted);
  return [half, average].reduce((best, rate) => (distance(rate) < distance(best) ? rate : best), nominal);
}
