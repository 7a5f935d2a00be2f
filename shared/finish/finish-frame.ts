import { coefficientCount, lumaWeights } from './affine.ts';
import { type ColourChange, partsOf, type WantedChange } from './change.ts';
import { mapAt, placeInTime } from './in-time.ts';
import { type LayOver, layOver } from './lay-over.ts';
import { type FinishedPicture, type PictureValues, peakOf } from './picture.ts';
import type { Placement } from './placement.ts';
import { createRecolourer } from './recolour-picture.ts';
import { closeShare, evenShare } from './trust.ts';

/** One picture to finish and how. */
export interface FinishSettings extends WantedChange {
  /** Where the model's picture lies in those to be finished. */
  placement: Placement;
  /** How much of the change is made, 1 for all; more exaggerates it. Default 1. */
  amount?: number | undefined;
  /** How much colour what is changed has: 0 is black and white. Default 1. */
  colour?: number | undefined;
}

/**
 * Does the change to pictures, one after the other; keeps one map of the model's size in memory and nothing of a picture's.
 * `time` counts in the model's frames, with fractions; before the first and after the last, theirs holds.
 */
export function createFinisher(
  change: ColourChange,
  settings: FinishSettings,
): {
  /**
   * RGB [height, width, 3] of 8 or 16 bits, or RGBA of which A stays, -> the same, finished; `to` may be the picture itself.
   * Rows from `firstRow` up to `endRow` only, so that several can share a picture.
   */
  finish(
    picture: FinishedPicture,
    time: number,
    to: PictureValues,
    rows?: { firstRow?: number; endRow?: number },
  ): void;
} {
  const { placement, keepDetail, amount = 1, colour = 1, carried = false } = settings;
  if (change.recolouring) return createRecolourer({ ...change, recolouring: change.recolouring }, settings);
  const parts = partsOf(keepDetail);
  const needsEven = parts.even || carried;
  if ((needsEven && !change.even) || (parts.close && !change.close) || (needsEven && parts.close && !change.trust))
    throw new Error(
      `this change was not found for pictures that keep ${keepDetail} of the detail${carried ? ' beyond its clip' : ''}`,
    );
  const { width, height } = change;
  /** The change at one moment: a small map, to be laid over a picture of any size. */
  const moment = new Float32Array(width * height * coefficientCount);
  let momentAt = Number.NaN;

  return {
    finish(
      picture: FinishedPicture,
      time: number,
      to: PictureValues,
      { firstRow = 0, endRow = picture.height } = {},
    ): void {
      if (time !== momentAt) {
        // What is carried on follows the picture itself, not the one that the model saw at that time.
        const even = carried ? change.even!.changeOf(smallOf(picture, placement, change), time) : null;
        const detail = carried ? fadedDetail(change, keepDetail, time) : keepDetail;
        takeMoment(change, time, detail, even, moment);
        if (colour !== 1) colourMoment(colour, moment);
        if (change.masks || amount !== 1) holdMoment(change, time, amount, moment);
      }
      momentAt = time;
      const columns = layOver(picture.width, placement, change);
      const across = new Float32Array(width * coefficientCount);
      for (let row = firstRow; row < endRow; row++) {
        columns.rowOf(moment, coefficientCount, row, across);
        changeRow(picture, row, to, across, columns);
      }
    },
  };
}

/** Draws what comes out towards its luma, or away from it: linear, as the change is. */
function colourMoment(colour: number, coefficients: Float32Array): void {
  const [red, green, blue] = lumaWeights;
  /** Three values a stride apart, one for each channel that comes out. */
  const draw = (values: Float32Array, at: number, stride: number) => {
    const luma = red * values[at]! + green * values[at + stride]! + blue * values[at + 2 * stride]!;
    for (let out = 0; out < 3; out++) {
      const value = at + out * stride;
      values[value] = luma + colour * (values[value]! - luma);
    }
  };
  for (let at = 0; at < coefficients.length; at += coefficientCount) {
    for (let into = 0; into < 3; into++) draw(coefficients, at + into, 3);
    draw(coefficients, at + 9, 1);
  }
}

/** Where little or nothing is to change the change becomes small or none. */
function holdMoment({ masks }: ColourChange, time: number, amount: number, coefficients: Float32Array): void {
  const mask = masks && mapAt(masks, time);
  for (let pixel = 0, at = 0; at < coefficients.length; pixel++, at += coefficientCount) {
    const free = amount * (mask ? mask[pixel]! : 1);
    for (let value = 0; value < coefficientCount; value++) coefficients[at + value]! *= free;
    for (let channel = 0; channel < 3; channel++) coefficients[at + 4 * channel]! += 1 - free;
  }
}

/** How many of the model's frames beyond a clip what is close in a change still shows. */
const fadeFrames = 4;

/** Towards 1 outside of the clip. */
function fadedDetail({ frameCount }: ColourChange, keepDetail: number, time: number): number {
  const outside = Math.max(0, -time, time - (frameCount - 1));
  return 1 - (1 - keepDetail) * Math.max(0, 1 - outside / fadeFrames);
}

