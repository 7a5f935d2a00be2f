import { coefficientCount, lumaWeights } from './affine.ts';
import { type ColourChange, partsOf, type WantedChange } from './change.ts';
import { type FrameMaps, placeInTime } from './in-time.ts';
import type { Placement } from './placement.ts';
import { createRecolourer } from './recolour-picture.ts';

/** One picture to finish and how. */
export interface FinishSettings extends WantedChange {
  /** Where the model's picture lies in those to be finished. */
  placement: Placement;
  /** How much of the change is made, 1 for all; more exaggerates it. Default 1. */
  amount?: number | undefined;
  /** How much colour what is changed has: 0 is black and white. Default 1. */
  colour?: number | undefined;
}

/** Values of a picture: of 8 bits, or of 16. */
export type PictureValues = Uint8Array | Uint8ClampedArray | Uint16Array;

export interface FinishedPicture {
  rgb: PictureValues;
  width: number;
  height: number;
  /** Values of a pixel: 4 for RGBA. Default 3. */
  step?: 3 | 4;
}

/** A change at one moment: small maps, to be laid over a picture of any size. */
interface Moment {
  coefficients: Float32Array;
  /** Unexplained, edited and agreement side by side: [height, width, 7]. */
  details: Float32Array | null;
}

const detailCount = 7;

/**
 * Does the change to pictures, one after the other; keeps two maps of the model's size in memory and nothing of a picture's.
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
  let shares = partsOf(keepDetail);
  const isMixed = shares.details > 0;
  if ((shares.even > 0 && !change.even) || (shares.even < 1 && !change.local) || (isMixed && !change.details))
    throw new Error(`this change was not found for pictures that keep ${keepDetail} of the detail`);
  if (carried && !change.even) throw new Error('this change was not found to be carried beyond its clip');
  const { width, height } = change;
  const moment: Moment = {
    coefficients: new Float32Array(width * height * coefficientCount),
    details: isMixed ? new Float32Array(width * height * detailCount) : null,
  };
  let momentAt = Number.NaN;

  return {
    finish(
      picture: FinishedPicture,
      time: number,
      to: PictureValues,
      { firstRow = 0, endRow = picture.height } = {},
    ): void {
      if (time !== momentAt) {
        if (carried) shares = partsOf(fadedDetail(change, keepDetail, time));
        // What is carried on follows the picture itself, not the one that the model saw at that time.
        const even =
          carried && shares.even > 0 ? change.even!.changeOf(smallOf(picture, placement, change), time) : null;
        takeMoment(change, time, shares.even, even, moment);
        if (colour !== 1) colourMoment(colour, moment);
        if (change.masks || amount !== 1) holdMoment(change, time, amount, moment);
      }
      momentAt = time;
      const columns = columnsOf(picture.width, placement.left, placement.width, width);
      const across = new Float32Array(width * coefficientCount);
      const detailRow = moment.details ? new Float32Array(width * detailCount) : null;
      for (let row = firstRow; row < endRow; row++) {
        const y = ((row + 0.5 - placement.top) * height) / placement.height - 0.5;
        blendRows(moment.coefficients, y, width, height, coefficientCount, across);
        if (moment.details && detailRow && shares.details > 0) {
          cubicRows(moment.details, y, width, height, detailCount, detailRow);
          mixRow(picture, row, to, across, detailRow, columns, shares.details);
        } else changeRow(picture, row, to, across, columns);
      }
    },
  };
}

/** Draws what comes out towards its luma, or away from it: linear, as the change is. */
function colourMoment(colour: number, { coefficients, details }: Moment): void {
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
  if (!details) return;
  for (let at = 0; at < details.length; at += detailCount) {
    draw(details, at, 1);
    draw(details, at + 3, 1);
  }
}

