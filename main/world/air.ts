import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { overscan } from './camera.ts';
import { css, mixColour, type Rgb } from './colour.ts';
import type { Frame } from './frame.ts';
import type { Light } from './light.ts';
import { type Air, counts, drawParticles, middle } from './particles.ts';
import { createRandom } from './random.ts';
import type { Scene } from './scene.ts';
import { noiseField } from './textures.ts';

/** What a scene's light puts into the air; null for a light that leaves it clear. */
export function airOf(scene: Scene, light: Light, frame: Frame, extent: number): Air | null {
  if (!light.air && !light.veil && !light.pool && !light.flare && !light.beam) return null;
  const random = createRandom(scene.seed, 'air');
  const particles = Array.from({ length: light.air ? counts[light.air] : 0 }, () => ({
    x: random.next(),
    y: random.next(),
    close: random.next(),
    own: random.next(),
  }));
  const strikes =
    light.air === 'storm'
      ? Array.from({ length: 8 }, (_, i) => ({ time: 1.6 * i + random.range(0.1, 1.2), x: random.range(-0.8, 0.8) }))
      : [];
  return {
    light,
    frame,
    extent,
    particles,
    veil: light.veil ? veilCanvas(light.veil.colour) : null,
    caustics: light.air === 'bubbles' ? causticsCanvas() : null,
    strikes,
  };
}

/** Behind the subjects: far haze, far flakes, beams, lightning. */
export function drawAirBehind(ctx: SKRSContext2D, air: Air, seconds: number): void {
  const { light } = air;
  drawLightning(ctx, air, seconds);
  if (light.veil) drawVeil(ctx, air, seconds, light.veil.behind);
  if (air.caustics) drawCaustics(ctx, air, air.caustics, seconds);
  if (light.beam) drawBeams(ctx, air, light.beam, seconds);
  drawParticles(ctx, air, seconds, 0, middle);
}

/** In front of the subjects: near haze, near flakes, and what the light does to the whole picture. */
export function drawAirBefore(ctx: SKRSContext2D, air: Air, seconds: number): void {
  const { light, extent } = air;
  if (light.veil) drawVeil(ctx, air, seconds, light.veil.before);
  if (light.pool) drawPool(ctx, air, light.pool, seconds);
  drawParticles(ctx, air, seconds, middle, 1);
  if (light.flare) {
    const { colour, alpha, y = -0.12, flicker = 0 } = light.flare;
    const strength = alpha * (1 - flicker * flickering(seconds));
    spill(ctx, Math.sign(light.side) * air.frame.aspect * 0.5, y, 0.9, colour, strength);
  }
  const flash = flashAt(air, seconds);
  if (flash > 0.02) {
    ctx.save();
    ctx.globalCompositeOperation = 'screen';
    ctx.fillStyle = css([170, 190, 230], 0.55 * flash);
    ctx.fillRect(-extent, -overscan / 2, extent * 2, overscan);
    ctx.restore();
  }
}

/** 0..1, never still, the same for the same moment. */
function flickering(seconds: number): number {
  return 0.5 + 0.28 * Math.sin(seconds * 11.3) + 0.22 * Math.sin(seconds * 17.9 + 1.3);
}

function spill(ctx: SKRSContext2D, x: number, y: number, radius: number, colour: Rgb, alpha: number): void {
  const g = ctx.createRadialGradient(x, y, 0, x, y, radius);
  g.addColorStop(0, css(colour, Math.min(0.999, alpha)));
  g.addColorStop(0.4, css(colour, alpha * 0.4));
  g.addColorStop(1, css(colour, 0.001));
  ctx.save();
  ctx.globalCompositeOperation = 'screen';
  ctx.fillStyle = g;
  ctx.fillRect(x - radius, y - radius, radius * 2, radius * 2);
  ctx.restore();
}

function drawVeil(ctx: SKRSContext2D, air: Air, seconds: number, alpha: number): void {
  const { veil, extent, frame, light } = air;
  if (!veil) return;
  const top = frame.horizon - 0.34;
  const wide = extent * 2.4;
  const shift = light.veil?.drift ? (((0.13 * seconds * Math.sign(light.side)) % wide) + wide) % wide : 0;
  ctx.save();
  ctx.globalAlpha = alpha;
  for (const left of shift > 0 ? [-extent + shift - wide, -extent + shift] : [-extent])
    ctx.drawImage(veil, left, top, wide + 0.004, overscan / 2 - top);
  ctx.restore();
}

/** Haze that is thickest where the ground meets the sky, in wisps [128 * 64]. */
function veilCanvas(colour: Rgb): Canvas {
  const [width, height] = [128, 64];
  const canvas = createCanvas(width, height);
  const ctx = canvas.getContext('2d');
  const image = ctx.createImageData(width, height);
  const noise = noiseField('soft');
  for (let y = 0; y < height; y++) {
    const v = y / (height - 1);
    const profile = v < 0.42 ? (v / 0.42) ** 1.6 : 1 - 0.62 * ((v - 0.42) / 0.58);
    for (let x = 0; x < width; x++) {
      const wisp = noise[((y * 3) & 255) * 256 + x * 2]!; // as wide as the noise, so that it tiles
      image.data.set(
        [colour[0], colour[1], colour[2], 255 * Math.min(1, profile * (0.35 + 1.3 * wisp))],
        (y * width + x) * 4,
      );
    }
  }
  ctx.putImageData(image, 0, 0);
  return canvas;
}

