import type { Brush } from './brush.ts';
import { mixColour, scaleColour } from './colour.ts';
import { directionOf, mirrored } from './facing.ts';
import { coatColour } from './palette.ts';
import { cyclePhase } from './pose.ts';
import { createRandom } from './random.ts';
import type { Subject } from './scene.ts';

export function fishHeight(subject: Subject): number {
  return 0.7 * (0.94 + 0.12 * subject.identity.size);
}

/** A fish in a glass tank on a stand; the tank stands on the origin and is 1 unit tall. */
export function drawFish(brush: Brush, subject: Subject, seconds: number): void {
  const { identity, motion } = subject;
  const { ctx } = brush;
  const half = 0.5;
  const top = -0.96;
  const bed = -0.24;
  const water = top + 0.1;
  brush.polygon(
    [
      [-half - 0.05, bed],
      [half + 0.05, bed],
      [half, 0],
      [-half, 0],
    ],
    brush.acrossShade(0, -0.1, 0.6, [122, 84, 58]),
  );
  const g = brush.flat ? '' : ctx.createLinearGradient(0, water, 0, bed);
  if (typeof g !== 'string') {
    g.addColorStop(0, brush.colour([130, 206, 226], 1));
    g.addColorStop(1, brush.colour([36, 106, 150], 0.75));
  }
  brush.polygon(
    [
      [-half, water],
      [half, water],
      [half, bed],
      [-half, bed],
    ],
    g,
  );
  const random = createRandom(identity.detail, 'tank');
  for (let i = 0; i < 16; i++)
    brush.ball(random.range(-half + 0.04, half - 0.04), bed - 0.02, 0.035, 0.026, [
      random.range(150, 220),
      random.range(140, 190),
      random.range(110, 160),
    ]);
  for (let i = 0; i < 4; i++) {
    const x = (random.chance(0.5) ? 1 : -1) * random.range(0.28, 0.46);
    const sway = 0.03 * Math.sin(seconds * 2.2 + i);
    brush.line(
      [
        [x, bed - 0.02],
        [x + sway * 0.4, bed - 0.15],
        [x + sway, bed - random.range(0.24, 0.42)],
      ],
      brush.colour([58, 146, 76], 0.8),
      0.026,
    );
  }
  for (let i = 0; i < 4; i++) {
    const rise = (seconds * 0.3 + i * 0.27) % 1;
    brush.ellipse(
      -0.36 + 0.02 * Math.sin(seconds * 4 + i),
      bed - rise * (bed - water),
      0.014,
      0.014,
      'rgba(230,250,255,0.75)',
    );
  }
  const phase = cyclePhase(motion, seconds);
  const size = motion.amplitude;
  let x = 0.26 * (motion.path.from + (motion.path.to - motion.path.from) * (seconds / 2.1)) * 1.6;
  let y = (water + bed) / 2 + 0.07 * motion.path.lift + 0.03 * Math.sin(phase * 0.5);
  let angle = 0.08 * Math.sin(phase * 0.5);
  let width = directionOf(subject);
  if (motion.kind === 'turn') {
    const turned = Math.cos(phase);
    width = Math.sign(turned || 1) * Math.max(0.25, Math.abs(turned));
    x = 0.15 * Math.sin(phase) * size;
  } else if (motion.kind === 'jump') {
    const u = (((phase / (2 * Math.PI)) % 1) + 1) % 1;
    const air = u < 0.6 ? u / 0.6 : 0;
    x = -0.22 * width + 0.44 * width * (air || 0);
    y = water + 0.2 - 0.48 * size * 4 * air * (1 - air);
    angle = (air - 0.5) * 1.6 * (air ? 1 : 0);
  }
  ctx.save();
  ctx.translate(x, y);
  const own = mirrored(brush, width);
  ctx.rotate(angle);
  drawFishBody(own, subject, phase);
  ctx.restore();
  // The glass in front
  brush.line(
    [
      [-half, top],
      [-half, bed],
      [half, bed],
      [half, top],
    ],
    brush.colour([214, 232, 238], 0.9, 0.9),
    0.02,
  );
  brush.line(
    [
      [-half, water],
      [half, water],
    ],
    'rgba(240,252,255,0.7)',
    0.014,
  );
  if (!brush.flat)
    brush.polygon(
      [
        [-half + 0.08, top + 0.04],
        [-half + 0.17, top + 0.04],
        [-half + 0.08, bed - 0.06],
        [-half + 0.04, bed - 0.06],
      ],
      'rgba(255,255,255,0.16)',
    );
}

function drawFishBody(brush: Brush, subject: Subject, phase: number): void {
  const { identity, motion } = subject;
  const coat = coatColour(subject.coat, identity.tint);
  const long = 0.17 + 0.05 * identity.build;
  const tall = 0.075 + 0.04 * identity.limbs;
  const bend = (t: number) => 0.045 * motion.amplitude * (1 - t) ** 1.5 * Math.sin(phase * 2 + t * 2.5);
  const outline: [number, number][] = [];
  const count = 7;
  for (let i = 0; i <= count; i++) {
    const t = i / count;
    outline.push([-long + 2 * long * t, bend(t) - tall * Math.sin(Math.PI * (0.12 + 0.86 * t)) ** 0.8]);
  }
  for (let i = count; i >= 0; i--) {
    const t = i / count;
    outline.push([-long + 2 * long * t, bend(t) + tall * Math.sin(Math.PI * (0.12 + 0.86 * t)) ** 0.8]);
  }
  const tail = bend(0);
  const sweep = 0.07 * Math.sin(phase * 2 - 0.6);
  const fin = scaleColour(coat, 0.75);
  const tailLong = 0.1 + 0.08 * identity.nose;
  brush.smooth(
    [
      [-long + 0.03, tail],
      [-long - tailLong, tail - 0.1 + sweep],
      [-long - tailLong * 0.6, tail + sweep * 0.6],
      [-long - tailLong, tail + 0.1 + sweep],
    ],
    brush.acrossShade(-long - 0.06, tail, 0.12, fin),
  );
  brush.polygon(
    [
      [long * 0.3, -tall * 0.8],
      [-long * 0.2, -tall * (1.5 + identity.mouth)],
      [-long * 0.55, -tall * 0.5],
    ],
    brush.colour(fin, 0.7),
  );
  brush.smooth(outline, brush.ballShade(0, 0, long, coat));
  const bands = identity.hairStyle % 4;
  for (let i = 0; i < bands; i++)
    brush.ellipse(
      -long * 0.35 + i * long * 0.42,
      bend(0.4),
      0.016,
      tall * 0.72,
      brush.colour(mixColour(coat, [250, 246, 236], 0.75), 0.85, 0.9),
    );
  brush.polygon(
    [
      [long * 0.2, tall * 0.2],
      [-long * 0.15, tall * (0.75 + 0.3 * Math.sin(phase * 2))],
      [-long * 0.05, tall * 0.1],
    ],
    brush.colour(fin, 0.85),
  );
  brush.ellipse(long * 0.66, -tall * 0.15, 0.027, 0.027, 'rgb(252,252,248)');
  brush.ellipse(long * 0.69, -tall * 0.15, 0.015, 0.017, 'rgb(12,10,14)');
}
