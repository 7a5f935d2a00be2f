import { type FlowField, opticalFlow } from './optical-flow.ts';
import type { PictureSize } from './picture.ts';

export interface MotionAgainstSource {
  /** Mean length of the clip's flow over the source's: 1 moves as much, 0 stands still. */
  amount: number;
  /** Cosine between both flow fields over all pixels and frames: 1 moves the same way. */
  agreement: number;
}

/**
 * Compares how two uint8 RGB clips [frames, height, width, 3] of equal size move, by optical flow between
 * consecutive frames.
 */
export function motionAgainstSource(clip: Uint8Array, source: Uint8Array, size: PictureSize): MotionAgainstSource {
  if (clip.length !== source.length) {
    throw new RangeError(`expected clips of equal size, found ${clip.length} and ${source.length} bytes`);
  }
  return compareMotion(flowsOf(clip, size), flowsOf(source, size));
}

/**
 * The optical flow from each frame of a uint8 RGB clip [frames, height, width, 3] to the next. Throws
 * RangeError for fewer than two frames.
 */
export function flowsOf(clip: Uint8Array, size: PictureSize): FlowField[] {
  const frameBytes = size.width * size.height * 3;
  const frames = clip.length / frameBytes;
  if (frames < 2) throw new RangeError('motion needs at least two frames');
  const frame = (index: number) => clip.subarray(index * frameBytes, (index + 1) * frameBytes);
  return Array.from({ length: frames - 1 }, (_, index) => opticalFlow(frame(index), frame(index + 1), size));
}

/** Compares the flows of two clips of equal size. */
export function compareMotion(clip: readonly FlowField[], source: readonly FlowField[]): MotionAgainstSource {
  let [dot, clipSquared, sourceSquared, clipLength, sourceLength] = [0, 0, 0, 0, 0];
  for (const [frame, a] of clip.entries()) {
    const b = source[frame]!;
    for (let i = 0; i < a.x.length; i++) {
      const [ax, ay, bx, by] = [a.x[i]!, a.y[i]!, b.x[i]!, b.y[i]!];
      dot += ax * bx + ay * by;
      clipSquared += ax * ax + ay * ay;
      sourceSquared += bx * bx + by * by;
      clipLength += Math.hypot(ax, ay);
      sourceLength += Math.hypot(bx, by);
    }
  }
  return {
    amount: clipLength / Math.max(sourceLength, 1e-9),
    agreement: dot / Math.max(Math.sqrt(clipSquared * sourceSquared), 1e-9),
  };
}
