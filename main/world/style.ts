import { brightnessOf } from './light.ts';
import { blur, clamp, edgeStrength, noiseAt, type Picture } from './picture.ts';
import { hash } from './random.ts';
import type { Scene } from './scene.ts';
import { ink, oil } from './style-paint.ts';
import { noiseField } from './textures.ts';
import type { StyleKind } from './vocabulary.ts';

/** Turns a drawn frame (RGBA) into the scene's style, written to `target` [height * width * 3]. */
export function applyStyle(
  scene: Scene,
  source: Uint8ClampedArray | Uint8Array,
  target: Uint8Array,
  width: number,
  height: number,
  frame: number,
): void {
  const picture: Picture = {
    source,
    target,
    width,
    height,
    scale: height / 128,
    strength: scene.style.strength,
    edition: scene.edition,
    brightness: brightnessOf(scene.light.kind),
    offset: hash(scene.seed, 'style') % 65536,
    frameOffset: hash(scene.seed, `grain-${frame}`) % 65536,
  };
  styles[scene.style.kind](picture);
}

const styles: Record<StyleKind, (picture: Picture) => void> = {
  photo,
  '3D animation': animation,
  watercolour,
  pencil,
  'pixel art': pixelArt,
  comic,
  ink,
  oil,
};

/** Contrast of film, vignette, grain. */
function photo({ source, target, width, height, strength, frameOffset }: Picture): void {
  const grain = noiseField('fine');
  const amount = 5 + 5 * strength;
  for (let y = 0; y < height; y++) {
    const v = (y / height - 0.5) * 2;
    for (let x = 0; x < width; x++) {
      const u = (x / width - 0.5) * 2;
      const edge = 1.03 - 0.13 * (u * u + v * v);
      const noise = (noiseAt(grain, x, y, frameOffset) - 0.5) * amount;
      const i = y * width + x;
      for (let c = 0; c < 3; c++) {
        const value = source[i * 4 + c]! * edge;
        const t = value / 255;
        target[i * 3 + c] = clamp(value + 26 * (t - 0.5) * t * (1 - t) * 4 + noise);
      }
    }
  }
}

/** Saturated and smooth, with a little bloom around bright areas. */
function animation({ source, target, width, height, scale }: Picture): void {
  const soft = blur(source, width, height, Math.max(2, Math.round(3 * scale)));
  for (let i = 0; i < width * height; i++) {
    const r = source[i * 4]!;
    const g = source[i * 4 + 1]!;
    const b = source[i * 4 + 2]!;
    const grey = 0.3 * r + 0.59 * g + 0.11 * b;
    for (let c = 0; c < 3; c++) {
      const vivid = grey + (source[i * 4 + c]! - grey) * 1.4;
      const bloom = Math.max(0, soft[i * 3 + c]! - 120) * 0.24;
      target[i * 3 + c] = clamp(vivid * 1.04 + bloom);
    }
  }
}

/** Wobbling edges, pigment that gathers at them, paper that shines through; in the first edition it stays white at the border. */
function watercolour({ source, target, width, height, scale, strength, edition, offset }: Picture): void {
  const warp = noiseField('rough');
  const paper = noiseField('paper');
  const wash = noiseField('soft');
  const soft = blur(source, width, height, Math.max(1, Math.round(scale)));
  const reach = 4 * scale;
  const at = (x: number, y: number) =>
    (Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))) * 3;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const nx = Math.round(x / scale);
      const ny = Math.round(y / scale);
      const dx = Math.round((noiseAt(warp, nx, ny, offset) - 0.5) * 2 * reach);
      const dy = Math.round((noiseAt(warp, ny, nx, offset ^ 0x5a5a) - 0.5) * 2 * reach);
      const here = at(x + dx, y + dy);
      const right = at(x + dx + 1, y + dy);
      const below = at(x + dx, y + dy + 1);
      const step =
        Math.abs(soft[here + 1]! - soft[right + 1]!) +
        Math.abs(soft[here + 1]! - soft[below + 1]!) +
        Math.abs(soft[here]! - soft[right]!);
      const pigment = 1 - Math.min(0.4, step * 0.008);
      const pool = 0.72 + 0.5 * noiseAt(wash, nx * 2, ny * 2, offset);
      const fibre = 1 + (noiseAt(paper, nx * 2, ny * 2, offset) - 0.5) * 0.12;
      const border = Math.min(x, y, width - 1 - x, height - 1 - y) / scale - 7 * noiseAt(warp, nx, ny, offset ^ 0x33);
      const bare = edition > 1 || border > 3 ? 0 : border < 0 ? 1 : 1 - border / 3;
      const grey = 0.3 * soft[here]! + 0.59 * soft[here + 1]! + 0.11 * soft[here + 2]!;
      const i = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) {
        const ink = (255 - grey - (soft[here + c]! - grey) * 1.3) * (0.9 - 0.1 * strength) * pool;
        const painted = (255 - ink) * pigment;
        const white = c === 2 ? 236 : 247;
        target[i + c] = clamp((painted + (white - painted) * bare) * fibre);
      }
    }
  }
}

