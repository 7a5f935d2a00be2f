import type { Brush } from './brush.ts';
import { mixColour, type Rgb, scaleColour } from './colour.ts';
import { directionOf, mirrored } from './facing.ts';
import { namedColour } from './palette.ts';
import { cyclePhase, travel } from './pose.ts';
import type { Subject } from './scene.ts';

export function carHeight(subject: Subject): number {
  return 0.34 * (0.92 + 0.2 * subject.identity.size);
}

/** A car seen from the side, wheels on the origin, 1 unit tall and about 2.3 long. */
export function drawCar(parent: Brush, subject: Subject, seconds: number): void {
  const { identity, motion, clothes } = subject;
  const phase = cyclePhase(motion, seconds);
  const size = motion.amplitude;
  const { ctx } = parent;
  ctx.save();
  let width = directionOf(subject);
  let hop = 0.012 * Math.sin(seconds * 23);
  let tilt = 0.012 * size * Math.sin(phase);
  if (motion.kind === 'bounce') {
    hop = 0.16 * size * Math.abs(Math.sin(phase / 2));
    tilt = 0.09 * size * Math.sin(phase);
  } else if (motion.kind === 'turn') {
    const turned = Math.cos(phase);
    width = Math.sign(turned || 1) * Math.max(0.42, Math.abs(turned));
  }
  const brush = mirrored(parent, width);
  const long = 1.0 + 0.25 * identity.build;
  const roof = 0.86 + 0.16 * identity.limbs;
  const paint = namedColour(clothes.shirt, identity.tint);
  const wheels = [-long * 0.6, long * 0.6];
  const wheel = 0.2 + 0.035 * identity.head;
  const gap: Rgb = [34, 34, 40];
  for (const x of wheels) brush.ellipse(x + 0.05, -wheel - 0.02, wheel * 0.95, wheel * 0.95, brush.colour(gap, 0.3));
  ctx.save();
  ctx.translate(0, -hop);
  ctx.rotate(tilt);
  const nose = 0.52 + 0.1 * identity.nose;
  const cabin = (grow: number): [number, number][] => [
    [-long * (0.62 + 0.2 * identity.mouth) - grow, -nose + 0.02],
    [-long * 0.5 - grow, -roof - grow * 0.7],
    [long * 0.12 + grow, -roof - grow * 0.7],
    [long * 0.46 + grow, -nose + 0.02],
  ];
  brush.polygon(cabin(0.06), brush.acrossShade(0, -roof, long, paint));
  brush.polygon(cabin(-0.01), brush.colour([126, 158, 180], 0.85));
  if (!brush.flat)
    brush.polygon(
      [
        [-long * 0.3, -roof + 0.02],
        [-long * 0.16, -roof + 0.02],
        [-long * 0.3, -nose],
        [-long * 0.44, -nose],
      ],
      'rgba(255,255,255,0.35)',
    );
  brush.ball(long * 0.1, -nose - 0.1, 0.075, 0.095, [190, 140, 110]);
  brush.polygon(
    [
      [-long * 0.13, -roof - 0.03],
      [-long * 0.06, -roof - 0.03],
      [-long * 0.04, -nose],
      [-long * 0.12, -nose],
    ],
    brush.colour(paint, 0.6),
  );
  brush.smooth(
    [
      [-long, -nose],
      [-long * 0.5, -nose - 0.05],
      [long * 0.45, -nose - 0.06],
      [long * 0.9, -nose + 0.06],
      [long * 1.04, -0.34],
      [long * 1.02, -0.17],
      [0, -0.15],
      [-long * 1.04, -0.17],
      [-long * 1.06, -0.36],
    ],
    bodyShade(brush, nose, paint),
  );
  brush.line(
    [
      [-long * 0.96, -0.36],
      [long * 0.97, -0.36],
    ],
    brush.colour(scaleColour(paint, 0.6), 0.6),
    0.02,
  );
  brush.line(
    [
      [-long * 0.08, -nose + 0.02],
      [-long * 0.1, -0.2],
    ],
    'rgba(0,0,0,0.3)',
    0.014,
  );
  const dark = Boolean(brush.light.lamps);
  brush.ellipse(long * 0.98, -0.42, 0.06, 0.05, dark ? 'rgb(255,246,200)' : brush.colour([250, 246, 226], 1));
  brush.ellipse(-long * 1.0, -0.42, 0.045, 0.05, dark ? 'rgb(255,70,60)' : brush.colour([210, 40, 40], 0.9));
  ctx.restore();
  const rolled = motion.kind === 'drive' ? (travel(motion, seconds) * 3 * directionOf(subject)) / wheel : 0;
  for (const x of wheels) {
    brush.ball(x, -wheel, wheel, wheel, [40, 40, 46]);
    brush.ball(x, -wheel, wheel * 0.6, wheel * 0.6, [196, 200, 208]);
    for (let i = 0; i < 5; i++) {
      const a = rolled + (i * Math.PI * 2) / 5;
      brush.line(
        [
          [x, -wheel],
          [x + Math.cos(a) * wheel * 0.55, -wheel + Math.sin(a) * wheel * 0.55],
        ],
        brush.colour([70, 72, 80], 0.6),
        0.03,
      );
    }
  }
  ctx.restore();
}

