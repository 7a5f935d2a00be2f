import type { Clip } from '../../../shared/domain/clip.ts';
import { frameToSeconds } from '../../../shared/domain/time.ts';

/**
 * The range of the source, in seconds, that the marks of the timeline (frames of the source) ask for. Without marks it is the clip's own:
 * another crop or model does not change what was chosen. With one mark the other end is the source's, or where the clip begins.
 */
export function markedRange(
  clip: Pick<Clip, 'source' | 'fromSeconds' | 'toSeconds'>,
  { inFrame, outFrame }: { inFrame: number | null; outFrame: number | null },
): { fromSeconds: number; toSeconds: number | undefined } {
  const { rate } = clip.source;
  if (inFrame === null && outFrame === null) return { fromSeconds: clip.fromSeconds, toSeconds: clip.toSeconds };
  const toSeconds = outFrame === null ? undefined : frameToSeconds(outFrame + 1, rate);
  if (inFrame !== null) return { fromSeconds: frameToSeconds(inFrame, rate), toSeconds };
  const isBefore = toSeconds !== undefined && toSeconds <= clip.fromSeconds;
  return { fromSeconds: isBefore ? 0 : clip.fromSeconds, toSeconds };
}
