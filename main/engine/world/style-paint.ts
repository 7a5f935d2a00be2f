import { blur, clamp, edgeStrength, noiseAt, type Picture } from './picture.ts';
import { noiseField } from './textures.ts';

/** Black lines and hatching that crosses in the shade, on cream paper: no greys, no colours. */
export function ink({ source, target, width, height, scale, strength, offset }: Picture): void {
  const paper = noiseField('paper');
  const soft = blur(source, width, height, Math.max(1, Math.round(0.6 * scale)));
  const edges = edgeStrength(soft, width, height);
  const period = (1.5 + 0.3 * strength) * scale;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const grey = 0.3 * soft[i * 3]! + 0.59 * soft[i * 3 + 1]! + 0.11 * soft[i * 3 + 2]!;
      const wobble = noiseAt(paper, Math.round((x / scale) * 2), Math.round((y / scale) * 2), offset);
      const dark = 1 - (grey / 255) ** 0.75;
      const along = Math.sin((x + y) / period + wobble * 2.4);
      const across = Math.sin((x - y) / period + wobble * 2.4);
      // Each set of lines begins at its own darkness and grows thicker with it.
      let mark = (dark - 0.34) * 3.4 + along * 0.62 - 0.5;
      mark = Math.max(mark, (dark - 0.54) * 3.4 + across * 0.62 - 0.5, (dark - 0.8) * 8);
      mark = Math.max(mark, (edges[i]! - 26 - 16 * wobble) * 0.035);
      const black = Math.min(1, Math.max(0, mark * 2.6));
      for (let c = 0; c < 3; c++) target[i * 3 + c] = clamp((c === 2 ? 233 : 245) * (1 - 0.93 * black) + 4 * wobble);
    }
  }
}

/** How many directions strokes have. */
const directions = 64;
const cosines = Float32Array.from({ length: directions }, (_, i) => Math.cos((i / directions) * Math.PI));
const sines = Float32Array.from({ length: directions }, (_, i) => Math.sin((i / directions) * Math.PI));

/** Daubs of thick paint: each stroke has one colour, a direction that turns slowly over the canvas, and ridges that catch the light. */
export function oil({ source, target, width, height, scale, strength, offset }: Picture): void {
  const soft = blur(source, width, height, Math.max(1, Math.round(0.7 * scale)));
  const turn = noiseField('soft');
  const jitter = noiseField('rough');
  const long = (6 + 2 * strength) * scale;
  const wide = (2.3 + 0.7 * strength) * scale;
  for (let y = 0; y < height; y++) {
    const ny = Math.round(y / scale);
    for (let x = 0; x < width; x++) {
      const nx = Math.round(x / scale);
      const way = Math.floor(noiseAt(turn, nx, ny, offset) * 2.5 * directions) % directions;
      const cos = cosines[way]!;
      const sin = sines[way]!;
      const bend = (noiseAt(jitter, nx, ny, offset) - 0.5) * 3 * scale;
      const u = x * cos + y * sin;
      const v = y * cos - x * sin + bend;
      const row = Math.floor(v / wide);
      // Every other row is shifted, as bricks are.
      const column = Math.floor(u / long + (row & 1) * 0.5);
      const cu = (column + 0.5 - (row & 1) * 0.5) * long;
      const cv = (row + 0.5) * wide - bend;
      const sx = Math.min(width - 1, Math.max(0, Math.round(0.35 * x + 0.65 * (cu * cos - cv * sin))));
      const sy = Math.min(height - 1, Math.max(0, Math.round(0.35 * y + 0.65 * (cu * sin + cv * cos))));
      const from = (sy * width + sx) * 3;
      const ridge = v / wide - row - 0.5;
      const relief = 1 + 0.16 * ridge + 0.05 * Math.sin(v * 4.2) + 0.07 * (((row * 7 + column * 13) & 7) / 7 - 0.5);
      const grey = 0.3 * soft[from]! + 0.59 * soft[from + 1]! + 0.11 * soft[from + 2]!;
      const i = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) target[i + c] = clamp((grey + (soft[from + c]! - grey) * 1.35) * relief);
    }
  }
}