/** Where little or nothing is to change the change becomes small or none, and the clip's own structure agrees with the edit. */
function holdMoment(
  { masks, frameCount }: ColourChange,
  time: number,
  amount: number,
  { coefficients, details }: Moment,
): void {
  const { first, second, share } = placeInTime(time, frameCount);
  const [a, b] = [masks?.[first], masks?.[second]];
  for (let pixel = 0, at = 0; at < coefficients.length; pixel++, at += coefficientCount) {
    const free = amount * (a && b ? a[pixel]! + share * (b[pixel]! - a[pixel]!) : 1);
    for (let value = 0; value < coefficientCount; value++) coefficients[at + value]! *= free;
    for (let channel = 0; channel < 3; channel++) coefficients[at + 4 * channel]! += 1 - free;
    if (!details) continue;
    for (let channel = 0; channel < 3; channel++) details[pixel * detailCount + channel]! *= free;
    const agreement = pixel * detailCount + 6;
    details[agreement] = 1 - free * (1 - details[agreement]!);
  }
}

/** How many of the model's frames beyond a clip what is local in a change still shows. */
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
  { even, local, details, frameCount }: ColourChange,
  time: number,
  evenShare: number,
  carried: Float32Array | null,
  to: Moment,
): void {
  const { first, second, share } = placeInTime(time, frameCount);
  const blend = (maps: FrameMaps, place: (value: number, at: number) => void) => {
    const [a, b] = [maps(first), maps(second)];
    for (let at = 0; at < a.length; at++) place(a[at]! + share * (b[at]! - a[at]!), at);
  };
  to.coefficients.fill(0);
  for (const [maps, weight] of [
    [carried ? null : even?.coefficients, evenShare],
    [local, 1 - evenShare],
  ] as const) {
    if (!maps || weight === 0) continue;
    blend(maps, (value, at) => {
      to.coefficients[at]! += weight * value;
    });
  }
  if (carried) for (let at = 0; at < carried.length; at++) to.coefficients[at]! += evenShare * carried[at]!;
  const into = to.details;
  if (!into || !details) return;
  blend(details.unexplained, (value, at) => {
    into[Math.floor(at / 3) * detailCount + (at % 3)] = value;
  });
  blend(details.edited, (value, at) => {
    into[Math.floor(at / 3) * detailCount + 3 + (at % 3)] = value;
  });
  blend(details.agreement, (value, at) => {
    into[at * detailCount + 6] = value;
  });
}

/** For each column of a picture the column of the map to its left and how far to the right of that it lies; edges go on outwards. */
interface Columns {
  left: Int32Array;
  share: Float32Array;
  /** Four for each column: those of the map's columns from one before `left` on. */
  cubic: Float32Array;
  count: number;
}

function columnsOf(pictureWidth: number, placeLeft: number, placeWidth: number, width: number): Columns {
  const left = new Int32Array(pictureWidth);
  const share = new Float32Array(pictureWidth);
  const cubic = new Float32Array(4 * pictureWidth);
  for (let column = 0; column < pictureWidth; column++) {
    const x = Math.min(width - 1, Math.max(0, ((column + 0.5 - placeLeft) * width) / placeWidth - 0.5));
    left[column] = Math.floor(x);
    share[column] = x - left[column]!;
    cubic.set(cubicWeights(share[column]!), 4 * column);
  }
  return { left, share, cubic, count: width };
}

/** One row between two of a map [height, width, channels]. */
function blendRows(map: Float32Array, y: number, width: number, height: number, channels: number, to: Float32Array) {
  const clamped = Math.min(height - 1, Math.max(0, y));
  const above = Math.floor(clamped);
  const share = clamped - above;
  const length = width * channels;
  const [first, second] = [above * length, Math.min(height - 1, above + 1) * length];
  for (let at = 0; at < length; at++) to[at] = map[first + at]! + share * (map[second + at]! - map[first + at]!);
}

/** The same by a cubic (Catmull-Rom) over four rows, for what is to be as sharp as it can. */
function cubicRows(map: Float32Array, y: number, width: number, height: number, channels: number, to: Float32Array) {
  const clamped = Math.min(height - 1, Math.max(0, y));
  const above = Math.floor(clamped);
  const weights = cubicWeights(clamped - above);
  const length = width * channels;
  const rows = [-1, 0, 1, 2].map((offset) => Math.min(height - 1, Math.max(0, above + offset)) * length);
  for (let at = 0; at < length; at++) {
    let sum = 0;
    for (let tap = 0; tap < 4; tap++) sum += weights[tap]! * map[rows[tap]! + at]!;
    to[at] = sum;
  }
}

