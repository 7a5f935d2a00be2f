import type { Brush } from './brush.ts';
import { mixColour, type Rgb, scaleColour } from './colour.ts';
import { directionOf, mirrored } from './facing.ts';
import { coatColour } from './palette.ts';
import { cyclePhase, smoothstep } from './pose.ts';
import type { Subject } from './scene.ts';

interface Gait {
  legs: { swing: number; bend: number }[];
  lift: number;
  pitch: number;
  headDrop: number;
  tilt: number;
  width: number;
  sit: number;
  squash: number;
}

function gaitOf(subject: Subject, seconds: number): Gait {
  const { motion } = subject;
  const phase = cyclePhase(motion, seconds);
  const size = motion.amplitude;
  const gait: Gait = {
    legs: [0, 1, 2, 3].map(() => ({ swing: 0, bend: 0.1 })),
    lift: 0,
    pitch: 0,
    headDrop: 0.03 * Math.sin(phase),
    tilt: 0,
    width: 1,
    sit: 0,
    squash: 0,
  };
  switch (motion.kind) {
    case 'walk':
      gait.legs = [0, 1, 0.5, 1.5].map((shift) => {
        const own = phase + shift * Math.PI;
        return { swing: 0.42 * size * Math.sin(own), bend: 0.1 + 0.6 * size * Math.max(0, Math.cos(own)) };
      });
      gait.lift = 0.015 * Math.abs(Math.sin(phase));
      gait.headDrop = 0.04 * size * Math.sin(phase * 2);
      break;
    case 'run':
      gait.legs = [0.2, 0, 1.1, 0.9].map((shift) => {
        const own = phase + shift * Math.PI;
        return { swing: 0.85 * size * Math.sin(own), bend: 0.15 + 1.1 * Math.max(0, Math.cos(own)) };
      });
      gait.lift = 0.09 * size * Math.max(0, Math.sin(phase + 0.8));
      gait.pitch = 0.14 * size * Math.sin(phase - 0.4);
      break;
    case 'jump': {
      const u = (((phase / (2 * Math.PI)) % 1) + 1) % 1;
      const air = u > 0.3 && u < 0.8 ? (u - 0.3) / 0.5 : 0;
      const height = 4 * air * (1 - air);
      gait.lift = 0.5 * size * height;
      gait.pitch = air > 0 ? -0.5 * (0.5 - air) : 0;
      gait.squash = Math.max(0, 1 - Math.abs(u - 0.2) / 0.12) * 0.6;
      gait.legs = [1, 1, -1, -1].map((way) => ({ swing: way * 0.6 * height, bend: 0.1 + 0.5 * height }));
      break;
    }
    case 'nod':
      gait.headDrop = 0.13 * size * (0.6 + Math.sin(phase));
      break;
    case 'turn': {
      const turned = Math.cos(phase);
      gait.width = Math.sign(turned || 1) * Math.max(0.32, Math.abs(turned));
      break;
    }
    case 'sit':
      gait.sit = smoothstep(0.1, 0.8, seconds * motion.tempo);
      gait.pitch = -0.62 * gait.sit;
      gait.headDrop = -0.03 * Math.sin(phase);
      break;
    case 'bounce':
      gait.lift = 0.13 * size * Math.abs(Math.sin(phase / 2));
      gait.squash = 0.3 * Math.max(0, Math.cos(phase));
      break;
    case 'sway':
      gait.tilt = 0.16 * size * Math.sin(phase);
      gait.headDrop = 0.07 * size * Math.sin(phase - 0.7);
      break;
    default:
      throw new Error(`a pet cannot ${motion.kind}`);
  }
  return gait;
}

export function petHeight(subject: Subject): number {
  return (subject.kind === 'dog' ? 0.52 : 0.44) * (0.9 + 0.25 * subject.identity.size) * (1 - 0.1 * subject.distance);
}