/** The picture as the model would see it: means over its pixels, [height, width, 3] from 0 to 1. */
function smallOf(
  { rgb, width, height, step = 3 }: FinishedPicture,
  placement: Placement,
  small: { width: number; height: number },
): Float32Array {
  const edges = (start: number, length: number, cells: number, limit: number) =>
    Array.from({ length: cells }, (_, cell) => {
      const first = Math.min(limit - 1, Math.max(0, Math.round(start + (cell * length) / cells)));
      return [first, Math.min(limit, Math.max(first + 1, Math.round(start + ((cell + 1) * length) / cells)))] as const;
    });
  const across = edges(placement.left, placement.width, small.width, width);
  const down = edges(placement.top, placement.height, small.height, height);
  const to = new Float32Array(small.width * small.height * 3);
  const peak = peakOf(rgb);
  let place = 0;
  for (const [top, bottom] of down) {
    for (const [left, right] of across) {
      let [red, green, blue] = [0, 0, 0];
      for (let y = top; y < bottom; y++) {
        for (let x = left, at = (y * width + left) * step; x < right; x++, at += step) {
          red += rgb[at]!;
          green += rgb[at + 1]!;
          blue += rgb[at + 2]!;
        }
      }
      const scale = 1 / (peak * (bottom - top) * (right - left));
      to[place++] = red * scale;
      to[place++] = green * scale;
      to[place++] = blue * scale;
    }
  }
  return to;
}

/** Everything that is small is linear in time between the model's frames: carried along by optical flow it errs as much (test/studies). */
function takeMoment(
  change: ColourChange,
  time: number,
  keepDetail: number,
  carried: Float32Array | null,
  to: Float32Array,
): void {
  const { first, second, share } = placeInTime(time, change.frameCount);
  to.fill(0);
  addFrame(change, first, 1 - share, keepDetail, carried, to);
  if (share > 0) addFrame(change, second, share, keepDetail, carried, to);
}

/** The change at one of the model's frames, times `weight`, onto `to`. */
function addFrame(
  change: ColourChange,
  frame: number,
  weight: number,
  keepDetail: number,
  carried: Float32Array | null,
  to: Float32Array,
): void {
  const even = keepDetail > 0 ? (carried ?? change.even!.coefficients(frame)) : null;
  if (!even || keepDetail >= 1) {
    const only = even ?? change.close!.whole(frame);
    for (let at = 0; at < to.length; at++) to[at]! += weight * only[at]!;
    return;
  }
  const [local, whole] = [change.close!.local(frame), change.close!.whole(frame)];
  const { even: explains, residual, noise, clean } = change.trust!;
  const [explained, left] = [explains(frame), residual(frame)];
  // Everywhere alike as far as the edit is not clean.
  const alike = weight * (1 - clean);
  const evenAlike = alike * Math.max(0, 2 * keepDetail - 1);
  const wholeAlike = alike * Math.max(0, 1 - 2 * keepDetail);
  const byLocal = alike - evenAlike - wholeAlike;
  for (let pixel = 0, at = 0; at < to.length; pixel++, at += coefficientCount) {
    const close = weight * clean * closeShare(left[pixel]!, noise, keepDetail);
    const evened = (weight * clean - close) * evenShare(explained[pixel]!, keepDetail);
    const byEven = evenAlike + evened;
    const byWhole = wholeAlike + close;
    for (let value = 0; value < coefficientCount; value++)
      to[at + value]! += byEven * even[at + value]! + byLocal * local[at + value]! + byWhole * whole[at + value]!;
    for (let channel = 0; channel < 3; channel++) to[at + 4 * channel]! += weight * clean - close - evened;
  }
}

/** One row of the picture by a row of coefficients [width, 12]. */
function changeRow(
  { rgb, width, step = 3 }: FinishedPicture,
  row: number,
  to: PictureValues,
  across: Float32Array,
  { left, right, share }: LayOver,
) {
  const peak = peakOf(rgb);
  let at = row * width * step;
  for (let column = 0; column < width; column++, at += step) {
    if (step === 4) to[at + 3] = rgb[at + 3]!;
    const first = left[column]! * coefficientCount;
    const second = right[column]! * coefficientCount;
    const s = share[column]!;
    const r = rgb[at]!;
    const g = rgb[at + 1]!;
    const b = rgb[at + 2]!;
    for (let out = 0; out < 3; out++) {
      const f = first + 3 * out;
      const n = second + 3 * out;
      const ar = across[f]! + s * (across[n]! - across[f]!);
      const ag = across[f + 1]! + s * (across[n + 1]! - across[f + 1]!);
      const ab = across[f + 2]! + s * (across[n + 2]! - across[f + 2]!);
      const bias = across[first + 9 + out]! + s * (across[second + 9 + out]! - across[first + 9 + out]!);
      to[at + out] = roundWithin(r * ar + g * ag + b * ab + peak * bias, peak);
    }
  }
}

/** The largest value that a picture can hold. */
function roundWithin(value: number, peak: number): number {
  return value <= 0 ? 0 : value >= peak ? peak : (value + 0.5) | 0;
}
