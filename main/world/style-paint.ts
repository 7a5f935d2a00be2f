import { blur, clamp, edgeStrength, noiseAt, type Picture } from './picture.ts';
import { noiseField } from './textures.ts';

const sineSteps = 256;
const sineTable = Float32Array.from({ length: sineSteps }, (_, i) => Math.sin((i / sineSteps) * 2 * Math.PI));
/** The sine of a number of turns. */
function sine(turns: number): number {
  return sineTable[Math.floor(turns * sineSteps) & (sineSteps - 1)]!;
}

/** Black lines and hatching that crosses in the shade, on cream paper: no greys, no colours. */
export function ink({ source, target, width, height, scale, strength, brightness, offset }: Picture): void {
  const paper = noiseField('paper');
  const soft = blur(source, width, height, Math.max(1, Math.round(0.5 * scale)));
  const edges = edgeStrength(soft, width, height);
  const greys = new Uint8Array(width * height);
  for (let i = 0; i < greys.length; i++) {
    greys[i] = 0.3 * soft[i * 3]! + 0.59 * soft[i * 3 + 1]! + 0.11 * soft[i * 3 + 2]!;
  }
  // Whoever draws the night still shows what is in it.
  const gamma = Math.min(0.8, Math.max(0.36, 0.92 * brightness));
  const darkness = Float32Array.from({ length: 256 }, (_, grey) => 1 - (grey / 255) ** gamma);
  const pitch = 1 / ((5.3 + 1.3 * strength) * scale);
  const bold = 0.75 / gamma;
  for (let y = 0; y < height; y++) {
    const ny = Math.round((y / scale) * 2);
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const wobble = noiseAt(paper, Math.round((x / scale) * 2), ny, offset);
      const dark = darkness[greys[i]!]!;
      // Each set of lines begins at its own darkness and grows thicker with it.
      const first = (dark - 0.34) * 3.4 + sine((x + y) * pitch + wobble * 0.4) * 0.62 - 0.5;
      const second = (dark - 0.54) * 3.4 + sine((x - y) * pitch + wobble * 0.4) * 0.62 - 0.5;
      const solid = unit((dark - 0.8) * 8);
      const shade = Math.max(solid, unit(Math.max(first, second) * 2.6));
      // Outlines are left white where all around is black.
      const line = unit((edges[i]! * bold * (1 + solid) - 20 - 14 * wobble) * 0.05);
      const black = shade + (1 - solid - shade) * line;
      for (let c = 0; c < 3; c++) target[i * 3 + c] = clamp((c === 2 ? 233 : 245) * (1 - 0.93 * black) + 4 * wobble);
    }
  }
}

function unit(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/** How many directions strokes have. */
const directions = 64;
const cosines = Float32Array.from({ length: directions }, (_, i) => Math.cos((i / directions) * Math.PI));
const sines = Float32Array.from({ length: directions }, (_, i) => Math.sin((i / directions) * Math.PI));

/**
 * Thick paint: flat daubs with crisp edges (the quietest of four neighbourhoods, after Kuwahara 1976), and bristles whose
 * direction turns over the canvas.
 */
export function oil({ source, target, width, height, scale, strength, offset }: Picture): void {
  const radius = Math.max(1, Math.round(1.6 * scale));
  const soft = blur(source, width, height, radius);
  const restless = edgeStrength(soft, width, height);
  const turn = noiseField('soft');
  const jitter = noiseField('rough');
  const fine = 5 - 1.5 * strength;
  for (let y = 0; y < height; y++) {
    const ny = Math.round(y / scale);
    const above = Math.max(0, y - radius) * width;
    const below = Math.min(height - 1, y + radius) * width;
    for (let x = 0; x < width; x++) {
      const nx = Math.round(x / scale);
      const left = Math.max(0, x - radius);
      const right = Math.min(width - 1, x + radius);
      let from = above + left;
      if (restless[above + right]! < restless[from]!) from = above + right;
      if (restless[below + left]! < restless[from]!) from = below + left;
      if (restless[below + right]! < restless[from]!) from = below + right;
      // Patches of one direction: where it changed from pixel to pixel, strokes would fall apart.
      const way = (Math.floor(noiseAt(turn, nx, ny, offset) * 14) * 9) % directions;
      const cos = cosines[way]!;
      const sin = sines[way]!;
      // Bristles: noise that is drawn out along the stroke.
      const along = Math.round(((x * cos + y * sin) / scale) * 0.45);
      const across = Math.round(((y * cos - x * sin) / scale) * fine);
      const relief = 1 + 0.5 * (noiseAt(jitter, across, along, offset) - 0.5);
      const grey = 0.3 * soft[from * 3]! + 0.59 * soft[from * 3 + 1]! + 0.11 * soft[from * 3 + 2]!;
      const i = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) target[i + c] = clamp((grey + (soft[from * 3 + c]! - grey) * 1.35) * relief);
    }
  }
}
