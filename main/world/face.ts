import type { Brush } from './brush.ts';
import { mixColour, type Rgb, scaleColour } from './colour.ts';
import { hairColour, namedColour, skinColour } from './palette.ts';
import type { Subject } from './scene.ts';

/** Where the head is and where it looks; `radius` is half its width, all in heights of the figure. */
export interface Head {
  x: number;
  y: number;
  radius: number;
  yaw: number;
  pitch: number;
  roll: number;
}

const styles = ['short', 'long', 'bun', 'curly', 'spiky', 'bob'] as const;

function hairStyle(subject: Subject): (typeof styles)[number] | 'bald' {
  const { kind, identity } = subject;
  if (kind === 'man' && identity.hairStyle === 5) return 'bald';
  if (kind === 'man' || kind === 'boy')
    return (['short', 'short', 'spiky', 'curly', 'bob', 'short'] as const)[identity.hairStyle]!;
  return (['long', 'long', 'bun', 'curly', 'bob', 'long'] as const)[identity.hairStyle]!;
}

/** Hair that hangs behind the head (or in front of the back, when turned away). */
export function drawBackHair(brush: Brush, subject: Subject, head: Head): void {
  const style = hairStyle(subject);
  if (style !== 'long' && style !== 'bob' && style !== 'curly') return;
  const hair = scaleColour(hairColour(subject.identity.hair), 0.8);
  const r = head.radius;
  brush.part = 'subject';
  brush.ctx.save();
  brush.ctx.translate(head.x, head.y);
  brush.ctx.rotate(head.roll);
  const away = -Math.sin(head.yaw) * r * 0.3;
  if (style === 'curly') brush.ball(away, -r * 0.1, r * 1.38, r * 1.36, hair);
  else {
    const low = style === 'long' ? 1.7 + subject.identity.beard * 0.7 : 1.05;
    brush.smooth(
      [
        [away - r * 0.9, -r * 0.9],
        [away + r * 0.9, -r * 0.9],
        [away + r * 1.3, r * 0.2],
        [away + r * 1.1, r * low],
        [away - r * 1.1, r * low],
        [away - r * 1.3, r * 0.2],
      ],
      brush.acrossShade(away, 0, r * 1.3, hair),
    );
  }
  brush.ctx.restore();
}

/** The head with its face, hair, glasses and hat. */
export function drawHead(brush: Brush, subject: Subject, head: Head, seconds: number): void {
  const { identity } = subject;
  const r = head.radius;
  const skin = skinColour(identity.skin);
  const hair = hairColour(identity.hair);
  const style = hairStyle(subject);
  const cos = Math.cos(head.yaw);
  const sin = Math.sin(head.yaw);
  const { ctx } = brush;
  ctx.save();
  ctx.translate(head.x, head.y);
  ctx.rotate(head.roll);
  const nod = head.pitch * r * 0.9;
  const long = 1.13 + 0.14 * identity.limbs;
  const wide = 0.94 + 0.12 * identity.build;
  // The skull in hair colour, the face as a skin-coloured mask that slides with the yaw.
  if (style === 'bun') brush.ball(-sin * r * 0.5, -r * 1.25 + nod * 0.3, r * 0.5, r * 0.46, hair);
  if (style === 'spiky') {
    for (let i = -3; i <= 3; i++) {
      const a = -Math.PI / 2 + i * 0.36 - sin * 0.2;
      brush.polygon(
        [
          [Math.cos(a - 0.22) * r, Math.sin(a - 0.22) * r * 1.1],
          [Math.cos(a) * r * 1.42, Math.sin(a) * r * 1.5],
          [Math.cos(a + 0.22) * r, Math.sin(a + 0.22) * r * 1.1],
        ],
        brush.colour(hair, 0.75),
      );
    }
  }
  brush.ball(0, -r * 0.04, r * wide * (1.04 + 0.08 * Math.abs(sin)), r * 1.14, style === 'bald' ? skin : hair);
  const show = cos > -0.35;
  if (show) {
    const faceWide = r * wide * (0.62 + 0.3 * Math.max(0, cos));
    const fx = sin * r * 0.42;
    const bald = style === 'bald';
    const fringe = bald ? 0.02 : 0.25 + 0.12 * identity.brows;
    const fy = r * fringe + nod * 0.35;
    for (const side of [-1, 1]) {
      const earX = r * wide * (side * cos * 0.98 - sin * 0.25);
      if (Math.sin(head.yaw) * side < 0.35)
        brush.ball(earX, r * 0.15 + nod * 0.2, r * 0.17, r * 0.23, scaleColour(skin, 0.9));
    }
    brush.ellipse(fx, fy, faceWide, r * (bald ? long : long - fringe * 0.75), brush.ballShade(fx, fy, r * 1.25, skin));
    if (!brush.flat) drawFeatures(brush, subject, head, seconds, skin, hair, nod, wide);
  }
  if (subject.clothes.hat !== 'none') drawHat(brush, subject, r, sin, cos, nod);
  ctx.restore();
  brush.part = 'subject';
}

