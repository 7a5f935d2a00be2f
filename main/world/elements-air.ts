import type { Brush } from './brush.ts';
import { mixColour, type Rgb, scaleColour } from './colour.ts';
import { leafColour } from './foliage.ts';
import type { Frame } from './frame.ts';
import { namedColour } from './palette.ts';
import { cyclePhase, smoothstep } from './pose.ts';
import { createRandom } from './random.ts';
import type { Subject } from './scene.ts';
import { drawCloud } from './scenery.ts';

export function flagHeight(subject: Subject): number {
  return 0.86 * (0.9 + 0.16 * subject.identity.size);
}

/** A flag on a pole, 1 unit tall; the cloth is drawn in columns that bend and darken with the wave. */
export function drawFlag(brush: Brush, subject: Subject, seconds: number): void {
  const { identity, motion, clothes } = subject;
  const phase = cyclePhase(motion, seconds);
  const side = motion.asymmetry >= 0 ? 1 : -1;
  const long = 0.52 + 0.16 * identity.build;
  const tall = 0.32 + 0.08 * identity.limbs;
  const colour = namedColour(clothes.shirt, identity.tint);
  const second: Rgb = identity.beard > 0.5 ? [244, 240, 230] : scaleColour(colour, 0.55);
  const pole = side * -0.22;
  brush.limb(pole, 0, 0.024, pole, -0.96, 0.016, [186, 182, 176]);
  brush.ball(pole, -0.975, 0.03, 0.03, [226, 186, 80]);
  const columns = 26;
  const stripes = 1 + (identity.detail % 3);
  const wave = (t: number) =>
    0.085 * motion.amplitude * t ** 0.8 * Math.sin(phase * 1.6 - t * (4.5 + 2.5 * identity.nose));
  const droop = (t: number) => 0.1 * (1 - 0.5 * motion.amplitude) * t * t + 0.02 * t;
  for (let i = 0; i < columns; i++) {
    const t0 = i / columns;
    const t1 = (i + 1.15) / columns;
    const x0 = pole + side * long * t0;
    const x1 = pole + side * long * t1;
    const slope = (wave(t1) - wave(t0)) * columns;
    const level = Math.min(1.15, Math.max(0.05, 0.7 - slope * 1.4 * side * brush.light.side));
    for (let s = 0; s < stripes; s++) {
      const from = -0.93 + (tall * s) / stripes;
      const to = -0.93 + (tall * (s + 1)) / stripes + 0.002;
      const y0 = wave(t0) + droop(t0);
      const y1 = wave(t1) + droop(t1);
      brush.polygon(
        [
          [x0, from + y0],
          [x1, from + y1],
          [x1, to + y1],
          [x0, to + y0],
        ],
        brush.colour(s === 1 ? second : colour, level),
      );
    }
  }
  if (stripes !== 2) {
    const t = 0.5;
    brush.ellipse(
      pole + side * long * t,
      -0.93 + tall / 2 + wave(t) + droop(t),
      tall * 0.2,
      tall * 0.22,
      brush.colour(stripes === 3 ? colour : second, 0.8),
    );
  }
}

export function treeHeight(subject: Subject): number {
  return 0.9 * (0.88 + 0.2 * subject.identity.size);
}

