import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { createRandom } from './random.ts';

const size = 256;

/** Tileable value noise [256 * 256] in 0..1 with an even spread; `cells` features across. */
function valueNoise(cells: number, octaves: number, seed: number): Float32Array {
  const out = new Float32Array(size * size);
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    const count = Math.min(size, cells * 2 ** octave);
    const weight = 0.55 ** octave;
    total += weight;
    const random = createRandom(seed, `noise-${octave}`);
    const lattice = Float32Array.from({ length: count * count }, () => random.next());
    for (let y = 0; y < size; y++) {
      const gy = (y / size) * count;
      const y0 = Math.floor(gy);
      const ty = gy - y0;
      const sy = ty * ty * (3 - 2 * ty);
      const row0 = (y0 % count) * count;
      const row1 = ((y0 + 1) % count) * count;
      for (let x = 0; x < size; x++) {
        const gx = (x / size) * count;
        const x0 = Math.floor(gx);
        const tx = gx - x0;
        const sx = tx * tx * (3 - 2 * tx);
        const a = lattice[row0 + (x0 % count)]!;
        const b = lattice[row0 + ((x0 + 1) % count)]!;
        const c = lattice[row1 + (x0 % count)]!;
        const d = lattice[row1 + ((x0 + 1) % count)]!;
        out[y * size + x]! += weight * (a + (b - a) * sx + (c - a + (a - b - c + d) * sx) * sy);
      }
    }
  }
  for (let i = 0; i < out.length; i++) out[i]! /= total;
  return out;
}

const fields = new Map<string, Float32Array>();
const canvases = new Map<string, Canvas>();

const kinds = {
  soft: [4, 4, 11],
  rough: [16, 4, 12],
  fine: [128, 1, 13],
  paper: [48, 3, 14],
} as const satisfies Record<string, readonly [number, number, number]>;
export type TextureKind = keyof typeof kinds;

/** A noise field [256 * 256] in 0..1, made once per process. */
export function noiseField(kind: TextureKind): Float32Array {
  let field = fields.get(kind);
  if (!field) {
    field = valueNoise(kinds[kind][0], kinds[kind][1], kinds[kind][2]);
    fields.set(kind, field);
  }
  return field;
}

/** The same noise as a picture: dark and bright veils that lie over whatever is below them. */
function noiseCanvas(kind: TextureKind): Canvas {
  const found = canvases.get(kind);
  if (found) return found;
  const field = noiseField(kind);
  const canvas = createCanvas(size, size);
  const ctx = canvas.getContext('2d');
  const image = ctx.createImageData(size, size);
  for (let i = 0; i < field.length; i++) {
    const value = field[i]! - 0.5;
    const tone = value > 0 ? 255 : 0;
    image.data.set([tone, tone, tone, Math.min(255, Math.abs(value) * 900)], i * 4);
  }
  ctx.putImageData(image, 0, 0);
  canvases.set(kind, canvas);
  return canvas;
}

/** Lays noise over what is already drawn in a rectangle; one tile is `width` by `height` units large. */
export function texture(
  ctx: SKRSContext2D,
  kind: TextureKind,
  area: readonly [x: number, y: number, width: number, height: number],
  tile: readonly [width: number, height: number],
  strength: number,
): void {
  const [left, top, width, height] = area;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.globalCompositeOperation = 'source-atop';
  ctx.globalAlpha = strength;
  const canvas = noiseCanvas(kind);
  for (let y = top; y < top + height; y += tile[1]) {
    for (let x = left; x < left + width; x += tile[0]) ctx.drawImage(canvas, x, y, tile[0], tile[1]);
  }
  ctx.restore();
}
