import type { Brush } from './brush.ts';
import { css, mixColour, type Rgb } from './colour.ts';
import { cyclePhase } from './pose.ts';
import { createRandom } from './random.ts';
import type { Subject } from './scene.ts';
import { glow } from './scenery.ts';

/** How bright a flame is against its surroundings. */
function contrast(brush: Brush): number {
  const { kind } = brush.light;
  return kind === 'night' ? 1 : kind === 'neon' || kind === 'sunset' ? 0.75 : 0.45;
}

/** A wavering in 0..1 that never repeats exactly within a clip: three tempos of one fire. */
function flicker(subject: Subject, seconds: number, place: number): number {
  const { motion } = subject;
  const t = seconds * Math.PI * 2 * motion.tempo;
  return (
    0.5 +
    0.5 *
      motion.amplitude *
      (0.5 * Math.sin(t * 1.9 + place * 2.1) +
        0.3 * Math.sin(t * 3.7 + place * 5.3 + motion.phase * 6) +
        0.2 * Math.sin(t * 0.8 + place))
  );
}

export function bonfireHeight(subject: Subject): number {
  return 0.66 * (0.85 + 0.3 * subject.identity.size);
}

export function bonfireGlow(brush: Brush, subject: Subject, seconds: number): void {
  const strength = contrast(brush) * (0.75 + 0.25 * flicker(subject, seconds, 0));
  glow(brush.ctx, 0, -0.35, 1.6, [255, 150, 60], 0.85 * strength);
  brush.ctx.save();
  brush.ctx.scale(1, 0.25);
  glow(brush.ctx, 0, 0, 1.3, [255, 140, 50], 0.9 * strength);
  brush.ctx.restore();
}

/** A wood fire on the origin, 1 unit tall. */
export function drawBonfire(brush: Brush, subject: Subject, seconds: number): void {
  const { identity, motion } = subject;
  const random = createRandom(identity.detail, 'logs');
  const wide = 0.24 + 0.12 * identity.build;
  const logs = 4 + Math.round(identity.limbs * 3);
  for (let i = 0; i < logs; i++) {
    const a = (i / (logs - 1) - 0.5) * 2;
    brush.limb(
      a * wide * 1.5,
      -0.04 - random.next() * 0.03,
      0.045,
      -a * wide * 0.3,
      -0.26 - random.next() * 0.08,
      0.035,
      [96, 64, 44],
    );
  }
  for (let i = 0; i < 9; i++)
    brush.ball(random.range(-1, 1) * wide * 1.8, -0.02 + random.range(-0.01, 0.03), 0.06, 0.045, [112, 108, 106]);
  if (!brush.flat) glow(brush.ctx, 0, -0.12, 0.35, [255, 110, 30], 0.7);
  const layers: readonly { tone: Rgb; edge: Rgb; size: number; count: number }[] = [
    { tone: [255, 110, 24], edge: [214, 44, 14], size: 1, count: 5 },
    { tone: [255, 178, 44], edge: [255, 104, 22], size: 0.72, count: 4 },
    { tone: [255, 244, 176], edge: [255, 200, 74], size: 0.42, count: 3 },
  ];
  for (const [depth, layer] of layers.entries()) {
    for (let i = 0; i < layer.count; i++) {
      const across = layer.count === 1 ? 0 : (i / (layer.count - 1) - 0.5) * 2;
      const tall =
        (0.45 + 0.5 * flicker(subject, seconds, i * 1.7 + depth * 3.1)) *
        layer.size *
        (1 - 0.45 * Math.abs(across)) *
        (0.75 + 0.3 * identity.head);
      drawFlame(
        brush,
        subject,
        seconds,
        across * wide * 0.85 * layer.size,
        -0.08,
        wide * 0.62 * layer.size,
        tall,
        layer.tone,
        layer.edge,
        i + depth * 7,
      );
    }
  }
  for (let i = 0; i < 12; i++) {
    const life = (seconds * (0.5 + 0.35 * motion.tempo) + i * 0.37 + motion.phase) % 1;
    const x = Math.sin(i * 5.1 + seconds * 2) * wide * (0.4 + life) + 0.12 * motion.asymmetry * life;
    brush.ellipse(
      x,
      -0.4 - life * 0.75,
      0.011,
      0.011,
      `rgba(255,${Math.round(210 - 90 * life)},90,${(1 - life).toFixed(2)})`,
    );
  }
}

/** One tongue: a drop that leans with the draught. */
function drawFlame(
  brush: Brush,
  subject: Subject,
  seconds: number,
  x: number,
  y: number,
  wide: number,
  tall: number,
  tone: Rgb,
  edge: Rgb,
  place: number,
): void {
  const { motion } = subject;
  const bend = (flicker(subject, seconds, place + 11) - 0.5) * 0.3 + 0.12 * motion.asymmetry;
  const lick = (flicker(subject, seconds, place + 23) - 0.5) * wide * 0.9;
  const top = y - tall;
  brush.traceSmooth([
    [x - wide * 0.75, y - tall * 0.02],
    [x - wide, y - tall * 0.25],
    [x - wide * 0.42 + bend * tall * 0.5 + lick, y - tall * 0.62],
    [x + bend * tall, top],
    [x + bend * tall + 0.004, top + 0.01],
    [x + wide * 0.42 + bend * tall * 0.5 + lick, y - tall * 0.58],
    [x + wide, y - tall * 0.22],
    [x + wide * 0.75, y - tall * 0.02],
  ]);
  if (brush.flat) {
    brush.fill('');
    return;
  }
  const g = brush.ctx.createLinearGradient(0, y, 0, top);
  g.addColorStop(0, css(tone, 0.95));
  g.addColorStop(0.55, css(mixColour(tone, edge, 0.5), 0.85));
  g.addColorStop(1, css(edge, 0.25));
  brush.fill(g);
}