/** A tree in the wind, 1 unit tall: the trunk bends, every clump of leaves follows with its own delay. */
export function drawWindTree(brush: Brush, subject: Subject, seconds: number): void {
  const { identity, motion } = subject;
  const phase = cyclePhase(motion, seconds);
  const lean = (height: number, delay: number) =>
    height ** 1.6 *
    0.16 *
    motion.amplitude *
    (Math.sin(phase - delay) + 0.35 * Math.sin(2.7 * phase - delay * 2) + 0.7 * motion.asymmetry);
  const bark: Rgb = mixColour([104, 74, 52], [150, 136, 122], identity.hair);
  const leaf: Rgb = mixColour(
    mixColour([58, 120, 46], [122, 150, 52], identity.tint),
    [216, 122, 40],
    identity.skin > 0.72 ? 0.75 : 0,
  );
  const thick = 0.04 + 0.025 * identity.build;
  let x = 0;
  const segments = 5;
  for (let i = 0; i < segments; i++) {
    const next = lean((i + 1) / 8, 0);
    brush.limb(
      x,
      (-0.55 * i) / segments,
      thick * (1 - 0.1 * i),
      next,
      (-0.55 * (i + 1)) / segments,
      thick * (0.9 - 0.1 * i),
      bark,
    );
    x = next;
  }
  const random = createRandom(identity.detail, 'crown');
  const clumps = Array.from({ length: 34 }, (_, index) => {
    const a = random.range(0, Math.PI * 2);
    const d = random.next() ** 0.6;
    return {
      x: Math.cos(a) * d * (0.24 + 0.1 * identity.build),
      y: -0.68 + Math.sin(a) * d * 0.22,
      r: random.range(0.06, 0.115),
      delay: random.range(0, 1.2),
      leaf: leafColour(brush.look.season, leaf, index),
    };
  }).sort((a, b) => a.y - b.y);
  for (const side of [-1, 1])
    brush.limb(lean(0.5, 0) * 0.8, -0.42, thick * 0.55, lean(0.7, 0.2) + side * 0.17, -0.62, thick * 0.3, bark);
  for (const clump of clumps) {
    const height = -clump.y;
    const shift = lean(height, clump.delay);
    const cx = clump.x + shift;
    const cy = clump.y + Math.abs(shift) * 0.2 + 0.012 * Math.sin(phase * 2 + clump.delay * 5);
    brush.ball(cx, cy, clump.r, clump.r * 0.9, scaleColour(clump.leaf, 0.8 + 0.3 * (height - 0.5)));
    if (brush.flat) continue;
    for (let k = 0; k < 5; k++) {
      const a = k * 2.4 + clump.delay * 9;
      brush.ellipse(
        cx + Math.cos(a) * clump.r * 0.7,
        cy + Math.sin(a) * clump.r * 0.6,
        0.018,
        0.011,
        brush.colour(mixColour(clump.leaf, [236, 240, 150], 0.25), 0.5 - 0.5 * Math.sin(a), 0.8),
        a + phase * 0.3,
      );
    }
  }
  for (let i = 0; i < 4; i++) {
    // Leaves that the wind takes along
    const u = (seconds * 0.4 * motion.tempo + i * 0.27 + motion.phase) % 1;
    const way = motion.asymmetry >= 0 ? 1 : -1;
    brush.ellipse(
      way * (0.1 + 0.55 * u),
      -0.6 + 0.5 * u + 0.05 * Math.sin(u * 12 + i),
      0.02,
      0.012,
      brush.colour(leafColour(brush.look.season, leaf, i), 0.8),
      u * 9,
    );
  }
}

/** Large clouds that drift over the upper part of the frame and change their shape (frame units). */
export function drawClouds(brush: Brush, subject: Subject, seconds: number, frame: Frame): void {
  const { identity, motion } = subject;
  const reach = frame.aspect * 0.8;
  const way = motion.asymmetry >= 0 ? 1 : -1;
  const count = 4 + Math.round(identity.build * 3);
  for (let i = 0; i < count; i++) {
    const random = createRandom(identity.detail + i, 'cloud');
    const speed = (0.1 + 0.2 * motion.tempo) * random.range(0.8, 1.2);
    const span = reach * 2.4;
    const u = (((random.next() * span + way * speed * seconds) % span) + span) % span;
    const x = u - span / 2;
    const y =
      -0.4 +
      (frame.horizon + 0.22) * ((i + 0.5) / count) +
      0.012 * motion.amplitude * Math.sin(cyclePhase(motion, seconds) + i);
    const size = random.range(0.2, 0.32) * (0.8 + 0.4 * identity.size);
    if (brush.flat) brush.ellipse(x, y - size * 0.1, size * 1.3, size * 0.6, '');
    else
      drawCloud(
        brush.ctx,
        brush,
        x,
        y,
        size * (1 + 0.06 * motion.amplitude * Math.sin(seconds * 2 + i)),
        createRandom(identity.detail + i, 'lobes'),
      );
  }
}

