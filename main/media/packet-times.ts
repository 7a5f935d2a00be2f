import { type ProbePacket, secondsOr } from './probe-document.ts';

/** One stored frame; NaN for what the file does not tell. */
export interface TimedPacket {
  shownAt: number;
  /** Its place in the order of storage. */
  storedAt: number;
  isKey: boolean;
  /** Decoded and not shown: an edit list starts after it. */
  isHidden: boolean;
}

/** A stray packet without a time does no harm. */
const allButFew = 0.99;

/**
 * When each frame is shown, in seconds from the file's start, in the order of storage. AVI and program streams often tell it of B-frames
 * alone, which are shown as they are stored; a frame that these refer to is shown when the next such one is stored.
 * `told` is how many it is told of.
 */
export function packetTimes(
  packets: readonly ProbePacket[],
  fileStart: number,
): { timed: TimedPacket[]; told: 'all' | 'some' | 'none' } {
  const timed = packets.map(({ pts_time, dts_time, flags }) => ({
    shownAt: secondsOr(pts_time, Number.NaN) - fileStart,
    storedAt: secondsOr(dts_time, secondsOr(pts_time, Number.NaN)) - fileStart,
    isKey: flags?.startsWith('K') ?? false,
    isHidden: flags?.includes('D') ?? false,
  }));
  const known = timed.filter(({ shownAt }) => Number.isFinite(shownAt)).length;
  const told = known >= allButFew * timed.length ? 'all' : known > 0 ? 'some' : 'none';
  const last = timed.at(-1)?.storedAt ?? 0;
  let next = last + (timed.length > 1 ? (last - timed[0]!.storedAt) / (timed.length - 1) : 0);
  for (const packet of timed.toReversed()) {
    if (Number.isFinite(packet.shownAt) && packet.shownAt <= packet.storedAt) continue; // a B-frame
    if (!Number.isFinite(packet.shownAt)) packet.shownAt = told === 'none' ? packet.storedAt : next;
    next = packet.storedAt;
  }
  return { timed, told };
}
