/** Values of an affine change of colour: A, three values for each channel out, then the three of b. */
export const coefficientCount = 12;

/** Moments that a fit needs: R, E, the six products of R with itself and the nine of R with E. */
export const momentCount = 21;

/** Adds the moments of one pair of colours, R and E at `pixel` of frames [height, width, 3], onto `to` from `at` on. */
export function addMoments(
  before: Float32Array,
  after: Float32Array,
  pixel: number,
  to: Float32Array | Float64Array,
  at: number,
): void {
  const r = before[3 * pixel]!;
  const g = before[3 * pixel + 1]!;
  const b = before[3 * pixel + 2]!;
  to[at]! += r;
  to[at + 1]! += g;
  to[at + 2]! += b;
  to[at + 6]! += r * r;
  to[at + 7]! += r * g;
  to[at + 8]! += r * b;
  to[at + 9]! += g * g;
  to[at + 10]! += g * b;
  to[at + 11]! += b * b;
  for (let out = 0; out < 3; out++) {
    const e = after[3 * pixel + out]!;
    to[at + 3 + out]! += e;
    to[at + 12 + 3 * out]! += r * e;
    to[at + 13 + 3 * out]! += g * e;
    to[at + 14 + 3 * out]! += b * e;
  }
}

/**
 * The change of colour E ~ R A + b of a place, from the means of its moments: least squares, drawn towards the identity by `pull`, a
 * variance of colour: (cov(R) + pull) A = cov(R, E) + pull, by the inverse of the symmetric 3 x 3 matrix; b is what is left of the means.
 */
export function solveAffine(
  m: Float32Array | Float64Array,
  at: number,
  pull: number,
  to: Float32Array | Float64Array,
  place: number,
): void {
  const r = m[at]!;
  const g = m[at + 1]!;
  const b = m[at + 2]!;
  const rr = m[at + 6]! - r * r + pull;
  const rg = m[at + 7]! - r * g;
  const rb = m[at + 8]! - r * b;
  const gg = m[at + 9]! - g * g + pull;
  const gb = m[at + 10]! - g * b;
  const bb = m[at + 11]! - b * b + pull;
  const c00 = gg * bb - gb * gb;
  const c01 = rb * gb - rg * bb;
  const c02 = rg * gb - rb * gg;
  const c11 = rr * bb - rb * rb;
  const c12 = rg * rb - rr * gb;
  const c22 = rr * gg - rg * rg;
  const scale = 1 / (rr * c00 + rg * c01 + rb * c02);
  for (let out = 0; out < 3; out++) {
    const e = m[at + 3 + out]!;
    const x = m[at + 12 + 3 * out]! - r * e + (out === 0 ? pull : 0);
    const y = m[at + 13 + 3 * out]! - g * e + (out === 1 ? pull : 0);
    const z = m[at + 14 + 3 * out]! - b * e + (out === 2 ? pull : 0);
    const ar = (c00 * x + c01 * y + c02 * z) * scale;
    const ag = (c01 * x + c11 * y + c12 * z) * scale;
    const ab = (c02 * x + c12 * y + c22 * z) * scale;
    to[place + 3 * out] = ar;
    to[place + 3 * out + 1] = ag;
    to[place + 3 * out + 2] = ab;
    to[place + 9 + out] = e - (r * ar + g * ag + b * ab);
  }
}

/** Each pixel's colour by its own coefficients: [height, width, 3] and [height, width, 12] -> [height, width, 3]. */
export function changeColours(from: Float32Array, coefficients: Float32Array, to: Float32Array): void {
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

/** BT.601's weights of R', G' and B' in luma. */
export const lumaWeights = [0.299, 0.587, 0.114] as const;

/** Luma of a pixel of a frame [height, width, 3]. */
export function lumaOf(frame: Float32Array, pixel: number): number {
  return (
    lumaWeights[0] * frame[3 * pixel]! + lumaWeights[1] * frame[3 * pixel + 1]! + lumaWeights[2] * frame[3 * pixel + 2]!
  );
}
