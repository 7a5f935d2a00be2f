import type { SKRSContext2D } from '@napi-rs/canvas';
import { css, type Rgb } from './colour.ts';
import { type Light, lit } from './light.ts';
import type { Random } from './random.ts';
import { texture } from './textures.ts';

/**
 * What a background draws on: `far` is behind everything and moves little under a pan, `near` (transparent) carries the ground.
 * Units are frame heights; x in -extent..extent, y in -0.725..0.725 downwards.
 */
export interface Scenery {
  far: SKRSContext2D;
  near: SKRSContext2D;
  light: Light;
  random: Random;
  extent: number;
  horizon: number;
  /** 0..1, the place's own deviation of colour. */
  tint: number;
}

export const bottom = 0.74;

export function paint(scenery: Scenery, surface: Rgb, level = 0.7, depth = 0, alpha = 1): string {
  return css(lit(scenery.light, surface, level, depth), alpha);
}

/** A rectangle filled from one colour (top) to another (bottom). */
export function band(ctx: SKRSContext2D, scenery: Scenery, top: number, low: number, from: string, to: string): void {
  const g = ctx.createLinearGradient(0, top, 0, low);
  g.addColorStop(0, from);
  g.addColorStop(1, to);
  ctx.fillStyle = g;
  ctx.fillRect(-scenery.extent, top, scenery.extent * 2, low - top + 0.002);
}

export function glow(ctx: SKRSContext2D, x: number, y: number, radius: number, colour: Rgb, alpha: number): void {
  const g = ctx.createRadialGradient(x, y, 0, x, y, radius);
  g.addColorStop(0, css(colour, alpha));
  g.addColorStop(0.35, css(colour, alpha * 0.4));
  g.addColorStop(1, css(colour, 0.001));
  ctx.save();
  ctx.globalCompositeOperation = 'screen';
  ctx.fillStyle = g;
  ctx.fillRect(x - radius, y - radius, radius * 2, radius * 2);
  ctx.restore();
}

/** Sky with sun, moon or stars and, unless `bare`, clouds. */
export function drawSky(scenery: Scenery, bare = false): void {
  const { far, light, random, extent, horizon } = scenery;
  band(far, scenery, -bottom, horizon + 0.02, css(light.skyTop), css(light.skyBottom));
  const x = light.side * extent * 0.5;
  if (light.kind === 'night') {
    for (let i = 0; i < 70; i++) {
      const size = random.range(0.002, 0.006);
      far.fillStyle = css([230, 236, 255], random.range(0.3, 1));
      far.fillRect(random.range(-extent, extent), random.range(-bottom, horizon - 0.08), size, size);
    }
    glow(far, x * 0.8, -0.34, 0.3, [150, 170, 230], 0.5);
    far.fillStyle = 'rgb(240,240,222)';
    far.beginPath();
    far.arc(x * 0.8, -0.34, 0.045, 0, 7);
    far.fill();
  } else if (light.kind === 'sunset') {
    glow(far, x, horizon - 0.1, 0.7, [255, 180, 80], 0.9);
    far.fillStyle = 'rgb(255,240,190)';
    far.beginPath();
    far.arc(x, horizon - 0.1, 0.055, 0, 7);
    far.fill();
  } else if (light.kind === 'day') {
    glow(far, x, -0.5, 0.55, [255, 250, 225], 0.8);
  } else if (light.kind === 'neon') {
    glow(far, -extent * 0.5, horizon - 0.05, 0.5, [255, 40, 160], 0.6);
    glow(far, extent * 0.5, horizon - 0.05, 0.5, [40, 200, 255], 0.6);
  }
  if (bare || light.kind === 'fog') return;
  const clouds = 2 + random.index(4);
  for (let i = 0; i < clouds; i++) {
    drawCloud(
      far,
      scenery,
      random.range(-extent, extent),
      random.range(-0.5, horizon - 0.2),
      random.range(0.08, 0.2),
      random,
    );
  }
}

/** One cloud: lobes that are bright on top and shaded below. */
export function drawCloud(
  ctx: SKRSContext2D,
  scenery: Pick<Scenery, 'light'>,
  x: number,
  y: number,
  size: number,
  random: Random,
): void {
  const { light } = scenery;
  const bright = lit(light, [255, 255, 255], 1);
  const dark = lit(light, [214, 216, 230], 0.35);
  const lobes = 7;
  for (let i = 0; i < lobes; i++) {
    const place = i / (lobes - 1) - 0.5;
    const r = size * (0.5 - Math.abs(place) * 0.55) * random.range(0.75, 1.2);
    const cx = x + place * size * 2;
    const cy = y - r * 0.35 + random.range(-0.01, 0.01);
    const g = ctx.createRadialGradient(cx + light.side * r * 0.3, cy - r * 0.5, r * 0.1, cx, cy, r * 1.15);
    g.addColorStop(0, css(bright, 0.95));
    g.addColorStop(0.6, css(dark, 0.7));
    g.addColorStop(1, css(dark, 0.001));
    ctx.fillStyle = g;
    ctx.beginPath();
    ctx.ellipse(cx, cy, r * 1.3, r, 0, 0, 7);
    ctx.fill();
  }
}

