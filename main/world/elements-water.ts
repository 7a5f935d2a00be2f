import type { Brush } from './brush.ts';
import { mixColour, type Rgb } from './colour.ts';
import type { Frame } from './frame.ts';
import { createRandom } from './random.ts';
import type { Subject } from './scene.ts';

/** Rows of breaking waves over the lower part of the frame (frame units). */
export function drawWaves(brush: Brush, subject: Subject, seconds: number, frame: Frame): void {
  const { identity, motion } = subject;
  const reach = frame.aspect * 0.76;
  const sea: Rgb = mixColour([18, 78, 128], [28, 134, 140], identity.skin);
  const top = frame.horizon - 0.06 - 0.06 * identity.size;
  const rows = 6 + Math.round(identity.build * 2);
  const pace = seconds * (1.2 + 1.6 * motion.tempo) * (motion.asymmetry >= 0 ? 1 : -1);
  for (let row = 0; row < rows; row++) {
    const near = row / (rows - 1);
    const base = top + (0.6 - top) * near ** 1.25;
    const height = (0.012 + 0.055 * near) * motion.amplitude;
    const length = 3.2 + 9 * (1 - near) + 2 * identity.limbs;
    const crest = (x: number) => {
      const a = x * length + pace * (1.1 - 0.35 * near) + row * 1.9 + motion.phase * 6;
      // Steeper on the side that breaks
      return (
        base -
        height * (Math.sin(a + 0.35 * Math.sin(a)) + 0.35 * Math.sin(2.3 * a + row)) -
        0.012 * near * Math.sin(seconds * motion.tempo * 5 + row)
      );
    };
    const line: [number, number][] = [];
    for (let x = -reach; x <= reach + 0.02; x += 0.035) line.push([x, crest(x)]);
    brush.trace([...line, [reach, 0.8], [-reach, 0.8]]);
    if (brush.flat) {
      brush.fill('');
      continue;
    }
    const g = brush.ctx.createLinearGradient(0, base - height * 1.4, 0, base + height * 2.6 + 0.04);
    g.addColorStop(0, brush.colour(mixColour(sea, [190, 236, 226], 0.5), 1));
    g.addColorStop(0.35, brush.colour(sea, 0.8));
    g.addColorStop(1, brush.colour(sea, 0.3 + 0.2 * (1 - near)));
    brush.fill(g);
    brush.line(line, brush.colour([246, 252, 252], 1, 0.35 + 0.35 * near), 0.004 + 0.009 * near);
    for (let i = 0; i + 2 < line.length; i += 3) {
      // Foam where the crest is high
      const [x, y] = line[i]!;
      if (y > base - height * 0.35) continue;
      brush.ellipse(
        x,
        y + 0.008 * near,
        0.022 + 0.03 * near,
        0.006 + 0.011 * near,
        brush.colour([250, 252, 252], 1, 0.75),
      );
      brush.ellipse(x + 0.02, y + 0.028 * near, 0.014, 0.004 + 0.006 * near, brush.colour([236, 248, 248], 0.9, 0.45));
    }
  }
}

