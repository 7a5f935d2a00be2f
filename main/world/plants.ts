import type { SKRSContext2D } from '@napi-rs/canvas';
import { mixColour, type Rgb } from './colour.ts';
import { leafColour } from './foliage.ts';
import { paint, type Scenery } from './scenery.ts';

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
  const { light, random, season } = scenery;
  const trunk: Rgb = [88, 64, 48];
  ctx.fillStyle = paint(scenery, trunk, 0.4, depth);
  ctx.fillRect(x - height * 0.035, y - height * 0.5, height * 0.07, height * 0.5);
  ctx.fillStyle = paint(scenery, trunk, 0.9, depth);
  ctx.fillRect(x + (light.side > 0 ? 0.008 : -0.035) * height, y - height * 0.5, height * 0.027, height * 0.5);
  if (conifer) {
    const needles = season === 'winter' ? mixColour(leaf, [240, 245, 252], 0.6) : leaf;
    for (let i = 0; i < 5; i++) {
      const top = y - height + i * height * 0.16;
      const half = height * (0.1 + 0.045 * i) * random.range(0.9, 1.1);
      for (const side of [-1, 1]) {
        ctx.fillStyle = paint(scenery, needles, side === Math.sign(light.side) ? 0.85 : 0.3, depth);
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
    if (season === 'winter') {
      drawBranch(ctx, scenery, x, y - height * 0.4, cx, cy - r * 0.5, height, trunk, depth);
      continue;
    }
    const leaves = leafColour(season, leaf, i);
    const lx = cx + light.side * r * 0.4;
    const g = ctx.createRadialGradient(lx, cy - r * 0.5, r * 0.05, cx, cy, r);
    g.addColorStop(0, paint(scenery, leaves, 1.05, depth));
    g.addColorStop(1, paint(scenery, leaves, 0.3 - 0.25 * Math.sin(a), depth));
    ctx.fillStyle = g;
    ctx.beginPath();
    ctx.arc(cx, cy, r, 0, 7);
    ctx.fill();
  }
}

/** A bare branch from the trunk, with snow on it. */
function drawBranch(
  ctx: SKRSContext2D,
  scenery: Scenery,
  x: number,
  y: number,
  toX: number,
  toY: number,
  height: number,
  bark: Rgb,
  depth: number,
): void {
  const lines: readonly [Rgb, number, number, number][] = [
    [bark, 0.5, 0.026, 0],
    [[246, 249, 254], 0.95, 0.016, -0.012],
  ];
  for (const [colour, level, width, shift] of lines) {
    ctx.strokeStyle = paint(scenery, colour, level, depth);
    ctx.lineWidth = width * height;
    ctx.beginPath();
    ctx.moveTo(x, y + shift * height);
    ctx.quadraticCurveTo(x, (y + toY) / 2 + shift * height, toX, toY + shift * height);
    ctx.moveTo((x + toX) / 2, (y + toY) / 2 + shift * height);
    ctx.lineTo(toX - (toX - x) * 0.15, toY - 0.1 * height + shift * height);
    ctx.stroke();
  }
}
