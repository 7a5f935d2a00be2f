import type { Edition } from './vocabulary.ts';

/** One picture being styled: RGBA in, RGB out. */
export interface Picture {
  source: Uint8ClampedArray | Uint8Array;
  target: Uint8Array;
  width: number;
  height: number;
  /** Pixels per 1/128 of the height: styles keep their grain at every size. */
  scale: number;
  strength: number;
  edition: Edition;
  /** How bright the scene's light is as a whole, about 0.4 at night and 0.8 by day. */
  brightness: number;
  /** Shifts the noise from scene to scene, and (for film grain only) from frame to frame. */
  offset: number;
  frameOffset: number;
}

const noiseSize = 256;

export function clamp(value: number): number {
  return Math.min(255, Math.max(0, value));
}

/** A noise field at a place that wraps around. */
export function noiseAt(field: Float32Array, x: number, y: number, offset: number): number {
  const px = (x + (offset & 255)) & (noiseSize - 1);
  const py = (y + (offset >> 8)) & (noiseSize - 1);
  return field[py * noiseSize + px]!;
}

/** Box blur of an RGBA picture into RGB, `radius` pixels each way, separable. */
export function blur(
  source: Uint8ClampedArray | Uint8Array,
  width: number,
  height: number,
  radius: number,
): Float32Array {
  const rows = new Float32Array(width * height * 3);
  const out = new Float32Array(width * height * 3);
  const share = 1 / (2 * radius + 1);
  // Where the window's leading and trailing ends are, kept inside the picture: entry i is position i - radius - 1.
  const across = clampedPositions(width, radius);
  const down = clampedPositions(height, radius);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let k = 1; k <= 2 * radius + 1; k++) sum += source[(row + across[k]!) * 4 + c]!;
      for (let x = 0; x < width; x++) {
        rows[(row + x) * 3 + c] = sum * share;
        sum += source[(row + across[x + 2 * radius + 2]!) * 4 + c]! - source[(row + across[x + 1]!) * 4 + c]!;
      }
    }
  }
  // All columns at once, so that memory is read in order.
  const stride = width * 3;
  const sums = new Float64Array(stride);
  for (let k = 1; k <= 2 * radius + 1; k++) {
    const line = down[k]! * stride;
    for (let i = 0; i < stride; i++) sums[i]! += rows[line + i]!;
  }
  for (let y = 0; y < height; y++) {
    const enter = down[y + 2 * radius + 2]! * stride;
    const leave = down[y + 1]! * stride;
    for (let i = 0; i < stride; i++) {
      out[y * stride + i] = sums[i]! * share;
      sums[i]! += rows[enter + i]! - rows[leave + i]!;
    }
  }
  return out;
}

function clampedPositions(length: number, radius: number): Int32Array {
  return Int32Array.from({ length: length + 2 * radius + 3 }, (_, i) =>
    Math.max(0, Math.min(length - 1, i - radius - 1)),
  );
}

/** How fast the colours change around each pixel [height * width], largest over the channels. */
export function edgeStrength(rgb: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      let best = 0;
      for (let c = 0; c < 3; c++) {
        const dx = rgb[(i + 1) * 3 + c]! - rgb[(i - 1) * 3 + c]!;
        const dy = rgb[(i + width) * 3 + c]! - rgb[(i - width) * 3 + c]!;
        best = Math.max(best, Math.abs(dx) + Math.abs(dy));
      }
      out[i] = best;
    }
  }
  return out;
}
