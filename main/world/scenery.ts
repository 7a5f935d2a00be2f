import type { SKRSContext2D } from '@napi-rs/canvas';
import { css, type Rgb } from './colour.ts';
import { meadowColour } from './foliage.ts';
import { type Light, lit } from './light.ts';
import type { Random } from './random.ts';
import { texture } from './textures.ts';
import type { SeasonKind } from './vocabulary.ts';

/**
 * What a background draws on: `far` is behind everything and moves little under a pan, `near` (transparent) carries the ground.
 * Units are frame heights; x in -extent..extent, y in -0.725..0.725 downwards.
 */
export interface Scenery {
  far: SKRSContext2D;
  near: SKRSContext2D;
  light: Light;
  season: SeasonKind;
  random: Random;
  /** Its own in the second edition, so that another sky leaves the ground as it is. */
  skyRandom: Random;
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

/** Sky with sun, moon or stars and, unless `bare`, a few clouds; as many as the light tells where it tells. */
export function drawSky(scenery: Scenery, bare = false): void {
  const { far, light, skyRandom: random, extent, horizon } = scenery;
  band(far, scenery, -bottom, horizon + 0.02, css(light.skyTop), css(light.skyBottom));
  for (let i = 0; i < (light.stars ?? 0); i++) {
    const size = random.range(0.002, 0.006);
    far.fillStyle = css([230, 236, 255], random.range(0.3, 1));
    far.fillRect(random.range(-extent, extent), random.range(-bottom, horizon - 0.08), size, size);
  }
  drawOrb(scenery);
  if (light.kind === 'neon') {
    glow(far, -extent * 0.5, horizon - 0.05, 0.5, [255, 40, 160], 0.6);
    glow(far, extent * 0.5, horizon - 0.05, 0.5, [40, 200, 255], 0.6);
  }
  const { clouds } = light;
  if (clouds === 0 || (bare && clouds === undefined)) return;
  const count = clouds ? Math.round(4 + 16 * clouds * extent) : 2 + random.index(4);
  const grow = 1 + 0.8 * (clouds ?? 0);
  for (let i = 0; i < count; i++) {
    drawCloud(
      far,
      scenery,
      random.range(-extent, extent),
      random.range(-0.5, horizon - 0.2),
      grow * random.range(0.08, 0.2),
      random,
    );
  }
}

/** The sun or the moon, or the glow around one that is out of the picture. */
function drawOrb({ far, light, extent, horizon }: Scenery): void {
  const { orb } = light;
  if (!orb) return;
  const x = light.side * extent * 0.5 * orb.x;
  const y = orb.y ?? horizon - (orb.low ?? 0);
  glow(far, x, y, orb.reach, orb.halo, orb.alpha);
  if (orb.radius === 0) return;
  far.fillStyle = css(orb.colour ?? orb.halo);
  far.beginPath();
  far.arc(x, y, orb.radius, 0, 7);
  far.fill();
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
  const { near, horizon, extent, season } = scenery;
  const [back, front] = [meadowColour(season, far), meadowColour(season, close)];
  band(near, scenery, horizon, bottom, paint(scenery, back, 0.85, 0.75), paint(scenery, front, 0.7, 0));
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
  const { extent, random, season } = scenery;
  const cover = meadowColour(season, surface);
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
  g.addColorStop(0, paint(scenery, cover, 0.9, depth));
  g.addColorStop(1, paint(scenery, cover, 0.55, Math.min(1, depth + 0.25)));
  ctx.fillStyle = g;
  ctx.fill();
}
