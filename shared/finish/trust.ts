import { changeColours } from './affine.ts';
import { type ClipPair, type FrameMaps, keptMaps, neighbourMeans } from './in-time.ts';
import { quantileOf } from './quantile.ts';
import { smoothStep } from './smooth-step.ts';
import { windowMeans } from './windows.ts';

/**
 * How far an edit is to be followed where the even change does not explain it. A model that does what it was asked for and nothing else
 * changes a shirt much and the rest not at all; one that strays changes everything, and what is unexplained is then as likely a fault
 * as the wish. So most of the picture tells how clean an edit is, by the median of what is left of it. Of a clean one all that is more than
 * that noise comes in, by the gain of a Wiener filter (1 - noise / residual), and the even change stays out where the edit has left the clip.
 */
export interface Trust {
  /** 1 where the even change explains the edit, 0 where no change does so better; for each frame [height, width]. */
  even: FrameMaps;
  /** Mean square of what those leave of the edit, in small windows; for each frame [height, width]. */
  residual: FrameMaps;
  /** How large that usually is: its median over the clip. */
  noise: number;
  /** From that: 1 for an edit that leaves alone or evenly changes most of its clip, towards 0 for one that strays everywhere. */
  clean: number;
}

/** Windows of 9 x 9 of the model's pixels tell whether the even change explains an edit, of 5 x 5 how much is left. */
const [explainedRadius, residualRadius] = [4, 2];
/** The even change is done where its share in what both it and no change leave of the edit is less than 1 minus the first, wholly below 1 minus the second. */
const [leastShare, mostShare] = [0.3, 0.7];
/** Mean squares smaller than this, of values from 0 to 1, are the autoencoder's own. */
const smallest = 1e-4;
/** At this noise an edit is half clean: two levels of 255. */
const halfClean = (2 / 255) ** 2;
/** The noise is that of so many frames at most. */
const sampledFrames = 17;

export function findTrust(pair: ClipPair, evenChange: FrameMaps): Trust {
  const { before, after, width, height, frameCount } = pair;
  const leftOf = (made: FrameMaps, radius: number) => {
    const left = keptMaps((frame) =>
      windowMeans(squaresBetween(made(frame), after(frame)), { width, height, channels: 1 }, radius),
    );
    return neighbourMeans(left, frameCount);
  };
  const evened: FrameMaps = (frame) => {
    const to = new Float32Array(width * height * 3);
    changeColours(before(frame), evenChange(frame), to);
    return to;
  };
  const unchanged = leftOf(before, explainedRadius);
  const changed = leftOf(evened, explainedRadius);
  const even = keptMaps((frame) => {
    const left = changed(frame);
    return unchanged(frame).map((without, pixel) => {
      const share = (without + smallest) / (without + left[pixel]! + 2 * smallest);
      return smoothStep(share, leastShare, mostShare);
    });
  });
  const done: FrameMaps = (frame) => {
    const [from, to, share] = [before(frame), evened(frame), even(frame)];
    return to.map((value, at) => from[at]! + share[Math.floor(at / 3)]! * (value - from[at]!));
  };
  const residual = keptMaps(leftOf(done, residualRadius));
  const noise = medianOf(residual, frameCount);
  return { even, residual, noise, clean: 1 / (1 + (noise / halfClean) ** 2) };
}

/** Of a clean edit: how much of it comes in where so much of it is left, from all where no detail is to be kept to none where all is. */
export function closeShare(residual: number, noise: number, keepDetail: number): number {
  if (keepDetail >= 1) return 0;
  const counted = (smallest + noise) * strictness * (keepDetail / (1 - keepDetail)) ** 2;
  return 1 - keepDetail * (residual > counted ? counted / residual : 1);
}

/** Three times the noise counts as such at a detail of 3/4. */
const strictness = 1 / 3;

/** Of a clean edit: how much of the even change is done where it explains so much; near a detail of 1 all of it, wherever. */
export function evenShare(explains: number, keepDetail: number): number {
  return 1 - Math.min(1, 4 * (1 - keepDetail)) * (1 - explains);
}

/** Mean of the three channels' squared differences: two frames [height, width, 3] -> [height, width]. */
function squaresBetween(a: Float32Array, b: Float32Array): Float32Array {
  const squares = new Float32Array(a.length / 3);
  for (let at = 0; at < a.length; at++) squares[Math.floor(at / 3)]! += (a[at]! - b[at]!) ** 2 / 3;
  return squares;
}

function medianOf(maps: FrameMaps, frameCount: number): number {
  const count = Math.min(frameCount, sampledFrames);
  const frames = Array.from({ length: count }, (_, index) => maps(Math.floor(((index + 0.5) * frameCount) / count)));
  return quantileOf(frames, 0.5);
}
