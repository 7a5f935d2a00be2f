import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import { overscan } from './camera.ts';
import { css, mixColour, type Rgb } from './colour.ts';
import type { Frame } from './frame.ts';
import type { Light } from './light.ts';

/** What is between the camera and the place: haze on the ground, what falls or floats, beams, and pools of light. Frame units. */
export interface Air {
  light: Light;
  frame: Frame;
  extent: number;
  particles: readonly Particle[];
  veil: Canvas | null;
  caustics: Canvas | null;
  /** When lightning strikes, in seconds after the start, and where. */
  strikes: readonly { time: number; x: number }[];
}

interface Particle {
  x: number;
  y: number;
  /** 0 is far away, 1 close by. */
  close: number;
  /** 0..1, its own. */
  own: number;
}

export const counts = { rain: 140, storm: 160, snow: 80, dust: 80, embers: 36, bubbles: 32 } as const;
/** Particles that are further away than this are behind the subjects. */
export const middle = 0.4;

/** The particles whose nearness is in [from, to): one path a layer. */
export function drawParticles(ctx: SKRSContext2D, air: Air, seconds: number, from: number, to: number): void {
  const kind = air.light.air;
  if (!kind) return;
  ctx.save();
  const layers =
    from === 0
      ? [[from, to]]
      : [
          [from, (from + to) / 2],
          [(from + to) / 2, to],
        ];
  for (const [low, high] of layers as [number, number][]) {
    const close = (low + high) / 2;
    ctx.beginPath();
    for (const particle of air.particles) {
      if (particle.close >= low && particle.close < high) movers[kind](ctx, air, particle, seconds, close);
    }
    finishers[kind](ctx, air, close);
  }
  ctx.restore();
}

type Mover = (ctx: SKRSContext2D, air: Air, particle: Particle, seconds: number, close: number) => void;

/** A place that moves at a speed [frame heights / s] and comes back on the other side. */
function wrapped(start: number, speed: number, seconds: number, half: number): number {
  const whole = 2 * half;
  return ((((start * whole + speed * seconds) % whole) + whole) % whole) - half;
}

const streak =
  (slant: number, pace: number, length: number): Mover =>
  (ctx, { extent, light }, { x, y, own }, seconds, close) => {
    const speed = pace * (0.7 + 0.6 * close + 0.3 * own);
    const lean = -slant * Math.sign(light.side);
    const px = wrapped(x, lean * speed, seconds, extent);
    const py = wrapped(y, speed, seconds, overscan / 2);
    const long = length * (0.5 + close);
    ctx.moveTo(px, py);
    ctx.lineTo(px - lean * long, py - long);
  };

const movers: Record<keyof typeof counts, Mover> = {
  rain: streak(0.08, 2.1, 0.085),
  storm: streak(0.55, 2.6, 0.11),
  snow: (ctx, { extent, light }, { x, y, own }, seconds, close) => {
    const px = wrapped(x, -0.05 * light.side, seconds, extent) + 0.025 * Math.sin(seconds * (1.5 + own) + own * 30);
    const py = wrapped(y, 0.16 + 0.2 * close + 0.1 * own, seconds, overscan / 2);
    const r = 0.0035 + 0.011 * close * (0.6 + 0.4 * own);
    ctx.moveTo(px + r, py);
    ctx.arc(px, py, r, 0, 7);
  },
  dust: (ctx, { extent, light }, { x, y, own }, seconds, close) => {
    const px = wrapped(x, -Math.sign(light.side) * (0.5 + 0.7 * close), seconds, extent);
    const py = (y - 0.5) * overscan + 0.02 * Math.sin(seconds * 3 + own * 20);
    ctx.moveTo(px, py);
    ctx.lineTo(px + (0.03 + 0.16 * close * own) * Math.sign(light.side), py + 0.01 * own);
  },
  embers: (ctx, { frame, light }, { x, y, own }, seconds, close) => {
    const rise = (y + seconds * (0.22 + 0.2 * own)) % 1;
    const px = Math.sign(light.side) * frame.aspect * (0.5 - 0.42 * x) + 0.06 * Math.sin(seconds * 3 + own * 20) * rise;
    const r = (0.004 + 0.005 * close) * (1 - 0.6 * rise);
    ctx.moveTo(px + r, 0.55 - rise);
    ctx.arc(px, 0.55 - rise, r, 0, 7);
  },
  bubbles: (ctx, { extent }, { x, y, own }, seconds, close) => {
    const px = (x - 0.5) * 2 * extent + 0.02 * Math.sin(seconds * 4 + own * 20);
    const py = -wrapped(y, 0.18 + 0.2 * own, seconds, overscan / 2);
    const r = 0.005 + 0.016 * close * own;
    ctx.moveTo(px + r, py);
    ctx.arc(px, py, r, 0, 7);
  },
};

type Finisher = (ctx: SKRSContext2D, air: Air, close: number) => void;

const strokes =
  (tint: (light: Light) => Rgb, alpha: number, width: number): Finisher =>
  (ctx, { light }, close) => {
    ctx.strokeStyle = css(tint(light), alpha * (0.5 + 0.6 * close));
    ctx.lineWidth = width * (0.5 + close);
    ctx.lineCap = 'butt';
    ctx.stroke();
  };

const pale = (light: Light): Rgb => mixColour(light.haze, [255, 255, 255], 0.7);

const finishers: Record<keyof typeof counts, Finisher> = {
  rain: strokes(pale, 0.6, 0.005),
  storm: strokes(pale, 0.6, 0.006),
  snow: (ctx, _, close) => {
    ctx.fillStyle = css([252, 253, 255], 0.7 + 0.3 * close);
    ctx.fill();
  },
  dust: strokes((light) => mixColour(light.haze, [255, 226, 176], 0.5), 0.22, 0.009),
  embers: (ctx, _, close) => {
    ctx.globalCompositeOperation = 'lighter';
    ctx.fillStyle = css([255, 150 + 60 * close, 60], 0.95);
    ctx.fill();
  },
  bubbles: strokes(() => [224, 255, 250], 0.75, 0.005),
};