/** A dog or a cat whose paws are at the origin; the head is about 1 unit above the ground. */
export function drawPet(parent: Brush, subject: Subject, seconds: number): void {
  const { identity, kind, motion } = subject;
  const dog = kind === 'dog';
  const gait = gaitOf(subject, seconds);
  const { ctx } = parent;
  ctx.save();
  ctx.rotate(gait.tilt);
  const brush = mirrored(parent, directionOf(subject) * gait.width);
  const coat = coatColour(subject.coat, identity.tint);
  const belly = mixColour(coat, [244, 234, 218], 0.35 + 0.3 * identity.beard);
  const length = 0.34 + 0.1 * identity.build;
  const tall = (0.42 + 0.12 * identity.limbs) * (1 - 0.35 * gait.squash);
  const girth = (0.135 + 0.05 * identity.build) * (dog ? 1 : 0.94);
  const leg = dog ? 0.05 : 0.042;
  const y = -tall - gait.lift;
  const pitch = gait.pitch;
  const rear: [number, number] = [-length * Math.cos(pitch), y - length * Math.sin(pitch) + 0.18 * gait.sit];
  const chest: [number, number] = [length * Math.cos(pitch), y + length * Math.sin(pitch) * (1 - 0.5 * gait.sit)];
  drawTail(brush, subject, rear, coat, seconds);
  const roots = [chest, chest, rear, rear];
  for (const i of [1, 3, 0, 2]) {
    const { swing, bend } = gait.legs[i]!;
    const far = i === 1 || i === 3;
    const root = roots[i]!;
    const hind = i > 1;
    const folded = hind ? gait.sit : 0;
    const x = root[0] + (hind ? 0.03 : -0.03) + (far ? 0.06 : 0);
    const span = Math.max(0.12, -gait.lift - root[1]) / 2;
    const knee: [number, number] = [x + Math.sin(swing) * span + 0.12 * folded, root[1] + Math.cos(swing) * span];
    const lower = swing - bend * (hind ? 0.8 : 1);
    const paw: [number, number] =
      folded > 0.3
        ? [x + 0.2 * folded, -0.02]
        : [knee[0] + Math.sin(lower) * span, knee[1] + Math.cos(lower) * span - 0.02];
    const surface = scaleColour(identity.hair > 0.5 ? coat : mixColour(coat, belly, 0.5), far ? 0.72 : 1);
    brush.limb(root[0] + (far ? 0.05 : 0), root[1], hind ? leg * 1.9 : leg * 1.4, knee[0], knee[1], leg, surface);
    brush.limb(knee[0], knee[1], leg, paw[0], paw[1], leg * 0.75, surface);
    brush.ball(paw[0] + 0.02, paw[1], leg * 1.15, leg * 0.75, mixColour(surface, belly, 0.5));
  }
  brush.limb(rear[0], rear[1], girth * 0.95, chest[0], chest[1], girth * 1.08, coat);
  drawCoat(brush, subject, rear, chest, girth, coat, belly);
  drawPetHead(brush, subject, chest, girth, gait.headDrop, coat, belly, dog, seconds, motion.kind === 'run' ? 0.08 : 0);
  ctx.restore();
}

function drawTail(brush: Brush, subject: Subject, rear: readonly [number, number], coat: Rgb, seconds: number): void {
  const { identity, motion, kind } = subject;
  const wag = Math.sin(seconds * 2 * Math.PI * (0.8 + motion.tempo) + motion.phase * 6);
  const [x, y] = rear;
  const long = kind === 'dog' ? 0.26 + 0.14 * identity.nose : 0.42 + 0.12 * identity.nose;
  const swing = (kind === 'dog' ? 0.35 : 0.22) * wag * motion.amplitude;
  let [px, py] = [x - 0.05, y - 0.03];
  let angle = -2.5 + 0.5 * identity.mouth;
  const parts = 6;
  for (let i = 0; i < parts; i++) {
    angle += swing / parts + (kind === 'cat' ? 0.32 * Math.sin(i * 0.9 + wag * 0.6) : 0.16);
    const nx = px + (Math.cos(angle) * long) / parts;
    const ny = py + (Math.sin(angle) * long) / parts;
    const r = kind === 'dog' ? 0.045 - 0.004 * i : 0.034;
    brush.limb(px, py, r, nx, ny, r * 0.95, coat);
    [px, py] = [nx, ny];
  }
}

/** Patches, stripes or a plain coat, and a lighter belly: what tells one animal from another. */
function drawCoat(
  brush: Brush,
  subject: Subject,
  rear: readonly [number, number],
  chest: readonly [number, number],
  girth: number,
  coat: Rgb,
  belly: Rgb,
): void {
  if (brush.flat) return;
  const { ctx } = brush;
  const { identity } = subject;
  const along = (t: number): [number, number] => [
    rear[0] + (chest[0] - rear[0]) * t,
    rear[1] + (chest[1] - rear[1]) * t,
  ];
  const mark = scaleColour(coat, coat[0] + coat[1] + coat[2] > 330 ? 0.5 : 1.9);
  ctx.save();
  ctx.globalCompositeOperation = 'source-atop';
  const [mx, my] = along(0.5);
  brush.ellipse(mx, my + girth * 0.95, 0.34, girth * 0.42, brush.colour(belly, 0.45, 0.55));
  if (identity.hairStyle % 3 === 1) {
    for (let i = 0; i < 4; i++) {
      const [x, y] = along(0.08 + i * 0.28 + 0.1 * identity.brows);
      brush.ellipse(
        x,
        y - girth * (0.5 - 0.3 * (i & 1)),
        0.085,
        0.06 + 0.04 * identity.skin,
        brush.colour(mark, 0.6, 0.75),
        i,
      );
    }
  } else if (identity.hairStyle % 3 === 2) {
    for (let i = 0; i < 7; i++) {
      const [x, y] = along(i / 6.5);
      brush.line(
        [
          [x, y - girth],
          [x - 0.02, y - girth * 0.1],
        ],
        brush.colour(mark, 0.6, 0.7),
        0.026,
      );
    }
  }
  ctx.restore();
}

