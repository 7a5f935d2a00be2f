import { describe, expect, test } from 'vitest';
import type { Pictures } from '../../../../../main/engine/formats/raw-frames.ts';
import type { Affine } from '../../../../../main/engine/models/vidtwin/affine.ts';
import { scalePath, unstretched } from '../../../../../main/engine/models/vidtwin/borrowed-path.ts';
import { type CameraPath, findCameraPath, isStill } from '../../../../../main/engine/models/vidtwin/camera-path.ts';
import { steady, unsteady } from '../../../../../main/engine/models/vidtwin/steady-clip.ts';
import { ChunkJoiner, cutChunk } from '../../../../../main/engine/models/vidtwin/twin-chunks.ts';
import { Random } from '../../../../../main/engine/nn/random.ts';
import { drawClip, pathError, type View } from './drawn-camera.ts';

const frames = 16;
const views = (viewAt: (frame: number) => View) => Array.from({ length: frames }, (_, frame) => viewAt(frame));

const motions = {
  'pans by a pixel': views((frame) => ({ x: frame, y: -0.5 * frame })),
  'pans by ten pixels there and back': views((frame) => ({ x: 15 * Math.sin(frame / 1.5), y: 0 })),
  'creeps by a tenth of a pixel': views((frame) => ({ x: 0.1 * frame, y: 0.05 * frame })),
  zooms: views((frame) => ({ x: 0, y: 0, scale: 1.02 ** frame })),
  turns: views((frame) => ({ x: 0, y: 0, angle: 0.02 * frame })),
  shakes: views((frame) => ({ x: 5 * Math.sin(2 * frame), y: 4 * Math.cos(3 * frame) })),
  'does all of it': views((frame) => ({ x: 2 * frame, y: -frame, scale: 0.985 ** frame, angle: -0.01 * frame })),
};
const square = { width: 128, height: 128 };

describe.each(Object.entries(motions))('a camera that %s', (_, moved) => {
  test.each([0, 1 / 3])('is found within 0.3 pixel behind a figure that fills %f of the picture', (disc) => {
    const path = findCameraPath(drawClip(moved, { ...square, disc }));
    expect(isStill(path)).toBe(false);
    expect(pathError(path, moved, square)).toBeLessThan(0.3);
  });

  test('has a window that all frames fit into, and no larger', () => {
    const path = findCameraPath(drawClip(moved, square));
    const found = path.flatMap((map) => cornersOf(map));
    for (const axis of [0, 1] as const) {
      const places = found.map((corner) => corner[axis]);
      expect(Math.min(...places)).toBeCloseTo(0, 9);
      expect(Math.max(...places)).toBeCloseTo(1, 9);
    }
  });

  test('is taken out of the clip and put back again', () => {
    const clip = drawClip(moved, square);
    const path = findCameraPath(clip);
    const window = steady(clip, path);
    // The ground stands still, but for what is interpolated.
    expect(stepsOf(window)).toBeLessThan(Math.min(3.5, stepsOf(clip) / 2));
    expect(psnr(valuesOf(movedAgain(window, path)), valuesOf(clip))).toBeGreaterThan(28);
  });
});

test.each([
  { width: 400, height: 300 },
  { width: 97, height: 171 },
  { width: 40, height: 33 },
])('pictures of $width x $height are looked at too', (size) => {
  const moved = views((frame) => ({ x: frame, y: 0.4 * frame, angle: 0.003 * frame }));
  expect(pathError(findCameraPath(drawClip(moved, size)), moved, size)).toBeLessThan(0.3);
});

test('a camera that stands still leaves the clip as it is, whatever moves in front of it', () => {
  for (const disc of [0, 1 / 3]) {
    const clip = drawClip(
      views(() => ({ x: 0, y: 0 })),
      { ...square, disc },
    );
    const path = findCameraPath(clip);
    expect(isStill(path)).toBe(true);
    expect(steady(clip, path)).toBe(clip);
    expect(Buffer.compare(movedAgain(clip, path).data, clip.data)).toBe(0);
  }
});

/** A window's pictures where the camera went over them. */
function movedAgain(window: Pictures, path: CameraPath): Pictures {
  const joiner = new ChunkJoiner({ ...window, frameCount: window.count });
  const values = valuesOf(window).map((byte) => byte / 127.5 - 1);
  joiner.add({ start: 0, values, frames: window.count, ...square, path }, undefined);
  return joiner.result();
}

describe('nothing is done to', () => {
  const of = (data: Uint8Array): Pictures => ({ data, count: frames, ...square });
  const size = frames * square.width * square.height * 3;
  test('black frames, and those of one colour', () => {
    expect(isStill(findCameraPath(of(new Uint8Array(size))))).toBe(true);
    expect(isStill(findCameraPath(of(new Uint8Array(size).fill(170))))).toBe(true);
  });
  test('frames that have nothing in common', () => {
    const random = new Random(1);
    expect(isStill(findCameraPath(of(Uint8Array.from({ length: size }, () => random.integer(256)))))).toBe(true);
  });
  test('pictures with hardly a pixel', () => {
    for (const [width, height] of [
      [1, 1],
      [5, 3],
      [300, 2],
    ] as const)
      expect(
        findCameraPath({ data: new Uint8Array(3 * 4 * width * height).fill(9), count: 4, width, height }),
      ).toHaveLength(4);
  });
  test('a camera that goes so far that the window would show everything too small', () => {
    const moved = views((frame) => ({ x: 9 * frame, y: 0 }));
    expect(isStill(findCameraPath(drawClip(moved, square)))).toBe(false);
    const further = views((frame) => ({ x: 17 * (frame - 8), y: 0 }));
    expect(isStill(findCameraPath(drawClip(further, square)))).toBe(true);
  });
});

