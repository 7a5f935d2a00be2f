import type { Pictures } from '../formats/raw-frames.ts';

/**
 * Transform coding, the yardstick of a learned code: orthonormal discrete cosine transforms (DCT-II) over frames, rows and columns of one channel of brightness and
 * two of colour, of which the same coefficients are kept for every clip of a size, those that carry most energy in clips of the world's
 * training seeds. What is kept is not quantised, as the numbers of a latent are not.
 */
export interface CosineCodec {
  /** Keeps `numbers` coefficients and gives the clip back from them. */
  code(pictures: Pictures, numbers: number): Pictures;
}

type Size = Pick<Pictures, 'count' | 'width' | 'height'>;

/** Learns which coefficients to keep. All clips have one size. */
export function cosineCodec(clips: readonly Pictures[]): CosineCodec {
  const size = { count: clips[0]!.count, width: clips[0]!.width, height: clips[0]!.height };
  const energy = new Float64Array(clips[0]!.data.length);
  for (const clip of clips) {
    const coefficients = transform(rotate(clip), size, 'forward');
    for (let i = 0; i < energy.length; i++) energy[i]! += coefficients[i]! ** 2;
  }
  const order = Uint32Array.from(energy.keys()).sort((a, b) => energy[b]! - energy[a]!);
  return {
    code(pictures, numbers) {
      if (pictures.count !== size.count || pictures.width !== size.width || pictures.height !== size.height)
        throw new Error(`the codec is for ${size.count} frames of ${size.width} x ${size.height}`);
      const coefficients = transform(rotate(pictures), size, 'forward');
      const kept = new Float32Array(coefficients.length);
      for (const index of order.subarray(0, numbers)) kept[index] = coefficients[index]!;
      return { ...size, data: rotateBack(transform(kept, size, 'inverse')) };
    },
  };
}

/** Brightness and two differences of colour, nearly uncorrelated in natural pictures (Ohta, Kanade and Sakai 1980), each of length 1. */
const axes = [
  [1, 1, 1],
  [1, 0, -1],
  [1, -2, 1],
].map((row) => row.map((value) => value / Math.hypot(...row)));

/** uint8 [frames, height, width, 3] -> 0..1 as [3, frames, height, width] */
function rotate({ data }: Pictures): Float32Array {
  const pixels = data.length / 3;
  const values = new Float32Array(data.length);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let axis = 0; axis < 3; axis++) {
      const [r, g, b] = axes[axis] as [number, number, number];
      values[axis * pixels + pixel] =
        (r * data[3 * pixel]! + g * data[3 * pixel + 1]! + b * data[3 * pixel + 2]!) / 255;
    }
  return values;
}

function rotateBack(values: Float32Array): Uint8Array {
  const pixels = values.length / 3;
  const data = new Uint8ClampedArray(values.length); // which rounds and clips
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let axis = 0; axis < 3; axis++) sum += axes[axis]![channel]! * values[axis * pixels + pixel]!;
      data[3 * pixel + channel] = 255 * sum;
    }
  return new Uint8Array(data.buffer);
}

/** [3, frames, height, width], along each axis but the first */
function transform(
  values: Float32Array,
  { count, width, height }: Size,
  direction: 'forward' | 'inverse',
): Float32Array {
  let result = values;
  for (const [length, stride] of [
    [width, 1],
    [height, width],
    [count, width * height],
  ] as const)
    result = along(result, length, stride, basis(length, direction));
  return result;
}

/** [length, length]: row k is how much each old value counts for the new value k. */
function basis(length: number, direction: 'forward' | 'inverse'): Float32Array {
  const matrix = new Float32Array(length * length);
  for (let k = 0; k < length; k++)
    for (let n = 0; n < length; n++) {
      const scale = Math.sqrt((k === 0 ? 1 : 2) / length);
      const value = scale * Math.cos((Math.PI * (n + 0.5) * k) / length);
      matrix[direction === 'forward' ? k * length + n : n * length + k] = value;
    }
  return matrix;
}

function along(values: Float32Array, length: number, stride: number, matrix: Float32Array): Float32Array {
  const result = new Float32Array(values.length);
  const line = new Float32Array(length);
  for (let outer = 0; outer < values.length; outer += length * stride)
    for (let inner = 0; inner < stride; inner++) {
      const start = outer + inner;
      for (let n = 0; n < length; n++) line[n] = values[start + n * stride]!;
      for (let k = 0; k < length; k++) {
        let sum = 0;
        const row = k * length;
        for (let n = 0; n < length; n++) sum += matrix[row + n]! * line[n]!;
        result[start + k * stride] = sum;
      }
    }
  return result;
}
