import type { Brush } from '../domain/brush.ts';
import type { Recolour } from '../domain/colour-words.ts';
import { addMoments, changeColours, coefficientCount, lumaOf, momentCount, solveAffine } from './affine.ts';
import { brushedMasks } from './brush.ts';
import { type EvenChange, findEvenChange } from './even-change.ts';
import { type ClipPair, type FrameMaps, keptMaps, neighbourMeans } from './in-time.ts';
import { lockMasks } from './lock-mask.ts';
import { findRecolouring, painted, type Recolouring } from './recolouring.ts';
import { reducedTo } from './reduced.ts';
import { windowMeans } from './windows.ts';

/**
 * What an edit changes in a clip, so that it can be done to the clip itself, at its own size and rate. The model's edit E and the clip R
 * that came through the same autoencoder differ by the edit alone, not by the softness of the model. The edit is explained as an affine
 * change of colour, E ~ R A + b, once evenly over coarse places and brightnesses and once in each small window, as a guided filter does it
 * (He, Sun, Tang, IEEE TPAMI 2013, with a colour guide), both drawn towards the identity: where the clip says nothing about A, its colours
 * stay. Applied to the sharp source, the change carries light and colour and leaves every detail. Colours are R'G'B' from 0 to 1.
 */
export interface ColourChange {
  width: number;
  height: number;
  frameCount: number;
  /** The change by coarse place and brightness; only where it was asked for, as all that follows. */
  even: EvenChange | null;
  /** The change in small windows, for each frame [height, width, 12]. */
  local: FrameMaps | null;
  /** What the local change leaves unexplained, E - (R A + b), and where the edit shows something else. */
  details: ChangeDetails | null;
  /** Where it is done, 0 to 1, for each frame [height, width]; null: everywhere. */
  masks: Float32Array[] | null;
  /** A thing that has another colour, instead of all of the above. */
  recolouring?: Recolouring;
}

/** What pictures need of a change. */
export interface WantedChange {
  /** 1: the even change of colours alone; 1/2: the local one; 0: with what that leaves unexplained, and the edit itself where it shows something else. */
  keepDetail: number;
  /** Whether places that the edit changes little stay as they are. */
  lock?: boolean | undefined;
  /** The colour that a thing has and is to have: where the edit shows it, that thing alone is recoloured, and as a whole. */
  recolour?: Recolour | null | undefined;
  /** Where it is done or not whatever the edit says. */
  brush?: Brush | undefined;
  /**
   * Whether pictures may come from before or after the clip that the change was found in: its even part is carried on by what they show,
   * the rest fades within half a second of it. Default: they hold what is at its ends.
   */
  carried?: boolean | undefined;
}

interface ChangeDetails {
  /** For each frame [height, width, 3]. */
  unexplained: FrameMaps;
  /** The edit itself, for each frame [height, width, 3]. */
  edited: FrameMaps;
  /** 1 where the edit has the structure of the clip, 0 where it shows something else; for each frame [height, width]. */
  agreement: FrameMaps;
}

/** Pictures as the model makes them: uint8 RGB [frameCount, height, width, 3]. */
export interface SmallClip {
  data: Uint8Array;
  frameCount: number;
  width: number;
  height: number;
}

/** Windows of 7 x 7 of the model's pixels; smaller ones copy the model's blur, larger ones straddle more edges (measured on truth: test/studies). */
const windowRadius = 3;
/** How strongly A is drawn to the identity, as a variance of colour. */
const identityPull = 5e-4;
/** Correlation says nothing about windows with less variance of luma than this: they count as agreeing. */
const flatVariance = 30 / 255 ** 2;

/**
 * Which parts of a change pictures need that keep so much of the clip's detail, and their shares: at 1 the even change alone, at 1/2 the
 * local one alone, at 0 the local one with what it leaves unexplained and the edit itself; in between, a blend of two.
 */
export function partsOf(keepDetail: number) {
  return { even: Math.max(0, 2 * keepDetail - 1), details: Math.max(0, 1 - 2 * keepDetail) };
}

/**
 * The change from `base` (the clip as it comes out of the autoencoder) to `edited` (the edit), two clips of one size and length, as far as
 * pictures need it. Throws RangeError when the clips do not fit each other.
 */
export function findChange(
  base: SmallClip,
  edited: SmallClip,
  { keepDetail, lock = false, recolour = null, brush = [], carried = false }: WantedChange,
): ColourChange {
  const { width, height, frameCount } = base;
  if (edited.width !== width || edited.height !== height || edited.frameCount !== frameCount)
    throw new RangeError(
      `expected an edit of ${frameCount} frames of ${width} x ${height}, found ${edited.frameCount} of ${edited.width} x ${edited.height}`,
    );
  const before = framesOf(base);
  const after = framesOf(edited);
  const parts = partsOf(keepDetail);
  const pair = { before, after, width, height, frameCount };
  const recoloured = recolour && recolouringOf(pair, recolour);
  if (recoloured) return withBrush(recoloured, brush);
  const even = parts.even > 0 || carried ? findEvenChange(pair) : null;
  const local = parts.even < 1 ? localChange(pair) : null;
  const details = local && parts.details > 0 ? detailsOf(pair, local) : null;
  const masks = lock ? lockMasks(pair) : null;
  return withBrush({ width, height, frameCount, even, local, details, masks }, brush);
}

