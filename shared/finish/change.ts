import { windowMeans } from './windows.ts';

/**
 * What an edit changes in a clip, so that it can be done to the clip itself, at its own size and rate. The model's edit E and the clip R
 * that came through the same autoencoder differ by the edit alone, not by the softness of the model. In each small window the edit is
 * explained as a linear change of colour, E ~ R A + b, as a guided filter does it (He, Sun, Tang, IEEE TPAMI 2013, with a colour guide), but
 * drawn towards the identity: where the clip says nothing about A, its colours stay. Applied to the sharp source, the change carries
 * light and colour and leaves every detail. Colours are R'G'B' from 0 to 1.
 */
export interface ColourChange {
  width: number;
  height: number;
  frameCount: number;
  /** For each frame [height, width, 12]: A, three values for each channel out, then the three of b. */
  coefficients: Float32Array[];
  /** What the linear change leaves unexplained, E - (R A + b), and where the edit shows something else; only where it was asked for. */
  details: ChangeDetails | null;
}

interface ChangeDetails {
  /** For each frame [height, width, 3]. */
  unexplained: Float32Array[];
  /** The edit itself, for each frame [height, width, 3]. */
  edited: Float32Array[];
  /** 1 where the edit has the structure of the clip, 0 where it shows something else; for each frame [height, width]. */
  agreement: Float32Array[];
}

/** Pictures as the model makes them: uint8 RGB [frameCount, height, width, 3]. */
export interface SmallClip {
  data: Uint8Array;
  frameCount: number;
  width: number;
  height: number;
}

/** Values of A and b for each pixel. */
export const coefficientCount = 12;

/** Windows of 7 x 7 of the model's pixels; smaller ones copy the model's blur, larger ones straddle more edges (measured on truth: test/studies). */
const windowRadius = 3;
/** How strongly A is drawn to the identity, as a variance of colour. */
const identityPull = 5e-4;
/** Correlation says nothing about windows with less variance of luma than this: they count as agreeing. */
const flatVariance = 30 / 255 ** 2;

/**
 * The change from `base` (the clip as it comes out of the autoencoder) to `edited` (the edit), two clips of one size and length.
 * `detailed` finds as well what a mix of change and edit needs. Throws RangeError when the clips do not fit each other.
 */
export function findChange(base: SmallClip, edited: SmallClip, { detailed = false } = {}): ColourChange {
  const { width, height, frameCount } = base;
  if (edited.width !== width || edited.height !== height || edited.frameCount !== frameCount)
    throw new RangeError(
      `expected an edit of ${frameCount} frames of ${width} x ${height}, found ${edited.frameCount} of ${edited.width} x ${edited.height}`,
    );
  const before = framesOf(base);
  const after = framesOf(edited);
  const each = before.map((frame, index) => fitFrame(frame, after[index]!, width, height));
  const coefficients = each.map((_, index) => meanOf(each.slice(Math.max(0, index - 1), index + 2)));
  const details = detailed ? detailsOf(before, after, coefficients, width, height) : null;
  return { width, height, frameCount, coefficients, details };
}

function framesOf({ data, frameCount, width, height }: SmallClip): Float32Array[] {
  const size = width * height * 3;
  if (data.length !== frameCount * size)
    throw new RangeError(
      `${frameCount} frames of ${width} x ${height} have ${frameCount * size} bytes, found ${data.length}`,
    );
  return Array.from({ length: frameCount }, (_, frame) => {
    const colours = new Float32Array(size);
    for (let at = 0; at < size; at++) colours[at] = data[frame * size + at]! / 255;
    return colours;
  });
}

/** Least squares in each window, averaged over the windows that a pixel is in: R, E [height, width, 3] -> [height, width, 12]. */
function fitFrame(before: Float32Array, after: Float32Array, width: number, height: number): Float32Array {
  const pixels = width * height;
  // R, E, the six products of R with itself and the nine of R with E.
  const channels = 21;
  const moments = new Float32Array(pixels * channels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const r = before[3 * pixel]!;
    const g = before[3 * pixel + 1]!;
    const b = before[3 * pixel + 2]!;
    const at = pixel * channels;
    moments[at] = r;
    moments[at + 1] = g;
    moments[at + 2] = b;
    moments[at + 6] = r * r;
    moments[at + 7] = r * g;
    moments[at + 8] = r * b;
    moments[at + 9] = g * g;
    moments[at + 10] = g * b;
    moments[at + 11] = b * b;
    for (let out = 0; out < 3; out++) {
      const e = after[3 * pixel + out]!;
      moments[at + 3 + out] = e;
      moments[at + 12 + 3 * out] = r * e;
      moments[at + 13 + 3 * out] = g * e;
      moments[at + 14 + 3 * out] = b * e;
    }
  }
  const means = windowMeans(moments, { width, height, channels }, windowRadius);
  const fitted = new Float32Array(pixels * coefficientCount);
  for (let pixel = 0; pixel < pixels; pixel++) solveWindow(means, pixel * channels, fitted, pixel * coefficientCount);
  return windowMeans(fitted, { width, height, channels: coefficientCount }, windowRadius);
}

