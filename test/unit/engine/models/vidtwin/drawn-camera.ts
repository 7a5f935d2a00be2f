import type { Pictures } from '../../../../../main/engine/formats/raw-frames.ts';
import type { Affine } from '../../../../../main/engine/models/vidtwin/affine.ts';
import { Random } from '../../../../../main/engine/nn/random.ts';

/** Where a camera looks: pixels of the picture, counted from its middle, turned, scaled and shifted into the drawn plane. */
export interface View {
  x: number;
  y: number;
  scale?: number;
  angle?: number;
}

interface DrawnSize {
  width: number;
  height: number;
}

/** Grey values 40 to 215 anywhere on a plane: waves of all directions, 5 to 60 pixels long. */
function texture(seed: string): (x: number, y: number) => number {
  const random = new Random(seed);
  const waves = Array.from({ length: 24 }, () => {
    const [direction, phase] = [random.uniform() * 2 * Math.PI, random.uniform() * 2 * Math.PI];
    const rate = (2 * Math.PI) / (5 * 12 ** random.uniform());
    return { x: rate * Math.cos(direction), y: rate * Math.sin(direction), phase, size: 1 / Math.sqrt(rate) };
  });
  const total = Math.sqrt(waves.reduce((sum, { size }) => sum + size * size, 0) / 2);
  return (x, y) => {
    const sum = waves.reduce((all, wave) => all + wave.size * Math.sin(wave.x * x + wave.y * y + wave.phase), 0);
    return Math.max(40, Math.min(215, 128 + (40 * sum) / total));
  };
}

/** A textured plane seen by a camera, with a textured disc over it that goes its own way: `disc` is its share of the picture. */
export function drawClip(views: readonly View[], { width, height, disc = 0 }: DrawnSize & { disc?: number }): Pictures {
  const [ground, figure] = [texture('ground'), texture('figure')];
  const radius = Math.sqrt((disc * width * height) / Math.PI);
  const data = new Uint8Array(views.length * width * height * 3);
  for (const [frame, { x, y, scale = 1, angle = 0 }] of views.entries()) {
    const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
    // Against the camera, across the middle.
    const at = { x: (0.5 - frame / views.length) * width * 0.6, y: Math.sin(frame / 3) * height * 0.1 };
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const [u, v] = [column + 0.5 - width / 2, row + 0.5 - height / 2];
        const isFigure = Math.hypot(u - at.x, v - at.y) < radius;
        const value = isFigure ? figure(u - at.x, v - at.y) : ground(cos * u - sin * v + x, sin * u + cos * v + y);
        const i = ((frame * height + row) * width + column) * 3;
        data.fill(Math.round(value), i, i + 3);
      }
  }
  return { data, count: views.length, width, height };
}

/**
 * How far the path is from what the camera did, in pixels at the corners at most: the corners of each frame through the path and back through
 * that of the frame in the middle, against the same by the views.
 */
export function pathError(path: readonly Affine[], views: readonly View[], { width, height }: DrawnSize): number {
  const middle = views.length >> 1;
  let most = 0;
  for (const [frame, view] of views.entries())
    for (const [cx, cy] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const) {
      const [a, b, c, d, e, f] = path[frame]!;
      const [A, B, C, D, E, F] = path[middle]!;
      const [px, py] = [a * cx + b * cy + c - C, d * cx + e * cy + f - F];
      const size = A * E - B * D;
      const found = { x: ((E * px - B * py) / size) * width, y: ((A * py - D * px) / size) * height };
      const seen = toPlane(view, (cx - 0.5) * width, (cy - 0.5) * height);
      const wanted = fromPlane(views[middle]!, seen);
      most = Math.max(most, Math.hypot(found.x - wanted.x - width / 2, found.y - wanted.y - height / 2));
    }
  return most;
}

function toPlane({ x, y, scale = 1, angle = 0 }: View, u: number, v: number) {
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return { x: cos * u - sin * v + x, y: sin * u + cos * v + y };
}

function fromPlane({ x, y, scale = 1, angle = 0 }: View, point: { x: number; y: number }) {
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  return { x: cos * (point.x - x) + sin * (point.y - y), y: -sin * (point.x - x) + cos * (point.y - y) };
}