/** A thing of another colour: as many frames, and maps of at most so many pixels in all. */
const recolouredPixels = 6e6;

function recolouringOf(pair: ClipPair, recolour: Recolour): ColourChange | null {
  const small = reducedTo(pair, recolouredPixels);
  const recolouring = findRecolouring(small, recolour);
  const { width, height, frameCount } = small;
  const nothing = { even: null, local: null, details: null };
  return recolouring && { width, height, frameCount, ...nothing, masks: recolouring.masks, recolouring };
}

/** A change that was found without a brush, with it. */
export function withBrush(change: ColourChange, brush: Brush): ColourChange {
  const masks = brushedMasks(change.masks, brush, change);
  const { recolouring } = change;
  return {
    ...change,
    masks,
    ...(recolouring &&
      brush.length > 0 && { recolouring: painted(recolouring, (maps) => brushedMasks(maps, brush, change)!) }),
  };
}

/** Each frame's fit, averaged with those of its neighbours. */
function localChange({ before, after, width, height, frameCount }: ClipPair): FrameMaps {
  const fits = keptMaps((frame) => fitFrame(before(frame), after(frame), width, height));
  return keptMaps(neighbourMeans(fits, frameCount));
}

function framesOf({ data, frameCount, width, height }: SmallClip): FrameMaps {
  const size = width * height * 3;
  if (data.length !== frameCount * size)
    throw new RangeError(
      `${frameCount} frames of ${width} x ${height} have ${frameCount * size} bytes, found ${data.length}`,
    );
  return keptMaps((frame) => {
    const colours = new Float32Array(size);
    for (let at = 0; at < size; at++) colours[at] = data[frame * size + at]! / 255;
    return colours;
  });
}

/** Least squares in each window, averaged over the windows that a pixel is in: R, E [height, width, 3] -> [height, width, 12]. */
function fitFrame(before: Float32Array, after: Float32Array, width: number, height: number): Float32Array {
  const pixels = width * height;
  const moments = new Float32Array(pixels * momentCount);
  for (let pixel = 0; pixel < pixels; pixel++) addMoments(before, after, pixel, moments, pixel * momentCount);
  const means = windowMeans(moments, { width, height, channels: momentCount }, windowRadius);
  const fitted = new Float32Array(pixels * coefficientCount);
  for (let pixel = 0; pixel < pixels; pixel++)
    solveAffine(means, pixel * momentCount, identityPull, fitted, pixel * coefficientCount);
  return windowMeans(fitted, { width, height, channels: coefficientCount }, windowRadius);
}

function detailsOf({ before, after, width, height, frameCount }: ClipPair, coefficients: FrameMaps): ChangeDetails {
  const unexplained = keptMaps((index) => {
    const frame = after(index);
    const explained = new Float32Array(frame.length);
    changeColours(before(index), coefficients(index), explained);
    return frame.map((value, at) => value - explained[at]!);
  });
  const each = keptMaps((index) => agreementOf(before(index), after(index), width, height));
  const near = neighbourMeans(each, frameCount);
  // Without the steps of its windows.
  const agreement = keptMaps((index) => windowMeans(near(index), { width, height, channels: 1 }, 1));
  return { unexplained, edited: after, agreement };
}

/** Correlation of the lumas of two frames in windows, cut to 0 to 1: -> [height, width]. */
function agreementOf(before: Float32Array, after: Float32Array, width: number, height: number): Float32Array {
  const pixels = width * height;
  const moments = new Float32Array(pixels * 5);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const r = lumaOf(before, pixel);
    const e = lumaOf(after, pixel);
    moments[5 * pixel] = r;
    moments[5 * pixel + 1] = e;
    moments[5 * pixel + 2] = r * r;
    moments[5 * pixel + 3] = e * e;
    moments[5 * pixel + 4] = r * e;
  }
  const m = windowMeans(moments, { width, height, channels: 5 }, windowRadius);
  const agreement = new Float32Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const r = m[5 * pixel]!;
    const e = m[5 * pixel + 1]!;
    const varianceBefore = Math.max(0, m[5 * pixel + 2]! - r * r);
    const varianceAfter = Math.max(0, m[5 * pixel + 3]! - e * e);
    const covariance = m[5 * pixel + 4]! - r * e;
    const correlation = (covariance + flatVariance) / (Math.sqrt(varianceBefore * varianceAfter) + flatVariance);
    agreement[pixel] = Math.min(1, Math.max(0, correlation));
  }
  return agreement;
}