export function candleHeight(subject: Subject): number {
  return 0.72 * (0.85 + 0.25 * subject.identity.size);
}

export function candleGlow(brush: Brush, subject: Subject, seconds: number): void {
  glow(brush.ctx, 0, -0.82, 1.1, [255, 190, 100], contrast(brush) * (0.65 + 0.3 * flicker(subject, seconds, 0)));
}

/** A candle on a small table, 1 unit tall with its flame. */
export function drawCandle(brush: Brush, subject: Subject, seconds: number): void {
  const { identity, motion } = subject;
  const r = 0.07 + 0.05 * identity.build;
  const top = -0.6 - 0.12 * identity.limbs;
  const wax: Rgb = mixColour([246, 238, 216], [226, 120 + 80 * identity.skin, 110], identity.hair > 0.55 ? 0.5 : 0.05);
  brush.polygon(
    [
      [-0.5, -0.16],
      [0.5, -0.16],
      [0.46, 0],
      [-0.46, 0],
    ],
    brush.acrossShade(0, -0.08, 0.55, [116, 78, 50]),
  );
  brush.ellipse(0, -0.17, 0.5, 0.075, brush.colour([150, 104, 66], 0.9));
  brush.ellipse(0, -0.18, r * 2.1, r * 0.62, brush.acrossShade(0, -0.18, r * 2, [196, 164, 84]));
  brush.ellipse(0, -0.195, r * 1.7, r * 0.45, brush.colour([232, 204, 120], 0.95));
  brush.ctx.beginPath();
  brush.ctx.roundRect(-r, top, r * 2, -0.2 - top, r * 0.3);
  brush.fill(brush.acrossShade(0, (top - 0.2) / 2, r * 1.1, wax));
  for (let i = 0; i < 3; i++)
    brush.limb(
      -r * 0.8 + i * r * 0.8,
      top + 0.02,
      r * 0.2,
      -r * 0.8 + i * r * 0.8,
      top + 0.08 + 0.07 * ((identity.detail >> i) % 3),
      r * 0.18,
      mixColour(wax, [255, 255, 250], 0.25),
    );
  if (!brush.flat) {
    const g = brush.ctx.createLinearGradient(0, top, 0, top + 0.25);
    g.addColorStop(0, 'rgba(255,190,90,0.75)');
    g.addColorStop(1, 'rgba(255,150,60,0)');
    brush.ctx.fillStyle = g;
    brush.ctx.fillRect(-r, top, r * 2, 0.25);
  }
  brush.line(
    [
      [0, top + 0.01],
      [0.008, top - 0.05],
    ],
    'rgb(40,26,20)',
    0.014,
  );
  const wave = flicker(subject, seconds, 1);
  const tall = (0.2 + 0.1 * wave) * (0.85 + 0.3 * identity.head);
  drawFlame(brush, subject, seconds, 0, top - 0.015, 0.06 + 0.012 * wave, tall, [255, 170, 50], [255, 110, 20], 2);
  drawFlame(brush, subject, seconds, 0, top - 0.03, 0.034, tall * 0.66, [255, 250, 214], [255, 214, 110], 2);
  if (!brush.flat) glow(brush.ctx, 0, top - tall * 0.45, 0.3 + 0.05 * motion.amplitude * wave, [255, 214, 130], 0.7);
}

export function smokeHeight(subject: Subject): number {
  return 0.92 * (0.9 + 0.15 * subject.identity.size);
}

/** Smoke that rises from embers at the origin, 1 unit high; every puff keeps its own path. */
export function drawSmoke(brush: Brush, subject: Subject, seconds: number): void {
  const { identity, motion } = subject;
  for (let i = 0; i < 7; i++) brush.ball((i - 3) * 0.055, -0.02 - 0.012 * (i % 3), 0.05, 0.04, [74, 66, 64]);
  if (!brush.flat) glow(brush.ctx, 0, -0.03, 0.2, [255, 110, 40], 0.7);
  const count = 26;
  const tone: Rgb = mixColour([236, 236, 240], [120, 116, 122], identity.tint);
  const random = createRandom(identity.detail, 'puffs');
  const puffs = Array.from({ length: count }, (_, i) => {
    const own = random.range(-1, 1);
    const age = seconds * (0.12 + 0.2 * motion.tempo) + i / count + 0.01 * own; // just below zero for the first puff, now and then
    const life = (age + 1) % 1;
    return { own, life, turn: random.range(0, 6) };
  }).sort((a, b) => b.life - a.life);
  for (const { own, life, turn } of puffs) {
    const sway = motion.amplitude * 0.09 * Math.sin(life * 7 - cyclePhase(motion, seconds) + turn * 0.2) * life;
    const x = own * 0.16 * life ** 0.8 * (0.5 + identity.build) + sway + 0.35 * motion.asymmetry * life ** 1.6;
    const y = -0.06 - life * 0.98;
    const r = 0.05 + 0.17 * life * (0.7 + 0.6 * identity.head);
    const alpha = 0.75 * Math.min(1, life * 6) * (1 - life) ** 0.9;
    if (brush.flat) {
      if (alpha > 0.05) brush.ellipse(x, y, r, r, '');
      continue;
    }
    const lx = x + brush.light.side * r * 0.35;
    const g = brush.ctx.createRadialGradient(lx, y - r * 0.35, r * 0.05, x, y, r);
    g.addColorStop(0, brush.colour(mixColour(tone, [255, 255, 255], 0.2), 1.05, alpha));
    g.addColorStop(0.55, brush.colour(tone, 0.5, alpha * 0.6));
    g.addColorStop(1, brush.colour(tone, 0.2, 0.001));
    brush.ellipse(x, y, r, r, g);
  }
}
