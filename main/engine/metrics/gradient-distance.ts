import type { PictureSize } from './picture.ts';
import { luminance } from './picture.ts';

const scales = 3;

/**
 * Multi-scale gradient distance of two uint8 RGB clips [frames, height, width, 3]: the mean over three scales of
 * sum |grad a - grad b| / sum (|grad a| + |grad b|) on luminance. 0 for equal edges, towards 1 for unrelated or missing ones.
 * Ours, a stand-in for LPIPS that needs no network: blur and misplaced edges count, a slight shift of brightness does not.
 */
export function gradientDistance(a: Uint8Array, b: Uint8Array, size: PictureSize): number {
  if (a.length !== b.length)
    throw new RangeError(`expected clips of equal size, found ${a.length} and ${b.length} bytes`);
  const frameBytes = size.width * size.height * 3;
  const different = new Array<number>(scales).fill(0);
  const whole = new Array<number>(scales).fill(0);
  for (let start = 0; start < a.length; start += frameBytes) {
    let x = luminance(a.subarray(start, start + frameBytes));
    let y = luminance(b.subarray(start, start + frameBytes));
    let { width, height } = size;
    for (let scale = 0; scale < scales && Math.min(width, height) >= 2; scale++) {
      for (let row = 0; row + 1 < height; row++) {
        for (let column = 0; column + 1 < width; column++) {
          const i = row * width + column;
          const [ax, ay] = [x[i + 1]! - x[i]!, x[i + width]! - x[i]!];
          const [bx, by] = [y[i + 1]! - y[i]!, y[i + width]! - y[i]!];
          different[scale]! += Math.hypot(ax - bx, ay - by);
          whole[scale]! += Math.hypot(ax, ay) + Math.hypot(bx, by);
        }
      }
      x = halve(x, width, height);
      y = halve(y, width, height);
      width >>= 1;
      height >>= 1;
    }
  }
  const shares = different.flatMap((sum, scale) => (whole[scale]! > 0 ? [sum / whole[scale]!] : []));
  return shares.length > 0 ? shares.reduce((sum, share) => sum + share, 0) / shares.length : 0;
}

/** Each 2 x 2 pixels averaged. */
function halve(values: Float32Array, width: number, height: number): Float32Array {
  const [outWidth, outHeight] = [width >> 1, height >> 1];
  const half = new Float32Array(outWidth * outHeight);
  for (let row = 0; row < outHeight; row++) {
    for (let column = 0; column < outWidth; column++) {
      const i = 2 * row * width + 2 * column;
      half[row * outWidth + column] = (values[i]! + values[i + 1]! + values[i + width]! + values[i + width + 1]!) / 4;
    }
  }
  return half;
}
