import type { Brush } from './brush.ts';
import { mixColour, type Rgb, scaleColour } from './colour.ts';
import { directionOf, mirrored } from './facing.ts';
import { coatColour } from './palette.ts';
import { cyclePhase } from './pose.ts';
import type { Subject } from './scene.ts';

export function birdHeight(subject: Subject): number {
  return 0.4 * (0.88 + 0.3 * subject.identity.size);
}

/** A bird above the origin when it flies, on it otherwise; its body is about 0.6 units long. */
export function drawBird(parent: Brush, subject: Subject, seconds: number): void {
  const { identity, motion } = subject;
  const phase = cyclePhase(motion, seconds);
  const size = motion.amplitude;
  const flying = motion.kind === 'fly';
  const { ctx } = parent;
  ctx.save();
  const hop =
    motion.kind === 'bounce'
      ? 0.3 * size * Math.abs(Math.sin(phase / 2))
      : motion.kind === 'walk'
        ? 0.06 * Math.abs(Math.sin(phase))
        : 0;
  const drift = flying
    ? 1.25 + 0.3 * motion.path.lift * (seconds / 2 - 0.5) + 0.07 * size * Math.sin(2 * phase - 1)
    : 0.3 + hop;
  ctx.translate(0, -drift);
  const brush = mirrored(parent, directionOf(subject));
  const coat = coatColour(subject.coat, identity.tint);
  const breast: Rgb = mixColour(coat, identity.hair > 0.5 ? [232, 120, 60] : [246, 236, 206], 0.7);
  const wing = scaleColour(coat, 0.72);
  const long = 0.3 + 0.08 * identity.build;
  const peck = motion.kind === 'nod' ? 0.35 * size * (0.6 + Math.sin(phase)) : flying ? -0.08 : -0.35;
  ctx.rotate(peck * (motion.kind === 'nod' ? 1 : 0.7));
  const flap = flying ? Math.sin(phase * 2) * size : 0;
  if (!flying) {
    ctx.save();
    ctx.rotate(-peck * (motion.kind === 'nod' ? 1 : 0.7));
    for (const side of [0, 1]) {
      const step = motion.kind === 'walk' ? 0.12 * Math.sin(phase + side * Math.PI) : 0;
      const foot = motion.kind === 'bounce' ? 0.3 : drift;
      brush.line(
        [
          [0.02 - side * 0.05, 0.1],
          [0.02 - side * 0.05 + step, foot],
        ],
        brush.colour([226, 140, 50], 0.6),
        0.02,
      );
      brush.line(
        [
          [step - side * 0.05, foot],
          [0.1 + step - side * 0.05, foot],
        ],
        brush.colour([226, 140, 50], 0.6),
        0.02,
      );
    }
    ctx.restore();
  }
  const drawWing = (tone: Rgb, raise: number, shift: number) => {
    if (!flying) {
      brush.smooth(
        [
          [0.12, -0.05],
          [0.02, 0.08],
          [-0.28, 0.1],
          [-0.42, 0.04],
          [-0.2, -0.05],
          [0.0, -0.1],
        ],
        brush.acrossShade(-0.1, 0.02, 0.2, tone),
      );
      return;
    }
    const tip = -0.62 * raise;
    brush.smooth(
      [
        [0.14 + shift, -0.02],
        [0.1 + shift, tip * 0.5 - 0.04],
        [-0.02 + shift, tip - 0.03],
        [-0.3 + shift, tip],
        [-0.22 + shift, tip * 0.4],
        [-0.16 + shift, 0.02],
      ],
      brush.acrossShade(0, tip / 2, 0.3, tone),
    );
    for (let i = 0; i < 3; i++)
      brush.line(
        [
          [-0.02 + shift - 0.06 * i, tip * 0.3],
          [-0.14 + shift - 0.06 * i, tip * 0.85],
        ],
        'rgba(0,0,0,0.2)',
        0.012,
      );
  };
  if (flying) drawWing(scaleColour(wing, 0.7), flap * 0.9 + 0.1, 0.1);
  const spread = flying ? 0.08 : 0.04;
  brush.polygon(
    [
      [-long * 0.7, -0.02],
      [-long - 0.22 - 0.12 * identity.nose, -spread],
      [-long - 0.2 - 0.12 * identity.nose, spread + 0.03],
      [-long * 0.6, 0.06],
    ],
    brush.colour(wing, 0.6),
  );
  brush.ball(0, 0, long, 0.15 + 0.04 * identity.build, coat);
  brush.ellipse(0.08, 0.05, long * 0.66, 0.1, brush.colour(breast, 0.75, 0.9));
  const hx = long * 0.86;
  const hy = -0.11;
  const head = 0.115 * (0.9 + 0.3 * identity.head) * (0.7 + 0.3 * brush.look.head);
  brush.polygon(
    [
      [hx + head * 0.7, hy - 0.03],
      [hx + head * (1.5 + identity.beard), hy + 0.02],
      [hx + head * 0.7, hy + 0.05],
    ],
    brush.colour([240, 170, 50], 0.85),
  );
  brush.ball(hx, hy, head, head, identity.brows > 0.5 ? coat : mixColour(coat, breast, 0.5));
  if (identity.hairStyle > 3)
    brush.polygon(
      [
        [hx - head * 0.6, hy - head * 0.6],
        [hx - head * 0.9, hy - head * 1.7],
        [hx + head * 0.3, hy - head * 0.9],
      ],
      brush.colour(wing, 0.7),
    );
  brush.ellipse(hx + head * 0.35, hy - head * 0.15, head * 0.26, head * 0.26, 'rgb(250,250,246)');
  brush.ellipse(hx + head * 0.4, hy - head * 0.15, head * 0.17, head * 0.19, 'rgb(14,12,16)');
  drawWing(wing, flap, 0);
  ctx.restore();
}
