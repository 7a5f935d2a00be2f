import { type Affine, combine, compose, identity, inverseOf, mapX, mapY } from './affine.ts';
import { type CameraPath, fitted, rangesOf } from './camera-path.ts';

/** Cameras over a scene whose chunks have windows of their own, and which moves from one to the next. */

/**
 * A camera's path over another clip, for each chunk of that clip. The camera is followed from chunk to chunk and shown in one frame as high and as wide as all
 * it saw, which moves over the scene from each chunk's window to the next: where two chunks meet, both show the same place. `strength` 0 shows that frame alone.
 * Both clips have chunks at `starts`.
 */
export function borrowPath(
  starts: readonly number[],
  scene: readonly CameraPath[],
  camera: readonly CameraPath[],
  strength: number,
): CameraPath[] {
  const whole = followed(starts, camera);
  const views = scalePath(unstretched(fitted(shorten(shorten(whole, 0), 1))), strength);
  const stages = stagesOf(starts, scene);
  return starts.map((start, chunk) => stages[chunk]!.map((stage, index) => compose(stage, views[start + index]!)));
}

/** A camera's path through all chunks on the first one's plane; where two that share frames disagree, from the one to the other. */
function followed(starts: readonly number[], paths: readonly CameraPath[]): CameraPath {
  const windows = windowsOf(starts, paths);
  const whole: Affine[] = [];
  for (const [chunk, start] of starts.entries()) {
    const shared = whole.length - start;
    for (const [index, map] of paths[chunk]!.entries()) {
      const own = compose(windows[chunk]!, map);
      const before = whole[start + index];
      const share = (index + 1) / (shared + 1);
      whole[start + index] = before ? combine(before, own, (a, b) => a + share * (b - a)) : own;
    }
  }
  return whole;
}

/** A camera's path over its own clip at another strength: 1 is the path itself, 0 goes from each chunk's window to the next. */
export function scaleOwnPath(starts: readonly number[], paths: readonly CameraPath[], strength: number): CameraPath[] {
  if (strength === 1) return [...paths];
  const stages = stagesOf(starts, paths);
  return paths.map((path, chunk) =>
    path.map((map, index) => {
      const stage = stages[chunk]![index]!;
      const [view] = scalePath([compose(inverseOf(stage), map)], strength) as [Affine];
      return compose(stage, view);
    }),
  );
}

/** Where each frame of each chunk has the scene's moving frame in the chunk's window: on the whole of it at the chunk's middle. */
function stagesOf(starts: readonly number[], paths: readonly CameraPath[]): CameraPath[] {
  const windows = windowsOf(starts, paths);
  const middles = starts.map((start, chunk) => start + (paths[chunk]!.length - 1) / 2);
  return starts.map((start, chunk) =>
    paths[chunk]!.map((_, index) => compose(inverseOf(windows[chunk]!), between(windows, middles, start + index))),
  );
}

/** Each chunk's window as a part of the first one's plane, by the frame in the middle of those that a chunk shares with the one before it. */
function windowsOf(starts: readonly number[], paths: readonly CameraPath[]): Affine[] {
  const windows: Affine[] = [identity];
  for (let chunk = 1; chunk < starts.length; chunk++) {
    const end = starts[chunk - 1]! + paths[chunk - 1]!.length;
    const shared = (starts[chunk]! + end - 1) >> 1;
    const before = compose(windows[chunk - 1]!, paths[chunk - 1]![shared - starts[chunk - 1]!]!);
    windows.push(compose(before, inverseOf(paths[chunk]![shared - starts[chunk]!]!)));
  }
  return windows;
}

/** Of the maps at increasing moments, the one at another: on the line between its neighbours, or that at the end. */
function between(maps: readonly Affine[], moments: readonly number[], moment: number): Affine {
  const after = moments.findIndex((other) => other > moment);
  if (after === 0) return maps[0]!;
  if (after < 0) return maps.at(-1)!;
  const share = (moment - moments[after - 1]!) / (moments[after]! - moments[after - 1]!);
  return combine(maps[after - 1]!, maps[after]!, (a, b) => a + share * (b - a));
}

/** A view of less than half of the scene would be a few blurred cells. */
const leastView = 0.5;

/** Shortens the camera's way along an axis (0 across, 1 down) so that the largest view has `leastView` of it. */
function shorten(path: CameraPath, axis: 0 | 1): CameraPath {
  const largest = Math.max(...path.map((map) => 1 / rangesOf([map])[axis].scale));
  const most = largest / leastView;
  if (1 / rangesOf(path)[axis].scale <= most) return path;
  const at = axis === 0 ? mapX : mapY;
  const middles = path.map((map) => at(map, 0.5, 0.5));
  const [low, high] = [Math.min(...middles), Math.max(...middles)];
  const share = (most - largest) / (high - low);
  return path.map((map, frame) => {
    const shift = (share - 1) * (middles[frame]! - low);
    return compose([1, 0, axis === 0 ? shift : 0, 0, 1, axis === 1 ? shift : 0], map);
  });
}

/**
 * A path for another clip's window. A path's own window may be narrower than high, or wider, and holds its clip stretched so; what another window holds is not.
 * The longer side of the view is shortened around the window's middle.
 */
export const unstretched = (path: CameraPath): CameraPath =>
  path.map(([a, b, c, d, e, f]): Affine => {
    const stretch = Math.abs(a / e);
    const [across, down] = stretch < 1 ? [1, stretch] : [1 / stretch, 1];
    return [a * across, b * across, 0.5 + (c - 0.5) * across, d * down, e * down, 0.5 + (f - 0.5) * down];
  });

/** The path times a strength: 0 holds the camera still over the window, 1 is the path itself. */
export const scalePath = (path: CameraPath, strength: number): CameraPath =>
  path.map((map) => combine(identity, map, (a, b) => a + strength * (b - a)));
