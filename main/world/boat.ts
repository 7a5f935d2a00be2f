import type { Brush } from './brush.ts';
import { mixColour, type Rgb, scaleColour } from './colour.ts';
import { directionOf, mirrored } from './facing.ts';
import type { Frame } from './frame.ts';
import { namedColour } from './palette.ts';
import { cyclePhase, travel } from './pose.ts';
import type { Subject } from './scene.ts';

/** A sailing boat on water that fills the foot of the frame (frame units). */
export function drawBoat(parent: Brush, subject: Subject, seconds: number, frame: Frame): void {
  const { identity, motion, clothes } = subject;
  const phase = cyclePhase(motion, seconds);
  const size = motion.amplitude;
  const { ctx } = parent;
  const level = 0.16 + 0.04 * subject.distance;
  drawWater(parent, subject, seconds, frame, level - 0.06, 0);
  const moving = motion.kind === 'sail';
  const half = Math.min(frame.aspect, 1.3) / 2;
  const x = moving ? travel(motion, seconds) * half : subject.place * half;
  const hop = motion.kind === 'bounce' ? 0.06 * size * Math.sin(phase) : 0.012 * Math.sin(phase);
  const tilt = motion.kind === 'sway' ? 0.24 * size * Math.sin(phase) : 0.06 * size * Math.sin(phase - 0.8);
  ctx.save();
  ctx.translate(x, level + 0.04 - hop);
  const scale = 0.5 * (0.85 + 0.3 * identity.size) * Math.min(1, 0.5 + 0.5 * frame.aspect);
  ctx.scale(scale, scale);
  ctx.rotate(tilt);
  const brush = mirrored(parent, directionOf(subject));
  const paint = namedColour(clothes.shirt, identity.tint);
  const long = 0.42 + 0.12 * identity.build;
  const mast = 0.95 + 0.25 * identity.limbs;
  brush.line(
    [
      [0, 0],
      [0, -mast],
    ],
    brush.colour([110, 78, 50], 0.7),
    0.03,
  );
  const belly = 0.06 + 0.05 * Math.sin(phase * 0.7 + 1);
  const sail: Rgb = identity.beard > 0.5 ? [246, 242, 232] : mixColour(paint, [255, 250, 240], 0.6);
  brush.smooth(
    [
      [0.03, -mast],
      [0.06 + belly, -mast * 0.6],
      [long * 0.95 + belly, -0.16],
      [long * 0.5, -0.13],
      [0.03, -0.14],
      [0.03, -mast * 0.5],
    ],
    brush.acrossShade(0.2, -mast * 0.4, 0.4, sail),
  );
  brush.smooth(
    [
      [-0.04, -mast * 0.9],
      [-0.06, -0.18],
      [-long * 0.8, -0.16],
      [-long * 0.4, -mast * 0.4],
    ],
    brush.acrossShade(-0.2, -mast * 0.4, 0.35, scaleColour(sail, 0.88)),
  );
  if (identity.eyes > 0.5) brush.ellipse(long * 0.28, -mast * 0.38, 0.08, 0.08, brush.colour(paint, 0.8));
  brush.polygon(
    [
      [0, -mast],
      [-0.16, -mast + 0.04 + 0.02 * Math.sin(seconds * 9)],
      [0, -mast + 0.08],
    ],
    brush.colour(paint, 0.9),
  );
  brush.smooth(
    [
      [-long, -0.1],
      [-long * 0.3, -0.07],
      [long * 0.7, -0.09],
      [long * 1.25, -0.16],
      [long * 0.9, 0.1],
      [long * 0.4, 0.14],
      [-long * 0.6, 0.14],
      [-long * 0.95, 0.06],
    ],
    hullShade(brush, paint),
  );
  brush.line(
    [
      [-long * 0.92, -0.045],
      [long * 1.08, -0.075],
    ],
    brush.colour([246, 244, 236], 0.85),
    0.03,
  );
  ctx.restore();
  drawWater(parent, subject, seconds, frame, level + 0.065, 1);
  if (parent.flat) return;
  // The wake
  for (let i = 0; i < 3; i++)
    parent.ellipse(x, level + 0.075 + 0.016 * i, scale * (0.5 - 0.1 * i), 0.005, 'rgba(255,255,255,0.45)');
}

function hullShade(brush: Brush, paint: Rgb) {
  if (brush.flat) return '';
  const g = brush.ctx.createLinearGradient(0, -0.14, 0, 0.14);
  g.addColorStop(0, brush.colour(mixColour(paint, [255, 255, 255], 0.2), 1.05));
  g.addColorStop(0.5, brush.colour(paint, 0.75));
  g.addColorStop(1, brush.colour(paint, 0.15));
  return g;
}

/** Rows of waves from `top` down; `row` shifts their pattern so that two bodies of water differ. */
function drawWater(brush: Brush, subject: Subject, seconds: number, frame: Frame, top: number, row: number): void {
  const reach = frame.aspect * 0.75;
  const { motion, identity } = subject;
  const sea = mixColour([28, 92, 140], [34, 140, 150], identity.skin);
  for (let i = 0; i < 5; i++) {
    const y = top + 0.075 * i * (0.6 + 0.25 * i);
    if (y > 0.8) break;
    const points: [number, number][] = [];
    for (let x = -reach; x <= reach + 0.03; x += 0.05) {
      points.push([
        x,
        y +
          (0.006 + 0.004 * i) *
            Math.sin(x * (14 - 2 * i) + seconds * (2 + motion.tempo * 2) * (i % 2 ? 1 : -1) + row * 2 + i),
      ]);
    }
    points.push([reach, 0.8], [-reach, 0.8]);
    const shade = mixColour(sea, [170, 220, 226], 0.34 - 0.08 * i);
    brush.polygon(points, brush.colour(shade, 0.9 - 0.1 * i));
    if (brush.flat) continue;
    brush.line(points.slice(0, -2), brush.colour([226, 244, 248], 0.9, 0.3), 0.004);
  }
}
