import { type Film, film as films } from './looks.ts';
import { noiseAt } from './picture.ts';
import { createRandom, hash } from './random.ts';
import type { Scene } from './scene.ts';
import { noiseField } from './textures.ts';
import type { FilmKind } from './vocabulary.ts';

const tables = new Map<FilmKind, Uint8Array[]>();

/** What a film does to a finished picture, in place [height * width * 3]: an exact function of each colour, then grain and scratches. */
export function applyFilm(scene: Scene, rgb: Uint8Array, width: number, height: number, frame: number): void {
  if (scene.film === 'none') return;
  const film = films[scene.film];
  const curves = curvesOf(scene.film, film);
  const [reds, greens, blues] = curves as [Uint8Array, Uint8Array, Uint8Array];
  const [rr, rg, rb, gr, gg, gb, br, bg, bb] = film.matrix as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let i = 0; i < width * height * 3; i += 3) {
    const r = rgb[i]!;
    const g = rgb[i + 1]!;
    const b = rgb[i + 2]!;
    rgb[i] = reds[byte(rr * r + rg * g + rb * b)]!;
    rgb[i + 1] = greens[byte(gr * r + gg * g + gb * b)]!;
    rgb[i + 2] = blues[byte(br * r + bg * g + bb * b)]!;
  }
  if (film.grain) wear(scene, film, rgb, width, height, frame);
}

function byte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : (value + 0.5) | 0; // a fraction of a colour is rounded, half up
}

/** A table of 256 values for each channel's curve. */
function curvesOf(kind: FilmKind, film: Film): Uint8Array[] {
  const found = tables.get(kind);
  if (found) return found;
  const made = film.curves.map((points) =>
    Uint8Array.from({ length: 256 }, (_, value) => {
      const place = (value / 255) * (points.length - 1);
      const low = Math.min(points.length - 2, Math.floor(place));
      return Math.round(points[low]! + (points[low + 1]! - points[low]!) * (place - low));
    }),
  );
  tables.set(kind, made);
  return made;
}

/** Grain, an unsteady lamp, scratches and dust: new in every frame. */
function wear(scene: Scene, film: Film, rgb: Uint8Array, width: number, height: number, frame: number): void {
  const { grain = 0, scratches = 0 } = film;
  const random = createRandom(hash(scene.seed, `film-${frame}`), 'wear');
  const lamp = random.range(0.93, 1.05);
  const offset = random.index(65536);
  const noise = noiseField('fine');
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = (y * width + x) * 3;
      const grit = (noiseAt(noise, x, y, offset) - 0.5) * grain;
      for (let c = 0; c < 3; c++) rgb[i + c] = byte(rgb[i + c]! * lamp + grit);
    }
  }
  const mark = (x: number, y: number, bright: number) => {
    if (x >= width || y >= height) return;
    for (let c = 0; c < 3; c++) rgb[(y * width + x) * 3 + c] = byte(rgb[(y * width + x) * 3 + c]! + bright);
  };
  for (let k = 0; k < scratches; k++) {
    const x = random.index(width);
    const bright = random.chance(0.6) ? 90 : -70;
    for (let y = 0; y < height; y++) mark(x + (((y * 3) / height) | 0) * (k & 1), y, bright);
  }
  for (let k = 0; k < 6; k++) {
    const [x, y, bright] = [random.index(width), random.index(height), random.chance(0.5) ? 110 : -90];
    const size = 1 + random.index(Math.max(1, Math.round(height / 64)));
    for (let dy = 0; dy < size; dy++) for (let dx = 0; dx < size; dx++) mark(x + dx, y + dy, bright);
  }
}