/** Outlines and hatching in graphite, a breath of coloured pencil. */
function pencil({ source, target, width, height, scale, strength, offset }: Picture): void {
  const paper = noiseField('paper');
  const soft = blur(source, width, height, Math.max(1, Math.round(0.8 * scale)));
  const edges = edgeStrength(soft, width, height);
  const tint = 0.42 + 0.2 * strength;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const r = soft[i * 3]!;
      const g = soft[i * 3 + 1]!;
      const b = soft[i * 3 + 2]!;
      const grey = 0.3 * r + 0.59 * g + 0.11 * b;
      const sx = x / scale;
      const sy = y / scale;
      const tooth = noiseAt(paper, Math.round(sx * 2), Math.round(sy * 2), offset);
      const dark = 1 - Math.min(1, grey / 255 + 0.02) ** 0.62;
      const hatch = 0.5 + 0.5 * Math.sin((sx + sy) * 1.1 + tooth * 1.6);
      const cross = 0.5 + 0.5 * Math.sin((sx - sy) * 1.1 + tooth * 1.6);
      let ink = Math.max(0, dark - 0.18) * (0.6 + 0.4 * hatch) + Math.max(0, dark - 0.55) * cross * 0.5;
      ink =
        Math.min(0.8, ink * (0.8 + 0.4 * tooth)) +
        Math.min(0.85, Math.max(0, edges[i]! - 14) * 0.014) * (0.7 + 0.5 * tooth);
      const light = 246 * (1 - Math.min(0.93, ink));
      for (let c = 0; c < 3; c++) {
        const hue = (soft[i * 3 + c]! - grey) * tint;
        target[i * 3 + c] = clamp(light + hue * (0.55 + 0.45 * (1 - ink)) - (c === 2 ? 8 : 0));
      }
    }
  }
}

const bayer = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];

/** Square cells, few colours, ordered dither. */
function pixelArt({ source, target, width, height, scale, strength }: Picture): void {
  const cell = Math.max(2, Math.round(4 * scale));
  const step = 255 / (5 + 2 * strength);
  for (let top = 0, row = 0; top < height; top += cell, row++) {
    for (let left = 0, column = 0; left < width; left += cell, column++) {
      const right = Math.min(width, left + cell);
      const low = Math.min(height, top + cell);
      const count = (right - left) * (low - top);
      let r = 0;
      let g = 0;
      let b = 0;
      for (let y = top; y < low; y++) {
        for (let x = left; x < right; x++) {
          const k = (y * width + x) * 4;
          r += source[k]!;
          g += source[k + 1]!;
          b += source[k + 2]!;
        }
      }
      const grey = (0.3 * r + 0.59 * g + 0.11 * b) / count;
      const dither = (bayer[(row & 3) * 4 + (column & 3)]! / 16 - 0.47) * step * 0.2;
      const level = (sum: number) => {
        const vivid = grey + (sum / count - grey) * 1.3;
        return clamp(Math.round((vivid + dither) / step) * step);
      };
      const [lr, lg, lb] = [level(r), level(g), level(b)];
      for (let y = top; y < low; y++) {
        for (let x = left; x < right; x++) {
          const k = (y * width + x) * 3;
          target[k] = lr;
          target[k + 1] = lg;
          target[k + 2] = lb;
        }
      }
    }
  }
}

/** Flat, strong colours, black outlines, halftone dots in the shade. */
function comic({ source, target, width, height, scale, strength }: Picture): void {
  const soft = blur(source, width, height, Math.max(1, Math.round(0.7 * scale)));
  const edges = edgeStrength(soft, width, height);
  const period = 6 * scale;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const r = soft[i * 3]!;
      const g = soft[i * 3 + 1]!;
      const b = soft[i * 3 + 2]!;
      const grey = 0.3 * r + 0.59 * g + 0.11 * b + 1;
      const place = (grey / 255) * 4;
      const low = Math.floor(place);
      const rise = Math.min(1, Math.max(0, (place - low - 0.38) * 4.2));
      const flat = ((low + rise) / 4) * 255 + 14;
      const u = ((x + y) / period) * Math.PI;
      const v = ((x - y) / period) * Math.PI;
      const dot = Math.sin(u) * Math.sin(v);
      const shade = grey < 120 ? Math.max(0, dot - grey / 150 + 0.35) * (16 + 12 * strength) : 0;
      const line = 1 - Math.min(1, Math.max(0, edges[i]! - 34) * 0.02);
      const gain = flat / grey;
      for (let c = 0; c < 3; c++) {
        const vivid = flat + (soft[i * 3 + c]! - grey) * 1.55 * gain;
        target[i * 3 + c] = clamp((vivid - shade) * line + 12 * (1 - line));
      }
    }
  }
}
