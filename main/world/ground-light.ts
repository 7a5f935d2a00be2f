import type { Canvas } from '@napi-rs/canvas';
import { overscan } from './camera.ts';
import { css } from './colour.ts';
import { createRandom } from './random.ts';
import { bottom, glow, paint, type Scenery } from './scenery.ts';
import { texture } from './textures.ts';
import type { BackgroundKind } from './vocabulary.ts';

/** Places where somebody would put up a lamp, and that have none of their own. */
const lampless: readonly BackgroundKind[] = ['park', 'beach', 'snow'];

/** What a light puts on the ground of any place: lamps, a mirror of water, candles. */
export function drawGroundLights(scenery: Scenery, sky: Canvas, place: BackgroundKind, detail: number): void {
  const { light } = scenery;
  if (light.lamps && lampless.includes(place)) drawLamp(scenery, detail);
  if (light.wet) drawWater(scenery, sky, light.wet);
  if (light.candles) drawCandles(scenery, light.candles, detail);
}

/** The ground darkens and mirrors what is far away. */
function drawWater({ near, extent, horizon }: Scenery, sky: Canvas, wet: number): void {
  near.save();
  near.globalCompositeOperation = 'source-atop';
  near.beginPath();
  near.rect(-extent, horizon, extent * 2, bottom - horizon);
  near.clip();
  near.fillStyle = css([14, 20, 30], 0.4 * wet);
  near.fillRect(-extent, horizon, extent * 2, bottom - horizon);
  near.globalAlpha = 0.5 * wet;
  near.translate(0, horizon * 2);
  near.scale(1, -1);
  near.drawImage(sky, -extent, -overscan / 2, extent * 2, overscan);
  near.restore();
  texture(near, 'soft', [-extent, horizon, extent * 2, bottom - horizon], [1.6, 0.14], 0.3 * wet);
}

function drawCandles({ far, near, extent, horizon }: Scenery, count: number, detail: number): void {
  const random = createRandom(detail, 'candles');
  for (let i = 0; i < count; i++) {
    const x = (i % 2 ? -1 : 1) * random.range(0.2, 0.46) * extent;
    const close = random.next();
    const y = horizon + 0.06 + 0.22 * close;
    const tall = random.range(0.07, 0.12) * (1 + close);
    const wide = 0.016 * (1 + close);
    near.fillStyle = css([238, 206, 156]);
    near.fillRect(x - wide / 2, y - tall, wide, tall);
    const flame = y - tall - wide * 0.9;
    for (const ctx of [far, near]) glow(ctx, x, flame, 0.2 * (1 + close), [255, 186, 90], 0.55);
    near.fillStyle = css([255, 244, 190]);
    near.beginPath();
    near.ellipse(x, flame, wide * 0.42, wide, 0, 0, 7);
    near.fill();
  }
}

/** A lamp post, and the light that it throws on the ground. */
function drawLamp(scenery: Scenery, detail: number): void {
  const { far, near, extent, horizon } = scenery;
  const random = createRandom(detail, 'lamp');
  const x = (random.chance(0.5) ? 1 : -1) * extent * random.range(0.3, 0.5);
  const [foot, top] = [horizon + 0.16, -0.26];
  near.fillStyle = paint(scenery, [52, 56, 60], 0.6, 0.05);
  near.fillRect(x - 0.008, top, 0.016, foot - top);
  glow(far, x, top, 0.34, [255, 206, 130], 0.6);
  glow(near, x, top, 0.15, [255, 220, 150], 0.95);
  near.save();
  near.globalCompositeOperation = 'source-atop';
  near.translate(x, foot);
  near.scale(1, 0.3);
  glow(near, 0, 0, 0.5, [255, 200, 120], 0.5);
  near.restore();
}
