import type { ColourDescription } from './probe-types.ts';

/** A colour (red, green, blue, each 0..1 of its code range) -> the BT.709 colour that an ordinary screen shows for it. */
export type ColourMap = (red: number, green: number, blue: number) => [number, number, number];

type Matrix = readonly [number, number, number, number, number, number, number, number, number];

/** Linear light, BT.2020 -> BT.709 primaries (ITU-R BT.2407, section 2). */
const bt2020ToBt709: Matrix = [1.6605, -0.5876, -0.0728, -0.1246, 1.1329, -0.0083, -0.0182, -0.1006, 1.1187];
/** Linear light, P3 with the D65 white -> BT.709 primaries (SMPTE EG 432-1 chromaticities). */
const p3ToBt709: Matrix = [1.2249, -0.2247, 0, -0.042, 1.0419, 0, -0.0197, -0.0786, 1.0979];

/** HDR reference white (ITU-R BT.2408): what SDR's white becomes. */
const referenceWhiteNits = 203;
/** Assumed where a file does not tell its brightest light: the usual mastering screen. */
const usualPeakNits = 1000;
/** Display gamma of SDR video (ITU-R BT.1886). */
const displayGamma = 2.4;

/** The map that a source's colours need to become BT.709, or undefined when they are (near enough) already. */
export function colourMapFor(colour: ColourDescription): ColourMap | undefined {
  const matrix =
    colour.primaries === 'bt2020' ? bt2020ToBt709 : colour.primaries === 'smpte432' ? p3ToBt709 : undefined;
  if (colour.hdr) return hdrMap(colour.hdr, colour.peakNits ?? usualPeakNits, matrix);
  if (!matrix) return undefined;
  return (...code) => encode(multiply(matrix, code.map((value) => value ** displayGamma) as Triple));
}

type Triple = [number, number, number];

function hdrMap(kind: 'pq' | 'hlg', sourcePeak: number, matrix: Matrix | undefined): ColourMap {
  const peak = kind === 'hlg' ? usualPeakNits : Math.min(10_000, Math.max(referenceWhiteNits, sourcePeak));
  const compress = brightnessCurve(peak);
  return (...code) => {
    const nits = kind === 'pq' ? (code.map(pqToNits) as Triple) : hlgToNits(code);
    // Scaling all three by what their largest needs keeps the hue.
    const largest = Math.max(...nits);
    const scale = largest > 0 ? compress(largest) / largest / referenceWhiteNits : 0;
    const linear = nits.map((value) => value * scale) as Triple;
    return encode(matrix ? multiply(matrix, linear) : linear);
  };
}

/** Perceptual quantiser (SMPTE ST 2084): code 0..1 -> cd/m2. */
export function pqToNits(code: number): number {
  const power = Math.max(code, 0) ** (1 / 78.84375);
  return 10_000 * (Math.max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125);
}

/** cd/m2 -> code 0..1. */
export function nitsToPq(nits: number): number {
  const power = (Math.max(nits, 0) / 10_000) ** 0.1593017578125;
  return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375;
}

/** Hybrid log-gamma (ARIB STD-B67) on a screen of 1000 cd/m2, whose system gamma is 1.2 (ITU-R BT.2100). */
function hlgToNits(code: Triple): Triple {
  const scene = code.map((value) =>
    value <= 0.5 ? value ** 2 / 3 : (Math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12,
  ) as Triple;
  const luminance = 0.2627 * scene[0] + 0.678 * scene[1] + 0.0593 * scene[2];
  const gain = usualPeakNits * luminance ** 0.2;
  return scene.map((value) => value * gain) as Triple;
}

/**
 * Brightness compression of ITU-R BT.2390 (section 5.4.1, black level 0): cd/m2 up to `peak` -> cd/m2 up to reference
 * white. Straight up to a knee, then a Hermite spline.
 */
function brightnessCurve(peak: number): (nits: number) => number {
  const top = nitsToPq(peak);
  const target = nitsToPq(referenceWhiteNits) / top;
  const knee = 1.5 * target - 0.5;
  return (nits) => {
    const level = Math.min(1, nitsToPq(nits) / top);
    if (level < knee || target >= 1) return Math.min(nits, referenceWhiteNits);
    const t = (level - knee) / (1 - knee);
    const bent =
      (2 * t ** 3 - 3 * t ** 2 + 1) * knee +
      (t ** 3 - 2 * t ** 2 + t) * (1 - knee) +
      (-2 * t ** 3 + 3 * t ** 2) * target;
    return pqToNits(bent * top);
  };
}

function multiply(m: Matrix, [x, y, z]: Triple): Triple {
  return [m[0] * x + m[1] * y + m[2] * z, m[3] * x + m[4] * y + m[5] * z, m[6] * x + m[7] * y + m[8] * z];
}

function encode(linear: Triple): Triple {
  return linear.map((value) => Math.min(1, Math.max(0, value)) ** (1 / displayGamma)) as Triple;
}

/** Enough points for an error below one 8-bit level where pictures have their colours; red changes fastest. */
const cubeSize = 33;

/** The map as the text of a .cube file for ffmpeg's lut3d filter, which every build has (zscale and tonemap many lack). */
export function cubeFile(map: ColourMap): string {
  const lines = [`LUT_3D_SIZE ${cubeSize}`];
  const last = cubeSize - 1;
  for (let blue = 0; blue <= last; blue++) {
    for (let green = 0; green <= last; green++) {
      for (let red = 0; red <= last; red++) {
        lines.push(
          map(red / last, green / last, blue / last)
            .map((value) => value.toFixed(6))
            .join(' '),
        );
      }
    }
  }
  return `${lines.join('\n')}\n`;
}