export function flowerHeight(subject: Subject): number {
  return 0.82 * (0.9 + 0.16 * subject.identity.size);
}

/** One large flower, 1 unit tall, that opens (or sways). */
export function drawFlower(brush: Brush, subject: Subject, seconds: number): void {
  const { identity, motion, clothes } = subject;
  const phase = cyclePhase(motion, seconds);
  const opening = motion.kind === 'open';
  const open = opening
    ? 0.06 + 0.94 * smoothstep(0, 1, (seconds / 2.1) * (0.65 + 0.6 * motion.tempo) + 0.12 * (motion.phase - 0.5))
    : 0.85 + 0.05 * Math.sin(phase);
  const bend = opening
    ? 0.03 * Math.sin(phase * 0.5)
    : 0.2 * motion.amplitude * Math.sin(phase) + 0.06 * motion.asymmetry;
  const hx = bend;
  const hy = -0.68 + Math.abs(bend) * 0.1;
  const green: Rgb = [62, 132, 58];
  const colour = namedColour(clothes.shirt, identity.tint);
  brush.ctx.beginPath();
  brush.ctx.moveTo(0, 0);
  brush.ctx.quadraticCurveTo(0.03 * (identity.nose - 0.5), -0.4, hx, hy);
  brush.stroke(brush.colour(green, 0.7), 0.03 + 0.012 * identity.build);
  for (const side of [-1, 1]) {
    const y = -0.2 - 0.12 * (side > 0 ? identity.limbs : identity.eyes);
    const flap = 0.1 * Math.sin(phase + side);
    brush.smooth(
      [
        [0, y],
        [side * 0.1, y - 0.09 + flap * 0.3],
        [side * (0.26 + 0.06 * identity.limbs), y - 0.06 + flap * 0.5],
        [side * 0.12, y + 0.02],
      ],
      brush.acrossShade(side * 0.13, y - 0.04, 0.14, green),
    );
  }
  brush.ctx.save();
  brush.ctx.translate(hx, hy);
  brush.ctx.rotate(bend * 0.9);
  const petals = 5 + (identity.detail % 5);
  const long = 0.2 + 0.07 * identity.head;
  const wide = (0.065 + 0.04 * identity.mouth) * (0.6 + 0.4 * open);
  for (let layer = 0; layer < 2; layer++) {
    for (let i = 0; i < petals; i++) {
      // Closed petals point up, open ones all around.
      const a = ((i + layer * 0.5) / petals) * Math.PI * 2;
      const spread = open * (layer ? 0.85 : 1);
      const px = Math.sin(a) * long * (0.15 + 0.85 * spread);
      const py = -long * (1 - spread) * 0.85 - Math.cos(a) * long * spread * (0.82 - 0.2 * layer);
      const angle = Math.atan2(py, px);
      const reach = Math.hypot(px, py);
      const shade = scaleColour(colour, layer ? 1.08 : 0.86);
      brush.ellipse(
        px * 0.55,
        py * 0.55,
        Math.max(reach * 0.62, wide),
        wide,
        brush.flat ? '' : brush.ballShade(px * 0.55, py * 0.55, long * 0.7, shade),
        angle,
      );
    }
  }
  if (open > 0.3)
    brush.ball(
      0,
      -long * (1 - open) * 0.4,
      0.075 * open,
      0.07 * open,
      identity.brows > 0.5 ? [240, 190, 50] : [110, 66, 40],
    );
  if (open < 0.7)
    brush.smooth(
      [
        [-0.07, 0.05],
        [0, 0.09],
        [0.07, 0.05],
        [0.05 + 0.05 * open, -0.1 * (1 - open)],
        [0, -0.02],
        [-0.05 - 0.05 * open, -0.1 * (1 - open)],
      ],
      brush.colour(green, 0.7),
    );
  brush.ctx.restore();
}