function drawPetHead(
  brush: Brush,
  subject: Subject,
  chest: readonly [number, number],
  girth: number,
  drop: number,
  coat: Rgb,
  belly: Rgb,
  dog: boolean,
  seconds: number,
  low: number,
): void {
  const { identity } = subject;
  const big = 0.13 * (0.9 + 0.25 * identity.head) * (0.7 + 0.3 * brush.look.head) * (dog ? 1 : 1.04);
  const x = chest[0] + 0.16 + low;
  const y = chest[1] - 0.27 + drop + low;
  brush.limb(chest[0] + 0.02, chest[1] - 0.02, girth * 0.85, x - 0.02, y + 0.02, girth * 0.62, coat);
  const dark = scaleColour(coat, 0.62);
  if (!dog) {
    for (const [shift, tone] of [
      [0.55, dark],
      [-0.45, coat],
    ] as const) {
      brush.polygon(
        [
          [x + big * (shift - 0.4), y - big * 0.6],
          [x + big * shift, y - big * 1.65],
          [x + big * (shift + 0.42), y - big * 0.6],
        ],
        brush.colour(tone, 0.75),
      );
      brush.polygon(
        [
          [x + big * (shift - 0.18), y - big * 0.7],
          [x + big * shift, y - big * 1.3],
          [x + big * (shift + 0.2), y - big * 0.7],
        ],
        brush.colour([226, 150, 140], 0.6),
      );
    }
  }
  brush.ball(x, y, big, big * 0.92, coat);
  const muzzle = dog ? big * (0.75 + 0.55 * identity.nose) : big * 0.42;
  brush.limb(
    x + big * 0.45,
    y + big * 0.28,
    big * 0.46,
    x + big * 0.5 + muzzle * 0.75,
    y + big * 0.38,
    big * 0.33,
    mixColour(coat, belly, 0.6),
  );
  const tip = x + big * 0.55 + muzzle;
  brush.ellipse(tip, y + big * 0.24, big * 0.17, big * 0.14, brush.colour(dog ? [30, 26, 28] : [206, 110, 110], 0.7));
  brush.line(
    [
      [tip - big * 0.1, y + big * 0.5],
      [tip - big * 0.5, y + big * 0.62],
    ],
    brush.colour([60, 30, 30], 0.5),
    big * 0.1,
  );
  if (dog) {
    const flap = 0.12 * Math.sin(seconds * 6 + identity.detail);
    if (identity.eyes > 0.4)
      brush.limb(x - big * 0.25, y - big * 0.55, big * 0.3, x - big * (0.55 + flap), y + big * 0.5, big * 0.26, dark);
    else
      brush.polygon(
        [
          [x - big * 0.6, y - big * 0.5],
          [x - big * 0.35, y - big * 1.5],
          [x + big * 0.1, y - big * 0.7],
        ],
        brush.colour(dark, 0.7),
      );
    if (identity.mouth > 0.5)
      brush.limb(
        tip - big * 0.3,
        y + big * 0.6,
        big * 0.1,
        tip - big * 0.25,
        y + big * 0.85,
        big * 0.12,
        [236, 110, 120],
      );
  } else {
    for (const rise of [-0.1, 0.08])
      brush.line(
        [
          [tip - big * 0.2, y + big * 0.4],
          [tip + big * 0.7, y + big * (0.4 + rise * 3)],
        ],
        'rgba(250,250,250,0.6)',
        0.006,
      );
  }
  const eye = big * (dog ? 0.15 : 0.2) * (0.6 + 0.4 * brush.look.eyes);
  const ex = x + big * 0.4;
  const ey = y - big * 0.2;
  brush.ellipse(
    ex,
    ey,
    eye,
    eye * 1.1,
    brush.colour(dog ? [66, 40, 24] : identity.tint > 0.5 ? [150, 190, 70] : [232, 190, 70], 0.9),
  );
  brush.ellipse(ex + eye * 0.15, ey, eye * (dog ? 0.6 : 0.3), eye * 0.8, 'rgb(12,10,14)');
  brush.ellipse(ex + eye * 0.3, ey - eye * 0.4, eye * 0.28, eye * 0.28, 'rgba(255,255,255,0.95)');
}
