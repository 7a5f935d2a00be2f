import type { Picture } from '../../formats/picture-input.ts';

/** A face in a picture: five points (eyes, nose, corners of the mouth) in pixels, x and y in turn. */
export interface Face {
  score: number;
  /** Left, top, right, bottom in pixels. */
  box: readonly [number, number, number, number];
  points: readonly number[];
}

/** What a detector says at one stride: scores [cells, 1], distances [cells, 4] and points [cells, 10], in strides. */
export interface DetectorLevel {
  stride: number;
  scores: Float32Array;
  boxes: Float32Array;
  points: Float32Array;
}

/** How much two boxes may have in common, as a share of both together, to be two faces. */
const overlapLimit = 0.4;

/**
 * Faces of a detector in the form of SCRFD (Guo et al., arXiv 2105.04714), the most certain first: a cell's anchors lie at its corner, and
 * what is found is told as distances from there. `side` is that of the detector's square picture, `scale` what it was enlarged by.
 */
export function facesOf(levels: readonly DetectorLevel[], side: number, scale: number, threshold: number): Face[] {
  const found: Face[] = [];
  for (const { stride, scores, boxes, points } of levels) {
    const cells = Math.ceil(side / stride);
    const anchors = scores.length / (cells * cells);
    for (const [index, score] of scores.entries()) {
      if (score < threshold) continue;
      const cell = Math.floor(index / anchors);
      const [x, y] = [(cell % cells) * stride, Math.floor(cell / cells) * stride];
      const at = (values: Float32Array, size: number, item: number) => values[index * size + item]! * stride;
      found.push({
        score,
        box: [
          (x - at(boxes, 4, 0)) / scale,
          (y - at(boxes, 4, 1)) / scale,
          (x + at(boxes, 4, 2)) / scale,
          (y + at(boxes, 4, 3)) / scale,
        ],
        points: Array.from({ length: 10 }, (_, item) => ((item % 2 ? y : x) + at(points, 10, item)) / scale),
      });
    }
  }
  const kept: Face[] = [];
  for (const face of found.sort((a, b) => b.score - a.score))
    if (kept.every((other) => overlap(other.box, face.box) <= overlapLimit)) kept.push(face);
  return kept;
}

function overlap(a: Face['box'], b: Face['box']): number {
  const area = ([left, top, right, bottom]: readonly number[]) =>
    Math.max(0, right! - left!) * Math.max(0, bottom! - top!);
  const common = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return common / Math.max(1e-9, area(a) + area(b) - common);
}

/** Where the five points lie in an aligned face of 112 x 112 (ArcFace, arXiv 1801.07698). */
const template = [38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041];
const templateSide = 112;

/**
 * The face turned, scaled and moved so that its points lie at the template's, with least squares: `size` x `size`, bilinear, black beyond
 * the picture's edge.
 */
export function alignedFace({ values, width, height }: Picture, { points }: Face, size: number): Picture {
  const scale = size / templateSide;
  const wanted = template.map((value) => value * scale);
  const [a, b, tx, ty] = similarity(wanted, points);
  const out = new Float32Array(size * size * 3);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [sx, sy] = [a * x - b * y + tx, b * x + a * y + ty];
      const [left, top] = [Math.floor(sx), Math.floor(sy)];
      for (const [column, row, weight] of [
        [left, top, (1 - (sx - left)) * (1 - (sy - top))],
        [left + 1, top, (sx - left) * (1 - (sy - top))],
        [left, top + 1, (1 - (sx - left)) * (sy - top)],
        [left + 1, top + 1, (sx - left) * (sy - top)],
      ] as const) {
        if (column < 0 || row < 0 || column >= width || row >= height) continue;
        for (let channel = 0; channel < 3; channel++)
          out[(y * size + x) * 3 + channel]! += weight * values[(row * width + column) * 3 + channel]!;
      }
    }
  return { values: out, width: size, height: size };
}

/** The turn, scale and shift (x, y) -> (a x - b y + tx, b x + a y + ty) that leads `from` nearest to `to` in least squares. */
function similarity(from: readonly number[], to: readonly number[]): [a: number, b: number, tx: number, ty: number] {
  const count = from.length / 2;
  const mean = (values: readonly number[], axis: number) =>
    values.reduce((sum, value, index) => (index % 2 === axis ? sum + value : sum), 0) / count;
  const [fx, fy, gx, gy] = [mean(from, 0), mean(from, 1), mean(to, 0), mean(to, 1)];
  let [dot, cross, square] = [0, 0, 0];
  for (let point = 0; point < count; point++) {
    const [x, y] = [from[2 * point]! - fx, from[2 * point + 1]! - fy];
    const [u, v] = [to[2 * point]! - gx, to[2 * point + 1]! - gy];
    dot += x * u + y * v;
    cross += x * v - y * u;
    square += x * x + y * y;
  }
  const [a, b] = [dot / square, cross / square];
  return [a, b, gx - a * fx + b * fy, gy - b * fx - a * fy];
}