function drawFeatures(
  brush: Brush,
  subject: Subject,
  head: Head,
  seconds: number,
  skin: Rgb,
  hair: Rgb,
  nod: number,
  wide: number,
): void {
  const { identity, clothes, kind } = subject;
  const r = head.radius;
  /** A point on the face by its angle around the head and its height; null on the far side. */
  const at = (angle: number, height: number): [number, number, number] | null => {
    const towards = Math.cos(head.yaw + angle);
    if (towards < 0.12) return null;
    return [Math.sin(head.yaw + angle) * r * wide * 0.93, height * r + nod, Math.min(1, 0.25 + towards * 0.85)];
  };
  const spacing = 0.36 + 0.16 * identity.eyes;
  const eye = r * (0.15 + 0.055 * identity.eyes) * brush.look.eyes;
  const blink = (seconds * 0.55 + identity.brows * 3) % 1 < 0.06 ? 0.15 : 1;
  const eyeHeight = 0.06 + 0.06 * identity.nose;
  const ink = mixColour(hair, [20, 14, 16], 0.5);
  for (const side of [-1, 1]) {
    const cheek = at(side * 0.62, 0.48);
    if (cheek)
      brush.ellipse(
        cheek[0],
        cheek[1],
        r * 0.2 * cheek[2],
        r * 0.15,
        brush.colour(mixColour(skin, [232, 92, 90], 0.4), 0.75, 0.45),
      );
    const place = at(side * spacing, eyeHeight);
    if (!place) continue;
    const [x, y, squeeze] = place;
    brush.ellipse(x, y + r * 0.02, eye * 1.25 * squeeze, eye * 0.95, brush.colour(scaleColour(skin, 0.72), 0.6, 0.6));
    brush.ellipse(x, y, eye * 1.1 * squeeze, eye * 0.85 * blink, brush.colour([246, 246, 246], 0.95));
    const iris: Rgb = identity.tint < 0.33 ? [84, 56, 36] : identity.tint < 0.66 ? [64, 104, 150] : [70, 110, 66];
    const glance = Math.sin(head.yaw) * eye * 0.3;
    brush.ellipse(x + glance, y, eye * 0.66 * squeeze, eye * 0.8 * blink, brush.colour(scaleColour(iris, 0.7), 0.9));
    brush.ellipse(x + glance, y, eye * 0.36 * squeeze, eye * 0.45 * blink, 'rgb(12,10,14)');
    brush.ellipse(x + glance - eye * 0.2, y - eye * 0.28, eye * 0.2, eye * 0.2, 'rgba(255,255,255,0.9)');
    const brow = (identity.brows - 0.5) * 0.22;
    const browY = y - eye * 1.15 - r * 0.09;
    brush.line(
      [
        [x - eye * 1.25 * squeeze, browY + side * brow * r * 0.5],
        [x + eye * 1.25 * squeeze, browY - side * brow * r * 0.5],
      ],
      brush.colour(ink, 0.6),
      r * (kind === 'man' ? 0.13 : 0.09),
    );
    if (clothes.glasses) {
      brush.ctx.beginPath();
      brush.ctx.ellipse(x, y, r * 0.33 * Math.max(0.45, squeeze), r * 0.3, 0, 0, 7);
      brush.ctx.fillStyle = 'rgba(210,230,255,0.18)';
      brush.ctx.fill();
      brush.stroke(brush.colour([26, 24, 30], 0.9), r * 0.09);
    }
  }
  const bridge = at(0, eyeHeight);
  if (clothes.glasses && bridge) {
    brush.line(
      [
        [bridge[0] - r * 0.14, bridge[1]],
        [bridge[0] + r * 0.14, bridge[1]],
      ],
      brush.colour([26, 24, 30], 0.9),
      r * 0.08,
    );
  }
  const nose = at(0, 0.34 + 0.1 * identity.nose);
  if (nose) {
    const tip = Math.sin(head.yaw) * r * 0.2;
    brush.ellipse(
      nose[0] + tip + r * 0.05,
      nose[1] + r * 0.03,
      r * 0.13,
      r * 0.09,
      brush.colour(scaleColour(skin, 0.66), 0.5, 0.8),
    );
    brush.ball(
      nose[0] + tip,
      nose[1],
      r * (0.1 + 0.04 * identity.nose),
      r * 0.1,
      mixColour(skin, [255, 190, 170], 0.25),
    );
  }
  const mouth = at(0, 0.68 + 0.05 * identity.limbs);
  if (mouth) {
    const half = r * (0.2 + 0.16 * identity.mouth) * mouth[2];
    const smile = r * (0.04 + 0.13 * identity.mouth);
    if (kind === 'man' && identity.beard > 0.6) {
      brush.ellipse(mouth[0], mouth[1] + r * 0.14, half * 1.75, r * 0.34, brush.colour(hair, 0.5, 0.85));
    }
    brush.ctx.beginPath();
    brush.ctx.moveTo(mouth[0] - half, mouth[1] - smile * 0.5);
    brush.ctx.quadraticCurveTo(mouth[0], mouth[1] + smile * 1.6, mouth[0] + half, mouth[1] - smile * 0.5);
    brush.ctx.quadraticCurveTo(mouth[0], mouth[1] + smile * 0.1, mouth[0] - half, mouth[1] - smile * 0.5);
    brush.fill(brush.colour([150, 40, 48], 0.75));
    brush.stroke(
      brush.colour(kind === 'woman' || kind === 'girl' ? [186, 62, 72] : mixColour(skin, [120, 40, 40], 0.65), 0.7),
      r * 0.07,
    );
  }
}

