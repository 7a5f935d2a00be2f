import type { PictureSize } from './picture.ts';
import { luminance } from './picture.ts';

const levels = 3;
const iterationsPerLevel = 4;
const windowRadius = 3;
/** Added to the structure tensor's diagonal: flat areas answer "no motion" instead of noise. */
const flatnessPenalty = 1e-3;

export interface FlowField {
  /** Horizontal and vertical displacement of every pixel towards the next frame, in pixels. */
  x: Float32Array;
  y: Float32Array;
}

/**
 * Dense pyramidal Lucas-Kanade flow between two uint8 RGB frames [height, width, 3] of equal size.
 * Good to about 8 pixels a frame; meant for comparing the motion of clips, not for warping them.
 */
export function opticalFlow(from: Uint8Array, to: Uint8Array, size: PictureSize): FlowField {
  const pyramidFrom = pyramid(luminance(from), size);
  const pyramidTo = pyramid(luminance(to), size);
  let flow: FlowField | undefined;
  for (let level = pyramidFrom.length - 1; level >= 0; level--) {
    const { values, width, height } = pyramidFrom[level]!;
    flow = flow
      ? upsample(flow, pyramidFrom[level + 1]!, { width, height })
      : { x: new Float32Array(width * height), y: new Float32Array(width * height) };
    for (let iteration = 0; iteration < iterationsPerLevel; iteration++) {
      refine(flow, values, pyramidTo[level]!.values, width, height);
    }
  }
  return flow!;
}

interface Level extends PictureSize {
  values: Float32Array;
}

function pyramid(values: Float32Array, { width, height }: PictureSize): Level[] {
  const result: Level[] = [{ values, width, height }];
  while (result.length < levels) {
    const last = result[result.length - 1]!;
    if (Math.min(last.width, last.height) < 32) break;
    result.push(halve(last));
  }
  return result;
}

function halve({ values, width, height }: Level): Level {
  const half: Level = {
    width: width >> 1,
    height: height >> 1,
    values: new Float32Array((width >> 1) * (height >> 1)),
  };
  for (let y = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      const i = 2 * y * width + 2 * x;
      half.values[y * half.width + x] = (values[i]! + values[i + 1]! + values[i + width]! + values[i + width + 1]!) / 4;
    }
  }
  return half;
}

function upsample(flow: FlowField, from: PictureSize, to: PictureSize): FlowField {
  const result = { x: new Float32Array(to.width * to.height), y: new Float32Array(to.width * to.height) };
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      const source = Math.min(y >> 1, from.height - 1) * from.width + Math.min(x >> 1, from.width - 1);
      result.x[y * to.width + x] = 2 * flow.x[source]!;
      result.y[y * to.width + x] = 2 * flow.y[source]!;
    }
  }
  return result;
}

/** One Gauss-Newton step of every pixel's window: solves the 2 x 2 system of summed gradient products, in place. */
function refine(flow: FlowField, from: Float32Array, to: Float32Array, width: number, height: number): void {
  const products = Array.from({ length: 5 }, () => new Float32Array(width * height));
  const [xx, xy, yy, xt, yt] = products as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const gx = (from[y * width + Math.min(x + 1, width - 1)]! - from[y * width + Math.max(x - 1, 0)]!) / 2;
      const gy = (from[Math.min(y + 1, height - 1) * width + x]! - from[Math.max(y - 1, 0) * width + x]!) / 2;
      const difference = from[i]! - bilinear(to, x + flow.x[i]!, y + flow.y[i]!, width, height);
      xx[i] = gx * gx;
      xy[i] = gx * gy;
      yy[i] = gy * gy;
      xt[i] = gx * difference;
      yt[i] = gy * difference;
    }
  }
  for (const product of products) boxSum(product, width, height);
  for (let i = 0; i < width * height; i++) {
    const a = xx[i]! + flatnessPenalty;
    const d = yy[i]! + flatnessPenalty;
    const b = xy[i]!;
    const determinant = a * d - b * b;
    flow.x[i] = flow.x[i]! + clampStep((d * xt[i]! - b * yt[i]!) / determinant);
    flow.y[i] = flow.y[i]! + clampStep((a * yt[i]! - b * xt[i]!) / determinant);
  }
}

function clampStep(step: number): number {
  return Math.max(-1, Math.min(1, step));
}

function bilinear(values: Float32Array, x: number, y: number, width: number, height: number): number {
  const cx = Math.max(0, Math.min(width - 1, x));
  const cy = Math.max(0, Math.min(height - 1, y));
  const [x0, y0] = [Math.min(cx | 0, width - 2), Math.min(cy | 0, height - 2)];
  const [fx, fy] = [cx - x0, cy - y0];
  const i = y0 * width + x0;
  const top = values[i]! * (1 - fx) + values[i + 1]! * fx;
  const bottom = values[i + width]! * (1 - fx) + values[i + width + 1]! * fx;
  return top * (1 - fy) + bottom * fy;
}

/** Sum over a square window of side 2 * windowRadius + 1 around every pixel, in place. */
function boxSum(values: Float32Array, width: number, height: number): void {
  const line = new Float32Array(Math.max(width, height));
  const run = (start: number, stride: number, length: number) => {
    let sum = 0;
    for (let i = 0; i < length; i++) line[i] = values[start + i * stride]!;
    for (let i = 0; i < Math.min(windowRadius, length); i++) sum += line[i]!;
    for (let i = 0; i < length; i++) {
      if (i + windowRadius < length) sum += line[i + windowRadius]!;
      if (i - windowRadius - 1 >= 0) sum -= line[i - windowRadius - 1]!;
      values[start + i * stride] = sum;
    }
  };
  for (let y = 0; y < height; y++) run(y * width, 1, width);
  for (let x = 0; x < width; x++) run(x, width, height);
}
