import { toNumber } from '../../shared/domain/time.ts';
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
  | 'frameTimes'
>;

/** Clock steps of a millisecond (Matroska) make gaps of a constant rate differ by as much. */
const gapTolerance = 0.002;
/** Of the packets: with fewer times the container (AVI) does not tell when B-frames and their neighbours are shown. */
const leastTimedShare = 0.9;

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
  const since = (time: string | undefined) => secondsOr(time, Number.NaN) - fileStart;
  // A packet flagged D is decoded and not shown: an edit list starts after it.
  const visible = packets.filter(({ flags }) => !flags?.includes('D'));
  const timed = visible.filter(({ pts_time }) => isTime(pts_time)).length;
  const hasTimes = timed >= leastTimedShare * visible.length;
  const shownAt = ({ pts_time, dts_time }: ProbePacket) =>
    since(hasTimes && isTime(pts_time) ? pts_time : (dts_time ?? pts_time));
  const keyFrames = packets
    .filter((packet) => packet.flags?.startsWith('K') && Number.isFinite(shownAt(packet)))
    .map((packet) => ({
      shownAt: shownAt(packet),
      storedAt: secondsOr(packet.dts_time, secondsOr(packet.pts_time, 0)) - fileStart,
    }));
  // Frames before the first key frame have lost what they were made from, in a recording that was cut.
  const first = keyFrames[0]?.shownAt ?? Number.NEGATIVE_INFINITY;
  const shown = visible.filter((packet) => !(shownAt(packet) < first));
  const times = shown
    .map(shownAt)
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
  // Longer than a frame's place in a constant rate no last frame stays: its own duration may be as wrong as the rate.
  const lastDuration = secondsOr(shown.at(-1)?.duration_time, 0);
  const frameSeconds = 1 / toNumber(rate);
  const lastSeconds =
    lastDuration > 0 && (variableRate || lastDuration < 1.5 * frameSeconds) ? lastDuration : frameSeconds;
  const readEnd = times.length > 0 ? times.at(-1)! + lastSeconds : claimedSeconds || shown.length / toNumber(rate);
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
    keyFrames,
    keyFrameGap: longestGapOf([...keyFrames.map((key) => key.shownAt), readEnd]),
    startsWhole: shown.length === visible.length,
    hasTimes,
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

function isTime(text: string | undefined): boolean {
  return text !== undefined && text !== 'N/A';
}
