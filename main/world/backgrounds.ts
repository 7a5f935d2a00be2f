import { drawCityAtNight, drawPlainWall, drawRoom, drawStage, drawStreet } from './backgrounds-built.ts';
import { mixColour, type Rgb } from './colour.ts';
import { drawTree } from './plants.ts';
import { band, bottom, drawGround, drawHills, drawSky, glow, paint, type Scenery } from './scenery.ts';
import { texture } from './textures.ts';
import type { BackgroundKind } from './vocabulary.ts';

/** How each background is drawn, once per scene. */
export const backgrounds: Record<BackgroundKind, (scenery: Scenery) => void> = {
  park: drawPark,
  beach: drawBeach,
  street: drawStreet,
  room: drawRoom,
  forest: drawForest,
  desert: drawDesert,
  snow: drawSnow,
  mountains: drawMountains,
  stage: drawStage,
  'city at night': drawCityAtNight,
  'plain wall': drawPlainWall,
};

function leafColour(scenery: Scenery): Rgb {
  return mixColour([52, 104, 44], [104, 140, 50], scenery.tint);
}

function drawPark(scenery: Scenery): void {
  const { far, near, random, extent, horizon } = scenery;
  const leaf = leafColour(scenery);
  drawSky(scenery);
  drawHills(far, scenery, horizon + 0.02, 0.14, leaf, 0.75, 3, false);
  drawGround(scenery, [120, 164, 70], [70, 128, 46], 0.35);
  const trees = Math.round(extent * 7);
  for (let i = 0; i < trees; i++) {
    const x = -extent + (2 * extent * (i + random.range(0.1, 0.9))) / trees;
    const close = random.next();
    drawTree(near, scenery, x, horizon + 0.02 + close * 0.06, 0.24 + close * 0.2, leaf, 0.5 - 0.4 * close, false);
  }
  // A path and a bench
  const path = random.range(-0.4, 0.4) * extent;
  const g = near.createLinearGradient(0, horizon + 0.05, 0, bottom);
  g.addColorStop(0, paint(scenery, [206, 190, 156], 0.8, 0.4));
  g.addColorStop(1, paint(scenery, [190, 168, 128], 0.75, 0));
  near.fillStyle = g;
  near.beginPath();
  near.moveTo(path - 0.02, horizon + 0.05);
  near.quadraticCurveTo(path - 0.3, 0.3, path - 0.5, bottom);
  near.lineTo(path + 0.3, bottom);
  near.quadraticCurveTo(path + 0.06, 0.3, path + 0.03, horizon + 0.05);
  near.fill();
  texture(near, 'fine', [-extent, horizon + 0.05, extent * 2, bottom - horizon], [1.2, 0.6], 0.12);
  const bench = (random.chance(0.5) ? 1 : -1) * extent * 0.45;
  near.fillStyle = paint(scenery, [112, 72, 44], 0.8, 0.15);
  near.fillRect(bench - 0.1, horizon + 0.07, 0.2, 0.014);
  near.fillRect(bench - 0.1, horizon + 0.095, 0.2, 0.014);
  near.fillRect(bench - 0.1, horizon + 0.12, 0.2, 0.018);
  near.fillStyle = paint(scenery, [50, 50, 54], 0.4, 0.15);
  for (const side of [-0.09, 0.08]) near.fillRect(bench + side, horizon + 0.065, 0.012, 0.11);
}