/** The ground from the horizon to the lower edge, darker towards the camera, with a texture that lies in perspective. */
export function drawGround(scenery: Scenery, far: Rgb, close: Rgb, roughness = 0.3): void {
  const { near, horizon, extent } = scenery;
  band(near, scenery, horizon, bottom, paint(scenery, far, 0.85, 0.75), paint(scenery, close, 0.7, 0));
  const steps = 6;
  for (let i = 0; i < steps; i++) {
    const top = horizon + (bottom - horizon) * (i / steps) ** 2;
    const low = horizon + (bottom - horizon) * ((i + 1) / steps) ** 2;
    texture(
      near,
      'rough',
      [-extent, top, extent * 2, low - top],
      [0.35 + 0.16 * i, 0.05 + 0.045 * i],
      (roughness * (i + 1)) / steps,
    );
  }
}

/** A chain of hills from one edge to the other. */
export function drawHills(
  ctx: SKRSContext2D,
  scenery: Scenery,
  base: number,
  height: number,
  surface: Rgb,
  depth: number,
  waves: number,
  sharp: boolean,
): void {
  const { extent, random } = scenery;
  const count = Math.max(4, Math.round(waves * extent * 2));
  const points: [number, number][] = [];
  for (let i = 0; i <= count; i++) {
    points.push([
      -extent + (2 * extent * i) / count,
      base - height * random.range(0.15, 1) * (sharp && i % 2 ? 0.35 : 1),
    ]);
  }
  ctx.beginPath();
  ctx.moveTo(-extent, base + 0.02);
  points.forEach(([x, y], i) => {
    const next = points[i + 1];
    if (sharp || !next) ctx.lineTo(x, y);
    else ctx.quadraticCurveTo(x, y, (x + next[0]) / 2, (y + next[1]) / 2);
  });
  ctx.lineTo(extent, base + 0.02);
  ctx.closePath();
  const g = ctx.createLinearGradient(0, base - height, 0, base);
  g.addColorStop(0, paint(scenery, surface, 0.9, depth));
  g.addColorStop(1, paint(scenery, surface, 0.55, Math.min(1, depth + 0.25)));
  ctx.fillStyle = g;
  ctx.fill();
}

/** A broad-leaved tree made of shaded clumps, or a conifer made of tiers. `y` is the foot. */
export function drawTree(
  ctx: SKRSContext2D,
  scenery: Scenery,
  x: number,
  y: number,
  height: number,
  leaf: Rgb,
  depth: number,
  conifer: boolean,
): void {
  const { light, random } = scenery;
  const trunk: Rgb = [88, 64, 48];
  ctx.fillStyle = paint(scenery, trunk, 0.4, depth);
  ctx.fillRect(x - height * 0.035, y - height * 0.5, height * 0.07, height * 0.5);
  ctx.fillStyle = paint(scenery, trunk, 0.9, depth);
  ctx.fillRect(x + (light.side > 0 ? 0.008 : -0.035) * height, y - height * 0.5, height * 0.027, height * 0.5);
  if (conifer) {
    for (let i = 0; i < 5; i++) {
      const top = y - height + i * height * 0.16;
      const half = height * (0.1 + 0.045 * i) * random.range(0.9, 1.1);
      for (const side of [-1, 1]) {
        ctx.fillStyle = paint(scenery, leaf, side === Math.sign(light.side) ? 0.85 : 0.3, depth);
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x + side * half, top + height * 0.27);
        ctx.lineTo(x, top + height * 0.24);
        ctx.closePath();
        ctx.fill();
      }
    }
    return;
  }
  for (let i = 0; i < 13; i++) {
    const a = random.range(0, 6.3);
    const d = random.next() * 0.24 * height;
    const cx = x + Math.cos(a) * d * 1.15;
    const cy = y - height * 0.7 + Math.sin(a) * d;
    const r = height * random.range(0.1, 0.17);
    const lx = cx + light.side * r * 0.4;
    const g = ctx.createRadialGradient(lx, cy - r * 0.5, r * 0.05, cx, cy, r);
    g.addColorStop(0, paint(scenery, leaf, 1.05, depth));
    g.addColorStop(1, paint(scenery, leaf, 0.3 - 0.25 * Math.sin(a), depth));
    ctx.fillStyle = g;
    ctx.beginPath();
    ctx.arc(cx, cy, r, 0, 7);
    ctx.fill();
  }
}
