import { meanSquaredError } from './mse.ts';

/** Peak signal-to-noise ratio of two equal-sized uint8 pictures or clips, in dB over values 0 to 1; Infinity when they are equal. */
export function peakSignalToNoise(a: Uint8Array, b: Uint8Array): number {
  return psnrOfMse(meanSquaredError(a, b));
}

export function psnrOfMse(mse: number): number {
  return mse === 0 ? Number.POSITIVE_INFINITY : -10 * Math.log10(mse);
}
