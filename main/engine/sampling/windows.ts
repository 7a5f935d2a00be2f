/**
 * A clip that is longer than the model's is made window by window, each from its own pictures and with the same noise. Neighbours share
 * some frames, across which one goes over into the next.
 */

/**
 * Joins windows that come in order, of frames of `frameBytes` values: each goes over linearly into the next across the frames that they
 * share. Answers what is final of each as it comes; `isLast` ends the clip.
 */
export function createJoiner(frameBytes: number): (first: number, frames: Uint8Array, isLast: boolean) => Uint8Array {
  let pending = new Uint8Array(0);
  let pendingFirst = 0;
  return (first, frames, isLast) => {
    const before = pending.subarray(0, (first - pendingFirst) * frameBytes);
    const shared = pending.subarray(before.length);
    const joined = frames.slice();
    const sharedCount = shared.length / frameBytes;
    for (let frame = 0; frame < sharedCount; frame++) {
      const share = (frame + 1) / (sharedCount + 1);
      for (let at = frame * frameBytes; at < (frame + 1) * frameBytes; at++)
        joined[at] = Math.round(shared[at]! + share * (joined[at]! - shared[at]!));
    }
    pending = joined;
    pendingFirst = first;
    return isLast ? Buffer.concat([before, joined]) : before;
  };
}