/** A cliff with water falling into a pool (frame units). */
export function drawWaterfall(brush: Brush, subject: Subject, seconds: number, frame: Frame): void {
  const { identity, motion } = subject;
  const half = (0.13 + 0.09 * identity.build) * Math.min(1, 0.5 + 0.5 * frame.aspect);
  const x0 = subject.place * 0.4 * frame.aspect * 0.5;
  const top = -0.38 - 0.1 * identity.size;
  const foot = 0.28;
  const random = createRandom(identity.detail, 'cliff');
  const rock: Rgb = mixColour([104, 98, 92], [122, 92, 74], identity.skin);
  // Rocks on both sides, from the back to the front
  for (const side of [-1, 1]) {
    const outline: [number, number][] = [[x0 + side * half * 0.75, top - 0.02]];
    for (let i = 0; i <= 4; i++)
      outline.push([
        x0 + side * (half + 0.1 + 0.07 * i + random.range(0, 0.05)),
        top + 0.02 + (foot - top) * (i / 4) * random.range(0.85, 1.05),
      ]);
    outline.push([x0 + side * half * 0.8, foot + 0.06]);
    brush.polygon(outline, brush.acrossShade(x0 + side * (half + 0.15), 0, 0.3, rock));
    if (brush.flat) continue;
    for (let i = 0; i < 11; i++) {
      const y = top + 0.05 + (foot - top) * (i / 11);
      const r = random.range(0.03, 0.07);
      brush.ball(
        x0 + side * (half + random.range(0, 0.1 + 0.018 * i)),
        y,
        r,
        r * 0.75,
        mixColour(rock, [70, 96, 50], random.next() * 0.5),
      );
    }
  }
  brush.polygon(
    [
      [x0 - half, top],
      [x0 + half, top],
      [x0 + half * 1.12, foot + 0.04],
      [x0 - half * 1.12, foot + 0.04],
    ],
    brush.acrossShade(x0, 0, half * 1.4, [122, 176, 206]),
  );
  const pace = 0.35 + 0.5 * motion.tempo;
  const strands = 40;
  for (let i = 0; i < strands; i++) {
    const across = random.range(-1, 1);
    const offset = random.next();
    const long = random.range(0.08, 0.3);
    const bright = random.range(0.3, 0.95);
    const u = (seconds * pace * random.range(0.85, 1.15) + offset) % 1;
    const y = top + (foot - top + long) * u - long;
    const wobble = 0.01 * motion.amplitude * Math.sin(u * 9 + seconds * 4 + i) + 0.03 * motion.asymmetry * u;
    const x = x0 + across * half * (0.92 + 0.12 * u) + wobble;
    const from = Math.max(top, y);
    const to = Math.min(foot + 0.03, y + long);
    if (to <= from) continue;
    brush.line(
      [
        [x, from],
        [x + wobble * 0.5, to],
      ],
      brush.colour([244, 250, 252], 1, bright),
      0.006 + 0.008 * bright,
    );
  }
  const reach = frame.aspect * 0.76;
  const pool: [number, number][] = [];
  for (let x = -reach; x <= reach + 0.02; x += 0.05)
    pool.push([
      x,
      foot + 0.02 + 0.012 * Math.sin(x * 13 + seconds * 5 * motion.tempo) + 0.05 * Math.min(1, Math.abs(x - x0)),
    ]);
  brush.polygon([...pool, [reach, 0.8], [-reach, 0.8]], brush.flat ? '' : poolShade(brush, foot));
  if (brush.flat) return;
  for (let i = 0; i < 5; i++) {
    const ring = (seconds * pace * 0.6 + i / 5) % 1;
    brush.ctx.beginPath();
    brush.ctx.ellipse(x0, foot + 0.07 + 0.07 * ring, half + ring * 0.4, 0.02 + ring * 0.07, 0, 0, 7);
    brush.stroke(brush.colour([226, 244, 250], 1, 0.5 * (1 - ring)), 0.007);
  }
  for (let i = 0; i < 16; i++) {
    // Spray
    const u = (seconds * pace + i * 0.21) % 1;
    const r = 0.035 + 0.05 * u;
    const x = x0 + Math.sin(i * 7.3) * half * (1 + 0.5 * u);
    const y = foot + 0.03 - 0.09 * Math.sin(Math.PI * u) * motion.amplitude;
    const g = brush.ctx.createRadialGradient(x, y, 0, x, y, r);
    g.addColorStop(0, brush.colour([250, 252, 255], 1, 0.5 * (1 - u)));
    g.addColorStop(1, brush.colour([250, 252, 255], 1, 0.001));
    brush.ellipse(x, y, r, r, g);
  }
}

function poolShade(brush: Brush, foot: number) {
  const g = brush.ctx.createLinearGradient(0, foot, 0, 0.55);
  g.addColorStop(0, brush.colour([168, 216, 226], 1));
  g.addColorStop(0.35, brush.colour([52, 126, 152], 0.8));
  g.addColorStop(1, brush.colour([20, 62, 86], 0.6));
  return g;
}

/** Rain over the whole frame: streaks at three distances, splashes and rings on the ground (frame units). */
export function drawRain(brush: Brush, subject: Subject, seconds: number, frame: Frame): void {
  const { identity, motion } = subject;
  const reach = frame.aspect * 0.76;
  const random = createRandom(identity.detail, 'drops');
  const slant = 0.35 * motion.asymmetry;
  if (!brush.flat) {
    brush.ctx.fillStyle = brush.colour([92, 104, 120], 0.7, 0.34);
    brush.ctx.fillRect(-reach, -0.8, reach * 2, 1.6);
  } else {
    brush.polygon(
      [
        [-reach, -0.8],
        [reach, -0.8],
        [reach, 0.8],
        [-reach, 0.8],
      ],
      '',
    );
    return;
  }
  const pace = 0.8 + 1.1 * motion.tempo;
  for (let layer = 0; layer < 3; layer++) {
    const count = Math.round((80 - 18 * layer + 40 * identity.build) * frame.aspect);
    const long = (0.05 + 0.05 * layer) * (0.7 + 0.5 * motion.amplitude);
    for (let i = 0; i < count; i++) {
      const speed = pace * (0.7 + 0.3 * layer) * random.range(0.9, 1.1);
      const u = (random.next() + seconds * speed) % 1;
      const y = -0.85 + 1.7 * u;
      const x = random.range(-1.3, 1.3) * reach + slant * (y + 0.85);
      brush.line(
        [
          [x, y],
          [x + slant * long, y + long],
        ],
        brush.colour([226, 236, 246], 1.1, 0.28 + 0.2 * layer),
        0.003 + 0.0025 * layer,
      );
    }
  }
  for (let i = 0; i < 30; i++) {
    const u = (random.next() + seconds * pace * 1.3) % 1;
    const near = random.next();
    const x = random.range(-reach, reach);
    const y = frame.horizon + 0.05 + (0.45 - frame.horizon) * near;
    brush.ctx.beginPath();
    brush.ctx.ellipse(x, y, (0.008 + 0.045 * u) * (0.5 + near), (0.003 + 0.011 * u) * (0.5 + near), 0, 0, 7);
    brush.stroke(brush.colour([232, 242, 250], 1.1, 0.75 * (1 - u)), 0.004);
    if (u < 0.3)
      brush.line(
        [
          [x, y],
          [x, y - 0.03 * (1 - u)],
        ],
        brush.colour([240, 246, 252], 1.1, 0.7),
        0.004,
      );
  }
}
