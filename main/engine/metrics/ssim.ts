import type { PictureSize } from './picture.ts';
import { luminance } from './picture.ts';

const kernelRadius = 5;
const kernelSigma = 1.5;
const c1 = 0.01 ** 2;
const c2 = 0.03 ** 2;

/**
 * Structural similarity (Wang et al. 2004) of two uint8 RGB clips [frames, height, width, 3], on luminance with the paper's 11 x 11 Gaussian
 * window, averaged over every window that lies inside the picture and over frames. 1 means equal. Sides must be at least 11 pixels.
 */
export function structuralSimilarity(a: Uint8Array, b: Uint8Array, size: PictureSize): number {
  if (a.length !== b.length)
    throw new RangeError(`expected clips of equal size, found ${a.length} and ${b.length} bytes`);
  if (Math.min(size.width, size.height) < 2 * kernelRadius + 1) {
    throw new RangeError(
      `structural similarity needs sides of at least ${2 * kernelRadius + 1} pixels, found ${size.width} x ${size.height}`,
    );
  }
  const frameBytes = size.width * size.height * 3;
  const frames = a.length / frameBytes;
  let sum = 0;
  for (let frame = 0; frame < frames; frame++) {
    const [from, to] = [frame * frameBytes, (frame + 1) * frameBytes];
    sum += frameSimilarity(luminance(a.subarray(from, to)), luminance(b.subarray(from, to)), size);
  }
  return sum / frames;
}

function frameSimilarity(x: Float32Array, y: Float32Array, { width, height }: PictureSize): number {
  const blurred = (values: Float32Array) => blur(values, width, height);
  const product = (p: Float32Array, q: Float32Array) => p.map((value, i) => value * q[i]!);
  const meanX = blurred(x);
  const meanY = blurred(y);
  const xx = blurred(product(x, x));
  const yy = blurred(product(y, y));
  const xy = blurred(product(x, y));
  let sum = 0;
  for (let i = 0; i < meanX.length; i++) {
    const [mx, my] = [meanX[i]!, meanY[i]!];
    const covariance = xy[i]! - mx * my;
    const variances = xx[i]! - mx * mx + yy[i]! - my * my;
    sum += ((2 * mx * my + c1) * (2 * covariance + c2)) / ((mx * mx + my * my + c1) * (variances + c2));
  }
  return sum / meanX.length;
}

/** Separable Gaussian over the inside only: [height, width] -> [height - 10, width - 10]. */
function blur(values: Float32Array, width: number, height: number): Float32Array {
  const kernel = gaussian();
  const outWidth = width - 2 * kernelRadius;
  const outHeight = height - 2 * kernelRadius;
  const rows = new Float32Array(outWidth * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * values[y * width + x + k]!;
      rows[y * outWidth + x] = sum;
    }
  }
  const result = new Float32Array(outWidth * outHeight);
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * rows[(y + k) * outWidth + x]!;
      result[y * outWidth + x] = sum;
    }
  }
  return result;
}

function gaussian(): Float32Array {
  const weights = Float32Array.from({ length: 2 * kernelRadius + 1 }, (_, i) =>
    Math.exp(-((i - kernelRadius) ** 2) / (2 * kernelSigma ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
