import type { Probe } from './probe-types.ts';

/** Containers without an index of key frames: ffmpeg searches them by the order of storage and lands anywhere. */
const searchedByStorage = new Set(['mpegts', 'mpeg']);
/** How much further back each new attempt begins, in seconds; after the last one what comes is taken. */
const stepsBack = [0, 2, 8, 32, 128, 512];
export const seekAttempts = stepsBack.length;

/** The part of a source that has to be decoded; in seconds by the file's own clock. */
export interface DecodePlan {
  /** Where reading begins; undefined for the beginning of the file. */
  seek: number | undefined;
  /** Pictures before it are decoded and left out. */
  trimStart: number | undefined;
  /** The first picture must be shown at or before it; a later one means that the seek went past a key frame. */
  firstBy: number;
}

/**
 * How to decode the picture on screen at `fromSeconds` and those after it: from a key frame at or before it, which a scan of the file
 * told. Where none is known the container's own index is trusted at first; each `attempt` after a miss begins further back.
 */
export function planDecode(probe: Probe, fromSeconds: number, attempt: number, keyFramesOnly = false): DecodePlan {
  const tolerance = probe.shortestGap / 4;
  const onScreen = probe.frameTimes?.findLast((time) => time <= fromSeconds + tolerance);
  // Without the times of every frame: as much earlier as a frame can last.
  const wanted = keyFramesOnly ? fromSeconds : (onScreen ?? fromSeconds - Math.max(0.5, probe.longestGap + 0.05));
  const isScanned = wanted <= probe.scannedSeconds;
  const key = isScanned ? probe.keyFrames.findLast(({ shownAt }) => shownAt <= wanted + tolerance) : undefined;
  const start = key ? (searchedByStorage.has(probe.container) ? key.storedAt : key.shownAt) : wanted;
  const isCounted = !probe.hasEveryTime && !keyFramesOnly;
  const seek = isScanned && (!key || isCounted) ? Number.NEGATIVE_INFINITY : start - stepsBack[attempt]!;
  const isInside = probe.hasTimes && seek > probe.startSeconds + tolerance;
  // Deinterlacing looks at the pictures before.
  const kept = keyFramesOnly ? key?.shownAt : wanted - (probe.interlaced ? 0.5 : 0);
  return {
    seek: isInside ? seek + probe.fileStartSeconds : undefined,
    trimStart: isInside && kept !== undefined ? kept - tolerance + probe.fileStartSeconds : undefined,
    firstBy: (onScreen ?? fromSeconds) + tolerance + probe.fileStartSeconds,
  };
}
