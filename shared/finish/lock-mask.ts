import { type ClipPair, keptMaps, neighbourMeans } from './in-time.ts';
import { quantileOf } from './quantile.ts';
import { smoothStep } from './smooth-step.ts';
import { windowMeans } from './windows.ts';

/**
 * Where an edit changes much, for locking all else: from how far it moved each place, softly between two shares of what it moved the most
 * changed places. Of use for edits of a thing; an edit of the light changes everything, much of it a little (test/studies).
 */

/** What counts as much: this percentile of the change. */
const percentile = 0.95;
/** Locked below the first share of that, free above the second. */
const [lockedShare, freeShare] = [0.02, 0.1];
/** Windows of 9 x 9 of the model's pixels, so that a thing is free with its edges. */
const radius = 4;
/** Squared differences smaller than this, of values from 0 to 1, are the autoencoder's own. */
const smallest = 4e-4;

/** -> for each frame [height, width], 0 locked to 1 free. */
export function lockMasks({ before, after, width, height, frameCount }: ClipPair): Float32Array[] {
  const changes = keptMaps((frame) => changeOf(before(frame), after(frame), width, height));
  const near = neighbourMeans(changes, frameCount);
  const moved = Array.from({ length: frameCount }, (_, frame) => near(frame));
  const most = Math.max(smallest, quantileOf(moved, percentile));
  return moved.map((frame) =>
    frame.map((change) => {
      return smoothStep(change / most, lockedShare, freeShare);
    }),
  );
}

function changeOf(before: Float32Array, after: Float32Array, width: number, height: number): Float32Array {
  const squares = new Float32Array(width * height);
  for (let pixel = 0; pixel < squares.length; pixel++)
    for (let channel = 0; channel < 3; channel++)
      squares[pixel]! += (after[3 * pixel + channel]! - before[3 * pixel + channel]!) ** 2 / 3;
  return windowMeans(squares, { width, height, channels: 1 }, radius);
}