function drawBeach(scenery: Scenery): void {
  const { far, near, random, extent, horizon } = scenery;
  drawSky(scenery);
  const sea = mixColour([24, 96, 142], [36, 150, 164], scenery.tint);
  const shore = horizon + 0.13;
  band(
    far,
    scenery,
    horizon,
    shore + 0.05,
    paint(scenery, sea, 0.7, 0.6),
    paint(scenery, mixColour(sea, [160, 220, 210], 0.4), 0.9, 0.1),
  );
  for (let i = 0; i < 34; i++) {
    const y = horizon + 0.13 * random.next() ** 1.4;
    const wide = 0.03 + 0.5 * (y - horizon);
    far.fillStyle = paint(scenery, [240, 250, 252], 1, 0, random.range(0.15, 0.6));
    far.beginPath();
    far.ellipse(random.range(-extent, extent), y, wide, 0.0035, 0, 0, 7);
    far.fill();
  }
  const { glint } = scenery.light;
  if (glint) glow(far, scenery.light.side * extent * 0.5, horizon + 0.06, 0.25, glint, 0.8);
  // Wet sand, foam, dry sand
  const sand: Rgb = mixColour([226, 198, 146], [240, 220, 176], scenery.tint);
  const wave = (x: number, offset: number) =>
    shore + offset + 0.012 * Math.sin(x * 9 + scenery.tint * 20) + 0.008 * Math.sin(x * 23);
  const edge = (offset: number, colour: string) => {
    near.fillStyle = colour;
    near.beginPath();
    near.moveTo(-extent, bottom);
    for (let x = -extent; x <= extent + 0.04; x += 0.04) near.lineTo(x, wave(x, offset));
    near.lineTo(extent, bottom);
    near.fill();
  };
  edge(0, paint(scenery, [250, 252, 250], 1, 0.05));
  edge(0.014, paint(scenery, mixColour(sand, [120, 96, 70], 0.45), 0.75, 0.1));
  edge(0.05, paint(scenery, sand, 0.85, 0.05));
  const g = near.createLinearGradient(0, shore, 0, bottom);
  g.addColorStop(0, 'rgba(60,40,20,0)');
  g.addColorStop(1, 'rgba(60,40,20,0.28)');
  near.fillStyle = g;
  near.fillRect(-extent, shore + 0.06, extent * 2, bottom - shore);
  texture(near, 'rough', [-extent, shore + 0.05, extent * 2, bottom - shore], [0.9, 0.22], 0.16);
  texture(near, 'fine', [-extent, shore + 0.05, extent * 2, bottom - shore], [0.9, 0.6], 0.12);
  if (random.chance(0.6))
    drawParasol(scenery, (random.chance(0.5) ? 1 : -1) * extent * random.range(0.4, 0.62), shore + 0.12);
}

function drawParasol(scenery: Scenery, x: number, y: number): void {
  const { near, random } = scenery;
  const colours: readonly Rgb[] = [
    [220, 60, 60],
    [245, 240, 230],
  ];
  near.fillStyle = paint(scenery, [240, 236, 226], 0.8);
  near.fillRect(x - 0.006, y - 0.24, 0.012, 0.26);
  const shift = random.index(2);
  for (let i = 0; i < 6; i++) {
    near.fillStyle = paint(scenery, colours[(i + shift) % 2]!, 0.95 - 0.12 * (scenery.light.side > 0 ? 5 - i : i));
    near.beginPath();
    near.moveTo(x, y - 0.33);
    near.quadraticCurveTo(x - 0.16 + 0.053 * i, y - 0.31, x - 0.16 + 0.0533 * i, y - 0.22);
    near.lineTo(x - 0.16 + 0.0533 * (i + 1), y - 0.22);
    near.quadraticCurveTo(x - 0.16 + 0.053 * (i + 1), y - 0.31, x, y - 0.33);
    near.fill();
  }
}

function drawForest(scenery: Scenery): void {
  const { far, near, random, extent, horizon } = scenery;
  const leaf = mixColour([26, 66, 40], [58, 84, 34], scenery.tint);
  drawSky(scenery, true);
  const conifer = random.chance(0.5);
  for (let layer = 0; layer < 3; layer++) {
    const depth = 0.85 - 0.28 * layer;
    const count = Math.round(extent * (13 - 2 * layer));
    for (let i = 0; i < count; i++) {
      const x = -extent + (2 * extent * (i + random.next())) / count;
      drawTree(
        layer < 2 ? far : near,
        scenery,
        x,
        horizon + 0.02 + layer * 0.03,
        0.5 + 0.13 * layer + random.range(0, 0.18),
        leaf,
        depth,
        conifer,
      );
    }
    if (layer === 1) drawGround(scenery, [78, 84, 42], [58, 52, 30], 0.45);
  }
  for (const side of [-1, 1]) {
    // A trunk close by on each side
    const x = side * extent * random.range(0.55, 0.8);
    const g = near.createLinearGradient(x - 0.06, 0, x + 0.06, 0);
    const sunny = scenery.light.side > 0;
    g.addColorStop(sunny ? 1 : 0, paint(scenery, [112, 84, 60], 0.8));
    g.addColorStop(sunny ? 0 : 1, paint(scenery, [60, 44, 36], 0.1));
    near.fillStyle = g;
    near.fillRect(x - 0.05, -bottom, 0.1, bottom + horizon + 0.15);
    texture(near, 'rough', [x - 0.05, -bottom, 0.1, bottom + horizon + 0.15], [0.08, 0.7], 0.35);
  }
  for (let i = 0; i < 40; i++) {
    const y = horizon + 0.06 + random.next() * 0.5;
    near.strokeStyle = paint(scenery, mixColour(leaf, [110, 150, 60], random.next()), 0.85, 0.05);
    near.lineWidth = 0.006;
    const x = random.range(-extent, extent);
    near.beginPath();
    near.moveTo(x, y);
    near.quadraticCurveTo(x + random.range(-0.02, 0.02), y - 0.03, x + random.range(-0.04, 0.04), y - 0.05);
    near.stroke();
  }
}