/** (cov(R) + pull) A = cov(R, E) + pull, by the inverse of the symmetric 3 x 3 matrix; b is what is left of the means. */
function solveWindow(m: Float32Array, at: number, to: Float32Array, place: number): void {
  const r = m[at]!;
  const g = m[at + 1]!;
  const b = m[at + 2]!;
  const rr = m[at + 6]! - r * r + identityPull;
  const rg = m[at + 7]! - r * g;
  const rb = m[at + 8]! - r * b;
  const gg = m[at + 9]! - g * g + identityPull;
  const gb = m[at + 10]! - g * b;
  const bb = m[at + 11]! - b * b + identityPull;
  const c00 = gg * bb - gb * gb;
  const c01 = rb * gb - rg * bb;
  const c02 = rg * gb - rb * gg;
  const c11 = rr * bb - rb * rb;
  const c12 = rg * rb - rr * gb;
  const c22 = rr * gg - rg * rg;
  const scale = 1 / (rr * c00 + rg * c01 + rb * c02);
  for (let out = 0; out < 3; out++) {
    const e = m[at + 3 + out]!;
    const x = m[at + 12 + 3 * out]! - r * e + (out === 0 ? identityPull : 0);
    const y = m[at + 13 + 3 * out]! - g * e + (out === 1 ? identityPull : 0);
    const z = m[at + 14 + 3 * out]! - b * e + (out === 2 ? identityPull : 0);
    const ar = (c00 * x + c01 * y + c02 * z) * scale;
    const ag = (c01 * x + c11 * y + c12 * z) * scale;
    const ab = (c02 * x + c12 * y + c22 * z) * scale;
    to[place + 3 * out] = ar;
    to[place + 3 * out + 1] = ag;
    to[place + 3 * out + 2] = ab;
    to[place + 9 + out] = e - (r * ar + g * ag + b * ab);
  }
}

function detailsOf(
  before: Float32Array[],
  after: Float32Array[],
  coefficients: Float32Array[],
  width: number,
  height: number,
): ChangeDetails {
  const unexplained = after.map((frame, index) => {
    const explained = new Float32Array(frame.length);
    changeColours(before[index]!, coefficients[index]!, explained);
    return frame.map((value, at) => value - explained[at]!);
  });
  const each = before.map((frame, index) => agreementOf(frame, after[index]!, width, height));
  const agreement = each.map((_, index) => smoothed(each.slice(Math.max(0, index - 1), index + 2), width, height));
  return { unexplained, edited: after, agreement };
}

/** Each pixel's colour by its own coefficients. */
function changeColours(from: Float32Array, coefficients: Float32Array, to: Float32Array): void {
  for (let at = 0, c = 0; at < from.length; at += 3, c += coefficientCount) {
    const r = from[at]!;
    const g = from[at + 1]!;
    const b = from[at + 2]!;
    for (let out = 0; out < 3; out++) {
      const a = c + 3 * out;
      to[at + out] =
        r * coefficients[a]! + g * coefficients[a + 1]! + b * coefficients[a + 2]! + coefficients[c + 9 + out]!;
    }
  }
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

/** BT.601's luma, which both sides of a correlation share. */
function lumaOf(frame: Float32Array, pixel: number): number {
  return 0.299 * frame[3 * pixel]! + 0.587 * frame[3 * pixel + 1]! + 0.114 * frame[3 * pixel + 2]!;
}

/** The mean of maps [height, width], without the steps of its windows. */
function smoothed(maps: readonly Float32Array[], width: number, height: number): Float32Array {
  return windowMeans(meanOf(maps), { width, height, channels: 1 }, 1);
}

function meanOf(maps: readonly Float32Array[]): Float32Array {
  if (maps.length === 1) return maps[0]!;
  const mean = new Float32Array(maps[0]!.length);
  const share = 1 / maps.length;
  for (const map of maps) for (let at = 0; at < mean.length; at++) mean[at]! += share * map[at]!;
  return mean;
}
