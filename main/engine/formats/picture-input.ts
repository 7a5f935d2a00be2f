import type { Pictures } from './raw-frames.ts';

/** Values of one picture [height, width, 3], 0 to 255. */
export interface Picture {
  values: Float32Array;
  width: number;
  height: number;
}

export function pictureOf({ data, width, height }: Pictures, frame: number): Picture {
  const size = width * height * 3;
  return { values: Float32Array.from(data.subarray(frame * size, (frame + 1) * size)), width, height };
}

/**
 * A picture at another size by cubic convolution (Keys 1981, a = -1/2); where it gets smaller, the kernel is
 * as much wider, so that what is left out is averaged and not skipped. Rounded to 0 to 255 along rows, and
 * again along columns, as Pillow does, by which CLIP's pictures are made.
 */
export function resized(picture: Picture, width: number, height: number): Picture {
  if (picture.width === width && picture.height === height) return picture;
  const across = alongRows(picture, width);
  return transposed(alongRows(transposed(across), height));
}

/** Its shorter side made `shorterSide`, and of that the middle `size` x `size`. */
export function middleSquare(picture: Picture, size: number, shorterSide = size): Picture {
  const scale = Math.max(size, shorterSide) / Math.min(picture.width, picture.height);
  const side = (length: number) => Math.floor(length * scale + 1e-6);
  const scaled = resized(picture, side(picture.width), side(picture.height));
  const [left, top] = [Math.floor((scaled.width - size) / 2), Math.floor((scaled.height - size) / 2)];
  const values = new Float32Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const from = ((top + y) * scaled.width + left) * 3;
    values.set(scaled.values.subarray(from, from + size * 3), y * size * 3);
  }
  return { values, width: size, height: size };
}

type Normal = { mean: readonly number[]; deviation: readonly number[] };

/** [height, width, 3] of 0 to 255 -> normalised [3, height, width], written into `target` at every `stride` planes from `first` on. */
export function writePlanes(
  { values, width, height }: Picture,
  { mean, deviation }: Normal,
  target: Float32Array,
  { first = 0, stride = 1 } = {},
): void {
  const size = width * height;
  for (let channel = 0; channel < 3; channel++) {
    const start = (first + channel * stride) * size;
    for (let place = 0; place < size; place++)
      target[start + place] = (values[place * 3 + channel]! / 255 - mean[channel]!) / deviation[channel]!;
  }
}

export function planesOf(picture: Picture, normal: Normal): Float32Array {
  const planes = new Float32Array(3 * picture.width * picture.height);
  writePlanes(picture, normal, planes);
  return planes;
}

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

function alongRows({ values, width, height }: Picture, target: number): Picture {
  const scale = width / target;
  const reach = Math.max(1, scale);
  const out = new Float32Array(target * height * 3);
  for (let x = 0; x < target; x++) {
    const centre = (x + 0.5) * scale;
    const first = Math.max(0, Math.round(centre - 2 * reach));
    const last = Math.min(width, Math.round(centre + 2 * reach));
    const weights = Array.from({ length: last - first }, (_, index) => cubic((first + index + 0.5 - centre) / reach));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let y = 0; y < height; y++)
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (const [index, weight] of weights.entries())
          sum += weight * values[(y * width + first + index) * 3 + channel]!;
        out[(y * target + x) * 3 + channel] = Math.min(255, Math.max(0, Math.round(sum / total)));
      }
  }
  return { values: out, width: target, height };
}

function transposed({ values, width, height }: Picture): Picture {
  const out = new Float32Array(values.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < 3; channel++)
        out[(x * height + y) * 3 + channel] = values[(y * width + x) * 3 + channel]!;
  return { values: out, width: height, height: width };
}
