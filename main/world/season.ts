import { mixColour, type Rgb } from './colour.ts';
import { drawTree } from './plants.ts';
import { createRandom } from './random.ts';
import { bottom, paint, type Scenery } from './scenery.ts';
import { texture } from './textures.ts';
import type { BackgroundKind } from './vocabulary.ts';

/** Places whose own trees tell the season. */
const wooded: readonly BackgroundKind[] = ['park', 'forest'];

/** Adds to a place what a season brings: trees where it has none, and what lies on its ground. */
export function drawSeason(scenery: Scenery, place: BackgroundKind, detail: number): void {
  const { season, near, extent, horizon, light } = scenery;
  const own = { ...scenery, random: createRandom(detail, 'season') };
  const trees = createRandom(detail, 'season trees');
  switch (season) {
    case 'spring':
      strew(own, 300, 0.7, [
        [250, 236, 244],
        [250, 214, 70],
        [244, 150, 190],
      ]);
      break;
    case 'summer':
      dry(own);
      break;
    case 'autumn':
      strew(own, 340, 1, autumnLeaves);
      break;
    case 'winter':
      coverWithSnow(own, 1);
      break;
    case 'none':
      if (light.snow) coverWithSnow(own, light.snow);
      break;
    default:
      season satisfies never;
  }
  if (season !== 'none' && !wooded.includes(place)) {
    for (const side of [-1, 1]) {
      const x = side * extent * trees.range(0.42, 0.62);
      drawTree(near, { ...own, random: trees }, x, horizon + 0.1, trees.range(0.5, 0.6), [70, 124, 48], 0.12, false);
    }
  }
}

const autumnLeaves: readonly Rgb[] = [
  [214, 96, 28],
  [232, 164, 44],
  [178, 48, 34],
  [150, 92, 40],
];

/** Leaves or petals on the ground, larger towards the camera. */
function strew(scenery: Scenery, count: number, size: number, colours: readonly Rgb[]): void {
  const { near, random, extent, horizon } = scenery;
  near.save();
  near.globalCompositeOperation = 'source-atop';
  for (let i = 0; i < count; i++) {
    const close = random.next() ** 1.4;
    const y = horizon + 0.03 + (bottom - horizon) * close;
    near.fillStyle = paint(scenery, colours[i % colours.length]!, random.range(0.55, 1.05), 0.5 * (1 - close));
    near.beginPath();
    const r = size * (0.007 + 0.016 * close);
    near.ellipse(random.range(-extent, extent), y, r, r * random.range(0.35, 0.7), random.range(-0.6, 0.6), 0, 7);
    near.fill();
  }
  near.restore();
}

/** Straw and bare earth over whatever the ground is. */
function dry(scenery: Scenery): void {
  const { near, random, extent, horizon } = scenery;
  near.save();
  near.globalCompositeOperation = 'source-atop';
  near.fillStyle = paint(scenery, [222, 186, 104], 0.85, 0.05, 0.42);
  near.fillRect(-extent, horizon, extent * 2, bottom - horizon);
  near.restore();
  near.lineWidth = 0.006;
  for (let i = 0; i < 110; i++) {
    const close = random.next() ** 1.3;
    const x = random.range(-extent, extent);
    const y = horizon + 0.05 + (bottom - horizon) * close;
    near.strokeStyle = paint(scenery, [214, 178, 92], random.range(0.4, 1), 0.3 * (1 - close));
    near.beginPath();
    for (let blade = -1; blade <= 1; blade++) {
      near.moveTo(x, y);
      near.lineTo(x + blade * 0.012 * (1 + close), y - (0.02 + 0.03 * close) * random.range(0.6, 1.1));
    }
    near.stroke();
  }
}

/** Snow on everything that stands or lies on the ground below the horizon, with blue shadows in its drifts. */
function coverWithSnow(scenery: Scenery, amount: number): void {
  const { near, random, extent, horizon } = scenery;
  near.save();
  near.globalCompositeOperation = 'source-atop';
  const g = near.createLinearGradient(0, horizon, 0, bottom);
  g.addColorStop(0, paint(scenery, [236, 242, 250], 0.9, 0.6, 0.9 * amount));
  g.addColorStop(0.15, paint(scenery, [240, 245, 252], 0.9, 0.2, 0.92 * amount));
  g.addColorStop(1, paint(scenery, [250, 252, 255], 0.88, 0, 0.94 * amount));
  near.fillStyle = g;
  near.fillRect(-extent, horizon, extent * 2, bottom - horizon);
  for (let i = 0; i < 7; i++) {
    near.fillStyle = paint(
      scenery,
      mixColour([196, 212, 238], [250, 252, 255], i % 2),
      0.62 + 0.3 * (i % 2),
      0,
      0.5 * amount,
    );
    near.beginPath();
    const y = horizon + 0.1 + i * 0.075;
    near.ellipse(random.range(-extent, extent), y, random.range(0.3, 0.6), 0.024, random.range(-0.05, 0.05), 0, 7);
    near.fill();
  }
  near.restore();
  texture(near, 'fine', [-extent, horizon + 0.02, extent * 2, bottom - horizon], [0.9, 0.5], 0.07 * amount);
}