test('a last frame that is held has one place in the window', () => {
  const moved = motions['does all of it'];
  const short = drawClip(moved.slice(0, 9), square);
  const path = findCameraPath(cutChunk(short, 0, frames, 128, 128));
  expect(pathError(path.slice(0, 9), moved.slice(0, 9), square)).toBeLessThan(0.3);
  for (let frame = 9; frame < frames; frame++)
    for (const [index, value] of path[frame]!.entries()) expect(value).toBeCloseTo(path[8]![index]!, 4);
});

test('half a path goes half as far, and none of it not at all', () => {
  const path = findCameraPath(drawClip(motions['does all of it'], square));
  for (const [frame, map] of scalePath(path, 0.5).entries())
    for (const [index, corner] of cornersOf(map).entries()) {
      const whole = cornersOf(path[frame]!)[index]!;
      const own = cornersOf([1, 0, 0, 0, 1, 0])[index]!;
      for (const axis of [0, 1] as const) expect(corner[axis]).toBeCloseTo((whole[axis] + own[axis]) / 2, 9);
    }
  expect(isStill(scalePath(path, 0))).toBe(true);
});

test('a path for another clip does not stretch it, and stays within its window', () => {
  const wide = findCameraPath(drawClip(motions['pans by a pixel'], square));
  for (const map of unstretched(wide)) {
    expect(map[0]).toBeCloseTo(map[4], 9);
    const places = cornersOf(map).flat();
    expect(Math.min(...places)).toBeGreaterThanOrEqual(-1e-9);
    expect(Math.max(...places)).toBeLessThanOrEqual(1 + 1e-9);
  }
  expect(Math.abs(wide[0]![0] - wide[0]![4])).toBeGreaterThan(0.03);
});

test('a camera that moves by less than 0.75 pixel is taken to stand still', () => {
  const trembling = (size: number) => views((frame) => ({ x: size * Math.sin(2 * frame), y: 0 }));
  expect(isStill(findCameraPath(drawClip(trembling(0.2), square)))).toBe(true);
  expect(isStill(findCameraPath(drawClip(trembling(0.8), square)))).toBe(false);
});

test('put back, a pixel has the value of the window where the path says, and at its edge that of the edge', () => {
  const [width, height] = [10, 6];
  const padded = { width: 12, height: 8 };
  const places = (value: (x: number, y: number) => number) =>
    Float32Array.from({ length: 96 }, (_, i) => value(i % padded.width, Math.floor(i / padded.width)));
  // Three channels of one frame: how far right, how far down, and nothing; 99 where the window was padded.
  const inside = (value: number) => (x: number, y: number) => (x < width && y < height ? value : 99);
  const planes = [
    places((x, y) => inside(x)(x, y)),
    places((x, y) => inside(y)(x, y)),
    places((x, y) => inside(0)(x, y)),
  ];
  const values = Float32Array.from(planes.flatMap((plane) => Array.from(plane)));
  const map: Affine = [0.8, 0.1, 0.15, -0.05, 0.7, 0.3];
  const made = new Float32Array(3 * width * height).fill(Number.NaN);
  unsteady({ values, frames: 1, ...padded }, 0, map, { width, height }, made);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const [x, y] = [(column + 0.5) / width, (row + 0.5) / height];
      const across = (0.8 * x + 0.1 * y + 0.15) * width - 0.5;
      const down = (-0.05 * x + 0.7 * y + 0.3) * height - 0.5;
      const at = row * width + column;
      expect(made[at]).toBeCloseTo(Math.min(width - 1, across), 4);
      expect(made[60 + at]).toBeCloseTo(Math.min(height - 1, down), 4);
      expect(made[120 + at]).toBe(0);
    }
});

test('what no frame shows is filled from the nearest edge, and what another one shows from there', () => {
  // A line of 4 pixels that goes to the right by one: 10 20 30 40, then 20 30 40 50. The window is 5 pixels wide.
  const data = Uint8Array.from([10, 20, 30, 40, 20, 30, 40, 50].flatMap((value) => [value, value, value]));
  const clip = { data, count: 2, width: 4, height: 1 };
  const path: Affine[] = [
    [4 / 5, 0, 0, 0, 1, 0],
    [4 / 5, 0, 1 / 5, 0, 1, 0],
  ];
  const greys = Array.from(steady(clip, path).data).filter((_, index) => index % 3 === 0);
  // Middles of the window's pixels are at 0.125, 1.375, 2.625 and 3.875 of the 5, counted from the middle of the first.
  expect(greys).toEqual([11, 24, 36, 49, 11, 24, 36, 49]);
});

const cornersOf = ([a, b, c, d, e, f]: Affine) =>
  [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ].map(([x, y]) => [a * x! + b * y! + c, d * x! + e * y! + f] as const);

/** By how much each frame differs from the one before, of 255, on average. */
function stepsOf({ data, count }: Pictures): number {
  const size = data.length / count;
  let sum = 0;
  for (let i = size; i < data.length; i++) sum += Math.abs(data[i]! - data[i - size]!);
  return sum / (data.length - size);
}

/** [frames, height, width, 3] -> [3, frames, height, width] */
function valuesOf({ data }: Pictures): Float32Array {
  const pixels = data.length / 3;
  return Float32Array.from({ length: data.length }, (_, i) => data[(i % pixels) * 3 + Math.floor(i / pixels)]!);
}

function psnr(a: Float32Array, b: Float32Array): number {
  return 10 * Math.log10(255 ** 2 / (a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length));
}