/** Webs of light as waves throw them on the ground [128 * 128]. */
function causticsCanvas(): Canvas {
  const size = 128;
  const canvas = createCanvas(size, size);
  const ctx = canvas.getContext('2d');
  const image = ctx.createImageData(size, size);
  const noise = noiseField('rough');
  for (let i = 0; i < size * size; i++) {
    const value = noise[Math.floor(i / size) * 2 * 256 + (i % size) * 2]!;
    const ridge = Math.max(0, 1 - Math.abs(value - 0.5) * 16);
    image.data.set([190, 255, 240, 210 * ridge], i * 4);
  }
  ctx.putImageData(image, 0, 0);
  return canvas;
}

function drawCaustics(ctx: SKRSContext2D, { extent, frame }: Air, canvas: Canvas, seconds: number): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(-extent, frame.horizon + 0.02, extent * 2, overscan / 2);
  ctx.clip();
  ctx.globalCompositeOperation = 'lighter';
  ctx.globalAlpha = 0.55;
  const [left, top] = [-extent - 0.2 + 0.1 * Math.sin(seconds * 1.7), frame.horizon + 0.02 * Math.cos(seconds * 2.3)];
  for (let x = left; x < extent; x += 1.1) ctx.drawImage(canvas, x, top, 1.1, 0.7);
  ctx.restore();
}

/** One cone onto a pool of light, or shafts that sway through water. */
function drawBeams(ctx: SKRSContext2D, air: Air, beam: NonNullable<Light['beam']>, seconds: number): void {
  const { light, extent } = air;
  const top = -overscan / 2;
  const shafts = light.pool
    ? [0.5, 0.75, 1].map((share) => ({
        from: light.side * 0.22,
        to: light.pool!.x,
        wide: 0.02 * share,
        spread: light.pool!.radius * 0.7 * share,
        low: light.pool!.y + 0.3,
      }))
    : [-0.7, -0.3, 0.05, 0.4, 0.75].map((place, i) => ({
        from: place * extent + 0.05 * Math.sin(seconds * 1.1 + i * 2),
        to: place * extent + light.side * 0.3 + 0.09 * Math.sin(seconds * 0.9 + i),
        wide: 0.03,
        spread: 0.09 + 0.03 * (i % 3),
        low: 0.3,
      }));
  ctx.save();
  ctx.globalCompositeOperation = 'screen';
  const g = ctx.createLinearGradient(0, top, 0, 0.5);
  const alpha = beam.alpha / (light.pool ? shafts.length : 1);
  g.addColorStop(0, css(beam.colour, alpha));
  g.addColorStop(1, css(beam.colour, light.pool ? alpha * 0.2 : 0.001));
  ctx.fillStyle = g;
  for (const { from, to, wide, spread, low } of shafts) {
    ctx.beginPath();
    ctx.moveTo(from - wide, top);
    ctx.lineTo(from + wide, top);
    ctx.lineTo(to + spread, low);
    ctx.lineTo(to - spread, low);
    ctx.fill();
  }
  ctx.restore();
}

function drawPool(ctx: SKRSContext2D, air: Air, pool: NonNullable<Light['pool']>, seconds: number): void {
  const { extent, light } = air;
  const x = pool.x * Math.sign(light.side);
  const radius = pool.radius * (1 - (pool.flicker ?? 0) * flickering(seconds));
  const g = ctx.createRadialGradient(x, pool.y, 0, x, pool.y, radius);
  g.addColorStop(0, 'rgb(255,255,255)');
  g.addColorStop(
    pool.hard ? 0.86 : 0.3,
    pool.hard ? 'rgb(255,255,255)' : css(mixColour([255, 255, 255], pool.dark, 0.18)),
  );
  g.addColorStop(1, css(pool.dark));
  ctx.save();
  ctx.globalCompositeOperation = 'multiply';
  ctx.fillStyle = g;
  ctx.fillRect(-extent, -overscan / 2, extent * 2, overscan);
  ctx.restore();
}

/** How bright the sky flashes, 0..1: twice in quick succession, as lightning does. */
function flashAt({ strikes }: Air, seconds: number): number {
  let flash = 0;
  for (const { time } of strikes) {
    const since = seconds - time;
    if (since >= 0 && since < 0.6) flash = Math.max(flash, Math.exp(-since * 6) * (since < 0.14 ? 1 : 0.8));
  }
  return flash;
}

function drawLightning(ctx: SKRSContext2D, air: Air, seconds: number): void {
  const strike = air.strikes.find(({ time }) => seconds >= time && seconds < time + 0.26);
  if (!strike) return;
  const random = createRandom(Math.round(strike.time * 1000), 'bolt');
  let x = strike.x * air.frame.aspect * 0.5;
  ctx.beginPath();
  ctx.moveTo(x, -overscan / 2);
  for (let y = -0.6; y < air.frame.horizon; y += 0.09) {
    x += random.range(-0.05, 0.05);
    ctx.lineTo(x, y);
  }
  ctx.lineJoin = 'round';
  for (const [width, alpha] of [
    [0.03, 0.25],
    [0.009, 1],
  ] as const) {
    ctx.strokeStyle = css([226, 232, 255], alpha);
    ctx.lineWidth = width;
    ctx.stroke();
  }
}