function drawHat(brush: Brush, subject: Subject, r: number, sin: number, cos: number, nod: number): void {
  const { clothes, identity } = subject;
  const colour = namedColour(clothes.hatColour, 1 - identity.tint);
  const band = scaleColour(colour, 0.55);
  const y = -r * 0.5 + nod * 0.3;
  brush.part = 'hat';
  const dome = (height: number, wide: number) => {
    brush.ctx.beginPath();
    brush.ctx.ellipse(0, y, r * wide, r * height, 0, Math.PI, Math.PI * 2);
    brush.ctx.quadraticCurveTo(0, y + r * 0.3, -r * wide, y);
    brush.fill(brush.ballShade(0, y - r * 0.3, r * 1.2, colour));
  };
  switch (clothes.hat) {
    case 'cap':
      dome(0.95, 1.16);
      if (cos > -0.3)
        brush.ellipse(
          sin * r * 1.05,
          y + r * 0.12,
          r * (0.75 + 0.35 * Math.abs(sin)),
          r * 0.2,
          brush.colour(band, 0.8),
        );
      break;
    case 'hat':
      brush.ellipse(0, y + r * 0.05, r * 1.85, r * 0.36, brush.acrossShade(0, y, r * 1.8, colour));
      dome(1.2, 1.08);
      brush.ellipse(0, y - r * 0.06, r * 1.1, r * 0.24, brush.colour(band, 0.7));
      brush.ellipse(0, y - r * 0.2, r * 1.1, r * 0.2, brush.ballShade(0, y - r * 0.3, r * 1.2, colour));
      break;
    case 'beanie':
      dome(1.05, 1.18);
      brush.line(
        [
          [-r * 1.05, y + r * 0.02],
          [0, y + r * 0.16],
          [r * 1.05, y + r * 0.02],
        ],
        brush.colour(band, 0.8),
        r * 0.32,
      );
      brush.ball(0, y - r * 1.1, r * 0.28, r * 0.28, band);
      break;
    default:
  }
}
