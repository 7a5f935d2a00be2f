import { toNumber } from '../../shared/domain/time.ts';
import { packetTimes } from './packet-times.ts';
import { type ProbeDocument, type ProbePacket, type ProbeStream, secondsOr } from './probe-document.ts';
import { clockStep, frameRate, rateWithoutTimes } from './probe-rate.ts';
import type { Probe } from './probe-types.ts';

type Timing = Pick<
  Probe,
  | 'rate'
  | 'variableRate'
  | 'shortestGap'
  | 'longestGap'
  | 'frameCount'
  | 'frameCountExact'
  | 'fileStartSeconds'
  | 'startSeconds'
  | 'endSeconds'
  | 'claimedSeconds'
  | 'scannedSeconds'
  | 'keyFrames'
  | 'keyFrameGap'
  | 'startsWhole'
  | 'hasTimes'
  | 'hasEveryTime'
  | 'frameTimes'
>;

/** Clock steps of a millisecond (Matroska) make gaps of a constant rate differ by as much. */
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
  const { timed, told } = packetTimes(packets, fileStart);
  const keyFrames = timed.filter(({ isKey, shownAt }) => isKey && Number.isFinite(shownAt));
  // Frames before the first key frame have lost what they were made from, in a recording that was cut.
  const firstKey = keyFrames[0]?.shownAt ?? Number.NEGATIVE_INFINITY;
  const visible = timed.filter(({ isHidden }) => !isHidden);
  const shown = visible.filter(({ shownAt }) => !(shownAt < firstKey));
  const times = shown
    .map(({ shownAt }) => shownAt)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  const shortestGap = gaps.reduce((least, gap) => Math.min(least, gap), Number.POSITIVE_INFINITY);
  const longestGap = longestGapOf(times);
  const stepTolerance = Math.min(1.2 * clockStep(stream), shortestGap / 4);
  const variableRate = gaps.length > 0 && longestGap - shortestGap > Math.max(gapTolerance, stepTolerance);
  const duration = secondsOr(packets[0]?.duration_time, 0);
  const rate =
    times.length === 0 && duration > 0 ? rateWithoutTimes(stream, duration) : frameRate(stream, times, variableRate);
  const startSeconds = times[0] ?? Math.max(0, secondsOr(stream.start_time, 0) - fileStart);
  const claimedSeconds = claimedLength(document, stream, startSeconds + fileStart);
  const frameSeconds = 1 / toNumber(rate);
  const lastEnd = (times.at(-1) ?? 0) + (secondsOr(packets.at(-1)?.duration_time, 0) || frameSeconds);
  // At a constant rate each frame has its place: the last packet's own duration may be as wrong as the rate was.
  const inPlace = startSeconds + times.length * frameSeconds;
  const shownEnd =
    variableRate || Math.abs(lastEnd - inPlace) < frameSeconds / 4 ? lastEnd : Math.max(lastEnd, inPlace);
  const readEnd = times.length > 0 ? shownEnd : claimedSeconds || shown.length / toNumber(rate);
  const counted = Number(stream.nb_frames) || Math.round(claimedSeconds * toNumber(rate));
  return {
    rate,
    variableRate,
    shortestGap: gaps.length > 0 ? shortestGap : frameSeconds,
    longestGap: gaps.length > 0 ? longestGap : frameSeconds,
    frameCount: Math.max(1, packetsComplete ? shown.length : counted),
    frameCountExact: packetsComplete && shown.length > 0,
    fileStartSeconds: fileStart,
    startSeconds,
    endSeconds: packetsComplete ? readEnd : Math.max(readEnd, startSeconds + claimedSeconds),
    claimedSeconds,
    scannedSeconds: packetsComplete ? Number.POSITIVE_INFINITY : (times.at(-1) ?? 0),
    keyFrames: keyFrames.map(({ shownAt, storedAt }) => ({ shownAt, storedAt })),
    keyFrameGap: longestGapOf([...keyFrames.map((key) => key.shownAt), readEnd]),
    startsWhole: shown.length === visible.length,
    hasTimes: told !== 'none',
    hasEveryTime: told === 'all',
    frameTimes: packetsComplete && times.length === shown.length && times.length > 0 ? times : undefined,
  };
}

/**
 * How long the container says the video is. What Matroska writes (its Duration as ffmpeg fills it in, the DURATION tag) is when
 * the video ends by its own clock, which does not begin at 0 in every file.
 */
function claimedLength(document: ProbeDocument, stream: ProbeStream, start: number): number {
  const own = secondsOr(stream.duration, Number.NaN);
  if (Number.isFinite(own)) return own;
  const end = secondsOr(stream.tags?.DURATION, secondsOr(document.format?.duration, 0));
  const isMatroska = document.format?.format_name?.startsWith('matroska') ?? false;
  return isMatroska && end > start ? end - start : end;
}

function longestGapOf(times: number[]): number {
  return times.slice(1).reduce((most, time, index) => Math.max(most, time - times[index]!), 0);
}