/** Weights of the four places around a point that lies `share` after the second of them. */
function cubicWeights(share: number): [number, number, number, number] {
  const [s, s2, s3] = [share, share ** 2, share ** 3];
  return [0.5 * (-s3 + 2 * s2 - s), 0.5 * (3 * s3 - 5 * s2 + 2), 0.5 * (-3 * s3 + 4 * s2 + s), 0.5 * (s3 - s2)];
}

/** One row of the picture by a row of coefficients [width, 12]. */
function changeRow(
  { rgb, width, step = 3 }: FinishedPicture,
  row: number,
  to: PictureValues,
  across: Float32Array,
  columns: Columns,
) {
  const { left, share, count } = columns;
  const peak = peakOf(rgb);
  let at = row * width * step;
  for (let column = 0; column < width; column++, at += step) {
    if (step === 4) to[at + 3] = rgb[at + 3]!;
    const first = left[column]! * coefficientCount;
    const second = Math.min(count - 1, left[column]! + 1) * coefficientCount;
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

/** agreement x (change + unexplained) + (1 - agreement) x edit, as far as `detailShare` goes; else the change alone. */
function mixRow(
  { rgb, width, step = 3 }: FinishedPicture,
  row: number,
  to: PictureValues,
  across: Float32Array,
  details: Float32Array,
  columns: Columns,
  detailShare: number,
) {
  const { left, share, cubic, count } = columns;
  const peak = peakOf(rgb);
  let at = row * width * step;
  for (let column = 0; column < width; column++, at += step) {
    if (step === 4) to[at + 3] = rgb[at + 3]!;
    const s = share[column]!;
    const middle = left[column]!;
    const w0 = cubic[4 * column]!;
    const w1 = cubic[4 * column + 1]!;
    const w2 = cubic[4 * column + 2]!;
    const w3 = cubic[4 * column + 3]!;
    const d0 = Math.max(0, middle - 1) * detailCount;
    const d1 = middle * detailCount;
    const d2 = Math.min(count - 1, middle + 1) * detailCount;
    const d3 = Math.min(count - 1, middle + 2) * detailCount;
    const first = middle * coefficientCount;
    const second = Math.min(count - 1, middle + 1) * coefficientCount;
    const r = rgb[at]! / peak;
    const g = rgb[at + 1]! / peak;
    const b = rgb[at + 2]! / peak;
    const same = w0 * details[d0 + 6]! + w1 * details[d1 + 6]! + w2 * details[d2 + 6]! + w3 * details[d3 + 6]!;
    const agreement = Math.min(1, Math.max(0, same));
    for (let out = 0; out < 3; out++) {
      const f = first + 3 * out;
      const n = second + 3 * out;
      const e = 3 + out;
      const unexplained =
        w0 * details[d0 + out]! + w1 * details[d1 + out]! + w2 * details[d2 + out]! + w3 * details[d3 + out]!;
      const edited = w0 * details[d0 + e]! + w1 * details[d1 + e]! + w2 * details[d2 + e]! + w3 * details[d3 + e]!;
      const changed =
        r * (across[f]! + s * (across[n]! - across[f]!)) +
        g * (across[f + 1]! + s * (across[n + 1]! - across[f + 1]!)) +
        b * (across[f + 2]! + s * (across[n + 2]! - across[f + 2]!)) +
        across[first + 9 + out]! +
        s * (across[second + 9 + out]! - across[first + 9 + out]!);
      const mixed = agreement * (changed + unexplained) + (1 - agreement) * edited;
      to[at + out] = roundWithin(peak * ((1 - detailShare) * changed + detailShare * mixed), peak);
    }
  }
}

/** The largest value that a picture can hold. */
function peakOf(values: PictureValues): number {
  return values instanceof Uint16Array ? 65535 : 255;
}

function roundWithin(value: number, peak: number): number {
  return value <= 0 ? 0 : value >= peak ? peak : (value + 0.5) | 0;
}