function drawDesert(scenery: Scenery): void {
  const { far, near, random, extent, horizon } = scenery;
  const sand = mixColour([222, 160, 92], [232, 190, 120], scenery.tint);
  drawSky(scenery, true);
  drawHills(far, scenery, horizon + 0.02, 0.16, mixColour(sand, [150, 80, 60], 0.45), 0.7, 2.4, true);
  drawGround(scenery, sand, mixColour(sand, [180, 110, 60], 0.4), 0.2);
  for (let i = 0; i < 4; i++) {
    // Dunes: a lit flank and a shaded flank
    const y = horizon + 0.03 + i * 0.07;
    const x = random.range(-0.9, 0.9) * extent;
    const wide = 0.5 + 0.2 * i;
    for (const side of [-1, 1]) {
      near.fillStyle = paint(scenery, sand, side === Math.sign(scenery.light.side) ? 1 : 0.42, 0.5 - 0.1 * i, 0.9);
      near.beginPath();
      near.moveTo(x, y - 0.05 - 0.012 * i);
      near.quadraticCurveTo(x + side * wide * 0.35, y - 0.01, x + side * wide, y + 0.035);
      near.lineTo(x + (side === 1 ? -0.05 : 0.1), y + 0.05);
      near.closePath();
      near.fill();
    }
  }
  texture(near, 'rough', [-extent, horizon + 0.1, extent * 2, bottom - horizon], [1.3, 0.09], 0.13);
  const cacti = 1 + random.index(3);
  for (let i = 0; i < cacti; i++) {
    const x = (i % 2 ? -1 : 1) * extent * random.range(0.3, 0.75);
    const h = random.range(0.16, 0.3);
    const y = horizon + 0.1 + 0.05 * i;
    near.lineCap = 'round';
    for (const [offset, level] of [
      [0, 0.3],
      [0.006 * Math.sign(scenery.light.side), 0.85],
    ] as const) {
      near.strokeStyle = paint(scenery, [66, 122, 66], level, 0.15);
      near.lineWidth = h * (level > 0.5 ? 0.08 : 0.14);
      near.beginPath();
      near.moveTo(x + offset, y);
      near.lineTo(x + offset, y - h);
      near.moveTo(x + offset, y - h * 0.4);
      near.quadraticCurveTo(x + h * 0.3, y - h * 0.4, x + h * 0.3 + offset, y - h * 0.72);
      near.moveTo(x + offset, y - h * 0.3);
      near.quadraticCurveTo(x - h * 0.28, y - h * 0.3, x - h * 0.28 + offset, y - h * 0.55);
      near.stroke();
    }
  }
}