function bodyShade(brush: Brush, nose: number, paint: Rgb) {
  if (brush.flat) return '';
  const g = brush.ctx.createLinearGradient(0, -nose - 0.05, 0, -0.15);
  g.addColorStop(0, brush.colour(mixColour(paint, [255, 255, 255], 0.35), 1.1));
  g.addColorStop(0.3, brush.colour(paint, 0.95));
  g.addColorStop(0.62, brush.colour(paint, 0.55));
  g.addColorStop(1, brush.colour(paint, 0.1));
  return g;
}

export function balloonHeight(subject: Subject): number {
  return 0.66 * (0.88 + 0.24 * subject.identity.size);
}

/** A hot air balloon that hangs above the origin, 1 unit tall. */
export function drawBalloon(brush: Brush, subject: Subject, seconds: number): void {
  const { identity, motion, clothes } = subject;
  const phase = cyclePhase(motion, seconds);
  const size = motion.amplitude;
  const { ctx } = brush;
  const rise =
    motion.kind === 'fly' ? 0.22 + 0.3 * motion.path.lift * (seconds / 2 - 0.5) + 0.03 * Math.sin(phase) : 0.2;
  ctx.save();
  ctx.translate(0, -rise);
  if (motion.kind === 'sway') {
    ctx.translate(0, -1);
    ctx.rotate(0.22 * size * Math.sin(phase));
    ctx.translate(0, 1);
  } else ctx.rotate(0.03 * Math.sin(phase));
  const paint = namedColour(clothes.shirt, identity.tint);
  const other: Rgb = identity.beard > 0.5 ? [246, 240, 224] : scaleColour(paint, 0.62);
  const r = 0.36 + 0.05 * identity.build;
  const cy = -0.98 + r;
  const neck = -0.26;
  brush.ball(0, -0.08, 0.07, 0.06, [150, 104, 60]);
  brush.polygon(
    [
      [-0.085, -0.15],
      [0.085, -0.15],
      [0.07, 0],
      [-0.07, 0],
    ],
    brush.acrossShade(0, -0.07, 0.1, [164, 116, 70]),
  );
  for (const side of [-1, 1])
    brush.line(
      [
        [side * 0.075, -0.14],
        [side * 0.11, neck - 0.02],
      ],
      brush.colour([60, 50, 44], 0.6),
      0.01,
    );
  if (!brush.flat)
    brush.ellipse(0, neck + 0.03, 0.025, 0.045 + 0.015 * Math.sin(seconds * 17), 'rgba(255,190,70,0.95)');
  const envelope = () => {
    ctx.beginPath();
    ctx.moveTo(-0.11, neck);
    ctx.bezierCurveTo(-r * 1.05, cy + r * 0.72, -r * 1.28, cy - r, 0, cy - r);
    ctx.bezierCurveTo(r * 1.28, cy - r, r * 1.05, cy + r * 0.72, 0.11, neck);
    ctx.closePath();
  };
  envelope();
  brush.fill(brush.ballShade(0, cy, r * 1.15, paint));
  if (!brush.flat) {
    // Gores: stripes that narrow towards the edge and travel round when it spins.
    ctx.save();
    ctx.clip();
    const gores = 10;
    const spin =
      motion.kind === 'spin'
        ? 2 * Math.PI * motion.tempo * seconds * 0.5 * (motion.asymmetry > 0 ? 1 : -1)
        : identity.tint * 3;
    for (let i = 0; i < gores; i += 2) {
      const from = spin + (i / gores) * 2 * Math.PI;
      const to = from + (2 * Math.PI) / gores;
      if (Math.cos((from + to) / 2) < 0.02) continue;
      const edge = (a: number) => Math.sin(Math.max(-1.57, Math.min(1.57, Math.atan2(Math.sin(a), Math.cos(a)))));
      const [a, b] = [edge(from), edge(to)];
      ctx.beginPath();
      ctx.moveTo(0, cy - r);
      ctx.bezierCurveTo(a * r * 1.35, cy - r * 0.9, a * r * 1.15, cy + r * 0.6, a * 0.11, neck);
      ctx.lineTo(b * 0.11, neck);
      ctx.bezierCurveTo(b * r * 1.15, cy + r * 0.6, b * r * 1.35, cy - r * 0.9, 0, cy - r);
      ctx.fillStyle = brush.ballShade(0, cy, r * 1.15, other);
      ctx.fill();
    }
    if (identity.eyes > 0.55) {
      ctx.fillStyle = brush.acrossShade(0, cy, r, [248, 226, 120]);
      ctx.fillRect(-r * 1.2, cy - 0.02, r * 2.4, 0.07);
    }
    ctx.restore();
  }
  ctx.restore();
}
