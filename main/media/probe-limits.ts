import { AppError } from '../../shared/ipc/result.ts';
import type { ProbeDocument, ProbeStream } from './probe-document.ts';

/** More frames than five hours have at 24 a second are not listed one by one. */
const mostPackets = 432_000;
/**
 * GIF and its like have no index: every look into one reads all that comes before it. An hour at ten pictures
 * a second.
 */
const mostUnindexedPackets = 36_000;
const unindexed = /\b(gif|apng|webp_pipe|webp_anim)\b/;

const longestSide = 16_384;
const largestRatio = 32;

/** How many frames of a file are listed; one more tells that there are too many. */
export function packetLimit({ format }: Pick<ProbeDocument, 'format'>): number {
  return unindexed.test(format?.format_name ?? '') ? mostUnindexedPackets : mostPackets;
}

/** Throws `unsupported-media` for a picture that no clip could be made of within reason. */
export function requireReasonablePicture({ width = 0, height = 0 }: Pick<ProbeStream, 'width' | 'height'>): void {
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  if (long <= longestSide && long <= short * largestRatio) return;
  throw new AppError(
    'unsupported-media',
    `The picture of ${width} x ${height} pixels is too ${long > longestSide ? 'large' : 'narrow'}.`,
    {
      hint: `Frames can have up to ${longestSide} pixels a side and an aspect ratio of up to ${largestRatio} to 1: crop or scale it first.`,
    },
  );
}

/** Throws `unsupported-media` for an animation of so many frames that looking into it would take forever. */
export function requireReasonableLength(document: Pick<ProbeDocument, 'format'>, packets: number): void {
  const limit = packetLimit(document);
  if (packets <= limit || limit === mostPackets) return;
  throw new AppError('unsupported-media', `The animation has more than ${limit.toLocaleString('en')} frames.`, {
    hint: 'Convert it to MP4 first, or trim it.',
  });
}