function drawSnow(scenery: Scenery): void {
  const { far, near, random, extent, horizon } = scenery;
  drawSky(scenery);
  drawHills(far, scenery, horizon + 0.02, 0.2, [206, 218, 234], 0.6, 2.2, false);
  drawGround(scenery, [232, 240, 248], [246, 248, 252], 0.1);
  const trees = Math.round(extent * 8);
  for (let i = 0; i < trees; i++) {
    const x = -extent + (2 * extent * (i + random.next())) / trees;
    const y = horizon + random.range(0, 0.08);
    const h = random.range(0.2, 0.42);
    drawTree(near, scenery, x, y, h, [44, 84, 76], 0.35, true);
    for (let k = 0; k < 4; k++) {
      near.fillStyle = paint(scenery, [248, 250, 255], 0.95, 0.2);
      near.beginPath();
      near.ellipse(
        x + random.range(-0.04, 0.04) * h * 2,
        y - h * (0.92 - 0.19 * k),
        h * (0.04 + 0.03 * k),
        h * 0.035,
        0,
        0,
        7,
      );
      near.fill();
    }
  }
  for (let i = 0; i < 5; i++) {
    // Drifts with blue shadows
    const y = horizon + 0.12 + i * 0.09;
    near.fillStyle = paint(scenery, [190, 208, 236], 0.6, 0.05, 0.5);
    near.beginPath();
    near.ellipse(random.range(-extent, extent), y, random.range(0.3, 0.6), 0.022, random.range(-0.05, 0.05), 0, 7);
    near.fill();
  }
  for (let i = 0; i < 130; i++) {
    const size = random.range(0.002, 0.007);
    near.fillStyle = css255(random.range(0.5, 1));
    near.beginPath();
    near.arc(random.range(-extent, extent), random.range(-bottom, bottom), size, 0, 7);
    near.fill();
  }
}

function css255(alpha: number): string {
  return `rgba(255,255,255,${alpha.toFixed(2)})`;
}

function drawMountains(scenery: Scenery): void {
  const { far, near, random, extent, horizon } = scenery;
  drawSky(scenery);
  const rock = mixColour([104, 104, 122], [122, 102, 96], scenery.tint);
  for (let layer = 0; layer < 2; layer++) {
    const peaks = Math.round(extent * (2.4 + layer));
    for (let i = 0; i < peaks; i++) {
      const x = -extent + (2 * extent * (i + random.range(0.2, 0.8))) / peaks;
      drawPeak(scenery, x, horizon + 0.02, random.range(0.26, 0.5) * (1 - 0.35 * layer), rock, 0.75 - 0.3 * layer);
    }
  }
  drawHills(far, scenery, horizon + 0.03, 0.09, [64, 98, 66], 0.4, 4, false);
  drawGround(scenery, [110, 146, 82], [92, 118, 58], 0.4);
  for (let i = 0; i < 14; i++) {
    const y = horizon + 0.06 + 0.5 * random.next() ** 1.5;
    const r = 0.008 + 0.05 * (y - horizon) * random.range(0.6, 1.6);
    const x = random.range(-extent, extent);
    const g = near.createRadialGradient(x + scenery.light.side * r * 0.5, y - r * 0.5, 0, x, y, r * 1.3);
    g.addColorStop(0, paint(scenery, [178, 176, 172], 1, 0.1));
    g.addColorStop(1, paint(scenery, [90, 88, 92], 0.1, 0.1));
    near.fillStyle = g;
    near.beginPath();
    near.ellipse(x, y, r * 1.4, r, 0, 0, 7);
    near.fill();
  }
}

function drawPeak(scenery: Scenery, x: number, base: number, height: number, rock: Rgb, depth: number): void {
  const { far, random, light } = scenery;
  const half = height * random.range(0.75, 1.05);
  const ridge = x + random.range(-0.12, 0.12) * half;
  for (const side of [-1, 1]) {
    const level = side === Math.sign(light.side) ? 0.95 : 0.2;
    far.fillStyle = paint(scenery, rock, level, depth);
    far.beginPath();
    far.moveTo(x, base - height);
    far.lineTo(x + side * half, base);
    far.lineTo(ridge, base);
    far.lineTo(x - 0.06 * half, base - height * 0.5);
    far.closePath();
    far.fill();
    far.fillStyle = paint(scenery, [246, 248, 252], level, depth * 0.7);
    far.beginPath();
    far.moveTo(x, base - height);
    for (let i = 1; i <= 4; i++)
      far.lineTo(x + side * half * 0.095 * i, base - height * (1 - 0.095 * i) + (i % 2 ? 0.012 : -0.008));
    far.lineTo(x + side * half * 0.16, base - height * 0.72);
    far.lineTo(x - 0.03 * half, base - height * 0.66);
    far.closePath();
    far.fill();
  }
}
