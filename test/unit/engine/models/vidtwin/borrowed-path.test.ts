import { describe, expect, test } from 'vitest';
import { type Affine, compose, inverseOf, mapX, mapY } from '../../../../../main/engine/models/vidtwin/affine.ts';
import { borrowPath, scaleOwnPath, unstretched } from '../../../../../main/engine/models/vidtwin/borrowed-path.ts';
import { type CameraPath, findCameraPath } from '../../../../../main/engine/models/vidtwin/camera-path.ts';
import { chunkStarts, cutChunk } from '../../../../../main/engine/models/vidtwin/twin-chunks.ts';
import { drawClip, type View } from './drawn-camera.ts';

const frames = 16;
const count = 40;
const starts = chunkStarts(count, frames);
const side = 96;
const corners = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const;

const cameras = {
  'stands still': () => ({ x: 0, y: 0 }),
  pans: (frame: number) => ({ x: 2 * frame, y: -0.5 * frame }),
  zooms: (frame: number) => ({ x: 0, y: 0, scale: 1.02 ** frame }),
  turns: (frame: number) => ({ x: frame, y: 0, angle: 0.01 * frame }),
};
type Camera = (frame: number) => View;

/** Each chunk's path, as it is coded. */
function pathsOf(camera: Camera, length = count): CameraPath[] {
  const clip = drawClip(
    Array.from({ length }, (_, frame) => camera(frame)),
    { width: side, height: side },
  );
  return chunkStarts(length, frames).map((start) => findCameraPath(cutChunk(clip, start, frames, side, side)));
}

/** A frame's fractions to the drawn plane's pixels. */
function ontoPlane({ x, y, scale = 1, angle = 0 }: View): Affine {
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return [cos * side, -sin * side, x - ((cos - sin) * side) / 2, sin * side, cos * side, y - ((sin + cos) * side) / 2];
}

const cornersOf = (map: Affine) => corners.map(([x, y]) => [mapX(map, x, y), mapY(map, x, y)] as const);

describe.each(Object.entries<Camera>(cameras))('over a scene whose camera %s', (_, ownCamera) => {
  const scene = pathsOf(ownCamera);
  const planeOf = (made: readonly CameraPath[], chunk: number, frame: number) => {
    const middle = starts[chunk]! + frames / 2;
    const window = compose(ontoPlane(ownCamera(middle)), inverseOf(scene[chunk]![middle - starts[chunk]!]!));
    return cornersOf(compose(window, made[chunk]![frame - starts[chunk]!]!));
  };

  const expectNoJumps = (made: readonly CameraPath[]) => {
    for (let chunk = 1; chunk < starts.length; chunk++)
      for (let frame = starts[chunk]!; frame < starts[chunk - 1]! + frames; frame++) {
        const after = planeOf(made, chunk, frame);
        for (const [index, [x, y]] of planeOf(made, chunk - 1, frame).entries())
          expect(Math.hypot(x - after[index]![0], y - after[index]![1])).toBeLessThan(1.5); // of 96 pixels
      }
  };

  test.each(Object.entries<Camera>(cameras))('one that %s shows the same place where chunks meet', (_, camera) => {
    expectNoJumps(borrowPath(starts, scene, pathsOf(camera), 1));
  });

  test('its own at any strength shows the same place where chunks meet, and is itself at 1', () => {
    expect(scaleOwnPath(starts, scene, 1)).toEqual(scene);
    for (const strength of [0, 0.5, 1.5]) expectNoJumps(scaleOwnPath(starts, scene, strength));
    for (const [chunk, path] of scaleOwnPath(starts, scene, 0.999999).entries())
      for (const [frame, map] of path.entries())
        for (const [index, value] of map.entries()) expect(value).toBeCloseTo(scene[chunk]![frame]![index]!, 4);
  });

  test('without strength it shows the scene as its windows do', () => {
    for (const [chunk, path] of borrowPath(starts, scene, pathsOf(cameras.pans), 0).entries()) {
      // In the middle of its frames a chunk shows its whole window.
      const [before, after] = [cornersOf(path[frames / 2 - 1]!), cornersOf(path[frames / 2]!)];
      for (const [index, [x, y]] of corners.entries()) {
        expect((before[index]![0] + after[index]![0]) / 2, `chunk ${chunk}`).toBeCloseTo(x, 1.7);
        expect((before[index]![1] + after[index]![1]) / 2).toBeCloseTo(y, 1.7);
      }
    }
  });
});

test('over a scene that stands still, the camera goes all its way once, and stays within the picture', () => {
  const still = pathsOf(cameras['stands still']);
  const made = borrowPath(starts, still, pathsOf(cameras.pans), 1);
  const whole = made.flatMap((path, chunk) => path.slice(0, (starts[chunk + 1] ?? count) - starts[chunk]!));
  expect(whole).toHaveLength(count);
  const steps = whole.slice(1).map((map, index) => mapX(map, 0.5, 0.5) - mapX(whole[index]!, 0.5, 0.5));
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  for (const step of steps) expect(Math.abs(step - mean)).toBeLessThan(0.1 * mean);
  for (const places of whole.map(cornersOf)) {
    expect(Math.min(...places.flat())).toBeGreaterThan(-1e-6);
    expect(Math.max(...places.flat())).toBeLessThan(1 + 1e-6);
  }
});

test('where chunks disagree about the camera it goes from what one says to what the next does', () => {
  const still = pathsOf(cameras['stands still']);
  const [, ...panned] = pathsOf(cameras.pans);
  const made = borrowPath(starts, still, [still[0]!, ...panned], 1);
  const whole = made.flatMap((path, chunk) => path.slice(0, (starts[chunk + 1] ?? count) - starts[chunk]!));
  const steps = whole.slice(1).map((map, index) => mapX(map, 0.5, 0.5) - mapX(whole[index]!, 0.5, 0.5));
  const pace = steps.at(-1)!;
  // It said that nothing moved, and is believed until the next chunk begins; then nothing jumps.
  for (const step of steps.slice(0, starts[1]! - 1)) expect(step).toBeCloseTo(0, 6);
  for (const step of steps) expect(Math.abs(step)).toBeLessThan(1.5 * pace);
});

test('a way too long for the picture is shortened, so that a view has half of its width', () => {
  const still = pathsOf(cameras['stands still'], 100);
  const far = pathsOf((frame) => ({ x: 4 * frame, y: 0 }), 100);
  const made = borrowPath(chunkStarts(100, frames), still, far, 1).flat();
  const places = made.flatMap(cornersOf).map(([x]) => x);
  expect(Math.min(...places)).toBeCloseTo(0, 6);
  expect(Math.max(...places)).toBeCloseTo(1, 6);
  for (const map of made) expect(map[0]).toBeGreaterThan(0.499);
});

test('over one chunk it is its own path, not stretched', () => {
  const [own, camera] = [pathsOf(cameras.turns, frames), pathsOf(cameras.pans, frames)];
  const [made] = borrowPath([0], own, camera, 1);
  for (const [frame, map] of unstretched(camera[0]!).entries())
    for (const [index, value] of map.entries()) expect(made![frame]![index]).toBeCloseTo(value, 9);
});
