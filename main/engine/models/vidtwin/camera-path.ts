import type { Pictures } from '../../formats/raw-frames.ts';
import { type Affine, identity, isIdentity, mapX, mapY } from './affine.ts';
import { align, errorsOf, type Points, pointsOf, type Similarity } from './alignment.ts';
import { type Level, levelsOf } from './luminance-levels.ts';

/**
 * How the camera moved over a chunk: for each frame the map from its own coordinates to those of one still window that holds all that any frame
 * shows. Both in fractions of width and height, the middle of pixel i of n at (i + 0.5) / n.
 */
export type CameraPath = readonly Affine[];

/** The camera stands still: nothing is done to the frames. */
export const isStill = (path: CameraPath) => path.every(isIdentity);

/** A window that holds more than 1 / 0.35 of a side would show everything too small. */
const leastScale = 0.35;
/** Pixels that a corner has to move by: less is not worth being interpolated twice. */
const leastMotion = 0.75;
/** Share of a frame that has to lie in the key frame to be compared with it. */
const leastOverlap = 0.5;
/** Of the error against the key frame, over all frames: above, the path explains nothing. */
const leastGain = 0.85;
const unmoved: Similarity = [1, 0, 0, 0];

/**
 * The camera's path by the similarities (rotation, scale and shift) between frames that follow each other, each made exact against the frame
 * in the middle as long as half of it is seen there. All identity, exactly, where nothing moves by 0.75 pixel, where frames do not come nearer
 * to the one in the middle by it, and where the window would show everything at less than 0.35 of its size.
 */
export function findCameraPath(pictures: Pictures): CameraPath {
  const still = Array.from({ length: pictures.count }, () => identity);
  const maps = similarities(pictures);
  if (!maps) return still;
  const path = intoWindow(maps.map((map) => toFractions(map, pictures)));
  return path && largestMotion(path, pictures) >= leastMotion ? path : still;
}

/** Of each frame's pixels to those of the frame in the middle; nothing where pictures are too small, or none of it explains what changes. */
function similarities(pictures: Pictures): Similarity[] | undefined {
  const middle = pictures.count >> 1;
  const key = levelsOf(pictures, middle);
  if (key.length === 0) return undefined;
  const found: Similarity[] = Array.from({ length: pictures.count }, () => unmoved);
  let [followed, stood] = [0, 0];
  let points: Points[] = [];
  for (const step of [1, -1]) {
    let beside = key;
    let spent: Level[] = [];
    for (let frame = middle + step; frame >= 0 && frame < pictures.count; frame += step) {
      const own = levelsOf(pictures, frame, spent);
      points = own.map((level, index) => pointsOf(level, points[index]));
      const map = follow(points, beside, key, found[frame - step]!);
      const [error, before] = errorsOf(points[0]!, key[0]!, [map, unmoved]) as [number, number];
      followed += error;
      stood += before;
      found[frame] = map;
      spent = beside === key ? [] : beside;
      beside = own;
    }
  }
  return followed < leastGain * stood ? found : undefined;
}

/** A frame's map to the key frame, by that of the frame beside it. */
function follow(points: Points[], beside: Level[], key: Level[], known: Similarity): Similarity {
  const step = align(points, beside)?.map ?? unmoved;
  const chained = compose(known, step);
  if (beside === key) return chained;
  const direct = align(points, key, chained);
  if (!direct || direct.overlap < leastOverlap) return chained;
  // A figure that looks as it did in the key frame, while the ground does not, is found there, but not in the frame beside.
  const [jump, walk] = errorsOf(points[0]!, beside[0]!, [compose(inverseOf(known), direct.map), step]) as [
    number,
    number,
  ];
  return jump <= walk ? direct.map : chained;
}

/** First `second`, then `first`. */
function compose([a, b, x, y]: Similarity, [c, d, u, v]: Similarity): Similarity {
  return [a * c - b * d, b * c + a * d, a * u - b * v + x, b * u + a * v + y];
}

function inverseOf([a, b, x, y]: Similarity): Similarity {
  const size = a * a + b * b;
  return [a / size, -b / size, -(a * x + b * y) / size, (b * x - a * y) / size];
}

/** A map of pixels counted from the middle of the picture as one of fractions. */
function toFractions([a, b, x, y]: Similarity, { width, height }: Pictures): Affine {
  const [across, down] = [(b * height) / width, (b * width) / height];
  return [a, -across, x / width + (1 - a + across) / 2, down, a, y / height + (1 - a - down) / 2];
}

const corners = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const;

/** Nothing where frames spread too far for one window. */
function intoWindow(maps: CameraPath): CameraPath | undefined {
  const [across, down] = rangesOf(maps);
  return Math.min(across.scale, down.scale) >= leastScale ? fitted(maps) : undefined;
}

/** Scaled and shifted along both axes so that the corners of all frames just fit. */
export function fitted(maps: CameraPath): CameraPath {
  const [across, down] = rangesOf(maps);
  return maps.map(
    ([a, b, c, d, e, f]): Affine => [
      a * across.scale,
      b * across.scale,
      (c - across.low) * across.scale,
      d * down.scale,
      e * down.scale,
      (f - down.low) * down.scale,
    ],
  );
}

/** Where the corners of all frames begin across and down, and what makes their extent 1. */
export function rangesOf(maps: CameraPath) {
  const rangeOf = (values: number[]) => {
    const low = Math.min(...values);
    return { low, scale: 1 / (Math.max(...values) - low) };
  };
  return [
    rangeOf(maps.flatMap((map) => corners.map(([x, y]) => mapX(map, x, y)))),
    rangeOf(maps.flatMap((map) => corners.map(([x, y]) => mapY(map, x, y)))),
  ] as const;
}

/** Pixels by which a path moves a corner at most. */
function largestMotion(path: CameraPath, { width, height }: { width: number; height: number }): number {
  const motions = path.flatMap((map) =>
    corners.map(([x, y]) => Math.hypot((mapX(map, x, y) - x) * width, (mapY(map, x, y) - y) * height)),
  );
  return Math.max(...motions);
}
