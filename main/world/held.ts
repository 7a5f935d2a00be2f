import type { Brush } from './brush.ts';
import { namedColour } from './palette.ts';
import type { Pose } from './pose.ts';
import type { Subject } from './scene.ts';
import { colourNames } from './vocabulary.ts';

/** Bends the right arm of the picture so that what it holds is seen; a little of the motion's own swing stays. */
export function holdArm(pose: Pose, subject: Subject): void {
  const arm = pose.arms[1];
  const high = subject.held === 'umbrella';
  arm.pitch = 0.2 + 0.15 * arm.pitch;
  arm.bend = 0.4 + 0.1 * Math.min(1, arm.bend);
  arm.roll = 0.32 + 0.12 * Math.min(1.5, arm.roll);
  arm.twist = high ? 2.1 : 1.75;
}

/** Draws what the hand at (x, y) holds; lengths are in heights of the figure. */
export function drawHeld(brush: Brush, subject: Subject, x: number, y: number, seconds: number): void {
  const { held, identity } = subject;
  if (held === 'none') return;
  brush.part = 'held';
  const { ctx } = brush;
  const hue = colourNames[identity.detail % 7]!;
  const colour = namedColour(hue, identity.tint);
  const tilt = (identity.tint - 0.5) * 0.4 + 0.06 * Math.sin(seconds * 5 + identity.detail);
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(tilt);
  switch (held) {
    case 'glass':
      brush.polygon(
        [
          [-0.028, -0.085],
          [0.028, -0.085],
          [0.021, 0.02],
          [-0.021, 0.02],
        ],
        brush.colour([214, 232, 240], 0.9, 0.75),
      );
      brush.polygon(
        [
          [-0.026, -0.055],
          [0.026, -0.055],
          [0.02, 0.016],
          [-0.02, 0.016],
        ],
        brush.colour([236, 150, 40], 0.95),
      );
      brush.line(
        [
          [-0.014, -0.075],
          [-0.011, 0.005],
        ],
        'rgba(255,255,255,0.8)',
        0.008,
      );
      brush.ellipse(0, -0.085, 0.028, 0.007, brush.colour([240, 248, 252], 1));
      break;
    case 'ball':
      brush.ball(0.01, -0.045, 0.062, 0.062, colour);
      brush.line(
        [
          [-0.04, -0.075],
          [0.0, -0.05],
          [0.066, -0.06],
        ],
        brush.colour([250, 250, 246], 0.8),
        0.012,
      );
      break;
    case 'book':
      brush.polygon(
        [
          [-0.07, -0.085],
          [0.0, -0.07],
          [0.0, 0.035],
          [-0.07, 0.02],
        ],
        brush.colour(colour, 0.8),
      );
      brush.polygon(
        [
          [0.0, -0.07],
          [0.07, -0.085],
          [0.07, 0.02],
          [0.0, 0.035],
        ],
        brush.colour(colour, 0.5),
      );
      brush.polygon(
        [
          [-0.062, -0.092],
          [0.0, -0.077],
          [0.062, -0.092],
          [0.062, -0.08],
          [0, -0.065],
          [-0.062, -0.08],
        ],
        brush.colour([246, 242, 230], 0.95),
      );
      brush.line(
        [
          [-0.052, -0.045],
          [-0.018, -0.038],
        ],
        brush.colour([250, 240, 200], 0.9),
        0.009,
      );
      break;
    case 'phone':
      brush.polygon(
        [
          [-0.03, -0.1],
          [0.03, -0.1],
          [0.03, 0.012],
          [-0.03, 0.012],
        ],
        brush.colour([30, 30, 36], 0.8),
      );
      brush.polygon(
        [
          [-0.023, -0.09],
          [0.023, -0.09],
          [0.023, -0.005],
          [-0.023, -0.005],
        ],
        brush.flat ? '' : 'rgb(150,215,255)',
      );
      break;
    case 'umbrella': {
      brush.line(
        [
          [0, 0.05],
          [0, -0.36],
        ],
        brush.colour([70, 60, 58], 0.8),
        0.013,
      );
      const ribs: [number, number][] = [];
      for (let i = 0; i <= 16; i++) {
        const a = Math.PI + (Math.PI * i) / 16;
        ribs.push([Math.cos(a) * 0.21, -0.27 + Math.sin(a) * 0.12]);
      }
      for (let i = 4; i >= 0; i--) {
        ribs.push([-0.21 + 0.105 * i, -0.27 + (i % 4 === 0 ? 0 : 0.012)]);
        if (i > 0) ribs.push([-0.21 + 0.105 * (i - 0.5), -0.292]);
      }
      brush.polygon(ribs, brush.acrossShade(0, -0.32, 0.22, colour));
      for (const side of [-0.5, 0.5])
        brush.line(
          [
            [0, -0.39],
            [side * 0.1, -0.345],
            [side * 0.21, -0.275],
          ],
          'rgba(0,0,0,0.22)',
          0.006,
        );
      break;
    }
    case 'flower':
      brush.line(
        [
          [0, 0.03],
          [0.004, -0.09],
        ],
        brush.colour([58, 130, 60], 0.8),
        0.011,
      );
      brush.ellipse(0.022, -0.03, 0.022, 0.009, brush.colour([70, 150, 70], 0.85), -0.5);
      for (let i = 0; i < 6; i++) {
        const a = (i / 6) * Math.PI * 2;
        brush.ellipse(
          0.004 + Math.cos(a) * 0.03,
          -0.115 + Math.sin(a) * 0.03,
          0.021,
          0.015,
          brush.colour(colour, 0.75 + 0.2 * Math.cos(a - 2.3)),
          a,
        );
      }
      brush.ball(0.004, -0.115, 0.018, 0.018, [246, 206, 70]);
      break;
    default:
      held satisfies never;
  }
  ctx.restore();
  brush.part = 'subject';
}
