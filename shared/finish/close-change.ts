import { addMoments, changeColours, coefficientCount, lumaOf, momentCount, solveAffine } from './affine.ts';
import { type ClipPair, type FrameMaps, keptMaps, neighbourMeans } from './in-time.ts';
import { windowMeans } from './windows.ts';

/**
 * The close part of a change. In each small window E ~ R A + b is fitted, as a guided filter does it (He, Sun, Tang, IEEE TPAMI 2013, with a
 * colour guide), drawn towards the identity: where the clip says nothing about A, its colours stay. What the fit leaves unexplained can be
 * added, and where the edit shows something else (agreement a from 1 to 0) the clip's detail left away: a source S then becomes
 * E + a (S - R) A, which is affine as well.
 */

/** Windows of 7 x 7 of the model's pixels; smaller ones copy the model's blur, larger ones straddle more edges (measured on truth: test/studies). */
const windowRadius = 3;
/** How strongly A is drawn to the identity, as a variance of colour. */
const identityPull = 5e-4;
/** Correlation says nothing about windows with less variance of luma than this: they count as agreeing. */
const flatVariance = 30 / 255 ** 2;

/** The fits themselves, and what makes the clip the edit; for each frame [height, width, 12], averaged with those of the frames beside it. */
export interface CloseChange {
  local: FrameMaps;
  whole: FrameMaps;
}

export function findCloseChange({ before, after, width, height, frameCount }: ClipPair): CloseChange {
  const fits = keptMaps((frame) => fitFrame(before(frame), after(frame), width, height));
  const local = keptMaps(neighbourMeans(fits, frameCount));
  const agreements = keptMaps((frame) => agreementOf(before(frame), after(frame), width, height));
  const near = neighbourMeans(agreements, frameCount);
  const whole = keptMaps((frame) => {
    const coefficients = local(frame).slice();
    // Without the steps of its windows.
    const agreement = windowMeans(near(frame), { width, height, channels: 1 }, 1);
    for (let pixel = 0, at = 0; at < coefficients.length; pixel++, at += coefficientCount) {
      for (let value = 0; value < 9; value++) coefficients[at + value]! *= agreement[pixel]!;
      coefficients.fill(0, at + 9, at + coefficientCount);
    }
    const kept = new Float32Array(width * height * 3);
    changeColours(before(frame), coefficients, kept);
    const edited = after(frame);
    for (let at = 0; at < kept.length; at++)
      coefficients[Math.floor(at / 3) * coefficientCount + 9 + (at % 3)] = edited[at]! - kept[at]!;
    return coefficients;
  });
  return { local, whole };
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

/**
 * How far two frames show the same in windows, 0 to 1: the correlation of their lumas. Dark checks on a light shirt are the same checks on a
 * shirt made dark, and the fit can turn them over too, so that what is turned over wholly counts; but any two pictures are somewhat alike
 * with one of them turned over, so that halves do not (measured on truth: test/studies). -> [height, width].
 */
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
    const whole = Math.sqrt(varianceBefore * varianceAfter) + flatVariance;
    const turnedOver = (covariance / whole) ** 4;
    // Rounding alone may take it beyond 1.
    agreement[pixel] = Math.min(1, Math.max((covariance + flatVariance) / whole, turnedOver));
  }
  return agreement;
}
