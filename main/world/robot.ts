import type { Brush } from './brush.ts';
import { type Rgb, scaleColour } from './colour.ts';
import { drawHeld, holdArm } from './held.ts';
import { namedColour } from './palette.ts';
import { closeness } from './people.ts';
import { figurePose } from './pose.ts';
import type { Subject } from './scene.ts';
import { type Joints, solve } from './skeleton.ts';

const metal: Rgb = [176, 182, 192];
const dark: Rgb = [70, 74, 84];

export function robotHeight(subject: Subject): number {
  return 0.76 * (0.92 + 0.16 * subject.identity.size) * closeness(subject);
}

/** Draws a robot whose feet stand at the origin, 1 unit tall: boxes and tubes on the skeleton of people. */
export function drawRobot(brush: Brush, subject: Subject, seconds: number): void {
  const { identity } = subject;
  const pose = figurePose(subject, seconds);
  if (subject.held !== 'none') holdArm(pose, subject);
  const wide = 0.85 + 0.35 * identity.build;
  const joints = solve(pose, {
    leg: 0.38 + 0.08 * identity.limbs,
    trunk: 0.27,
    arm: 0.38 + 0.06 * identity.limbs,
    shoulders: 0.145 * wide,
    hips: 0.07 * wide,
    neck: 0.15,
  });
  const cos = Math.cos(pose.yaw);
  const sin = Math.sin(pose.yaw);
  const paint = namedColour(subject.clothes.shirt, identity.tint);
  const near = (i: 0 | 1) => joints.elbows[i][2] + joints.hands[i][2] > joints.chest[2] + joints.pelvis[2] - 0.02;
  for (const i of [0, 1] as const) if (!near(i)) drawArm(brush, subject, joints, i, paint, seconds);
  for (const i of [0, 1] as const) {
    const [hip, knee, foot] = [joints.hips[i], joints.knees[i], joints.feet[i]];
    brush.limb(hip[0], hip[1], 0.026, knee[0], knee[1], 0.026, dark);
    brush.limb(knee[0], knee[1], 0.034, foot[0], foot[1] - 0.03, 0.042, metal);
    brush.ball(knee[0], knee[1], 0.036, 0.036, paint);
    brush.limb(
      foot[0] - 0.02,
      foot[1] - 0.018,
      0.02,
      foot[0] + 0.03 + sin * 0.03,
      foot[1] - 0.018,
      0.02,
      scaleColour(paint, 0.8),
    );
  }
  drawTrunk(brush, subject, joints, paint, wide, cos, sin);
  drawHead(
    brush,
    subject,
    joints,
    paint,
    pose.yaw + pose.headYaw,
    pose.headPitch,
    pose.headRoll + pose.lean * 0.6,
    seconds,
  );
  for (const i of [0, 1] as const) if (near(i)) drawArm(brush, subject, joints, i, paint, seconds);
}

function drawArm(brush: Brush, subject: Subject, joints: Joints, i: 0 | 1, paint: Rgb, seconds: number): void {
  const [shoulder, elbow, hand] = [joints.shoulders[i], joints.elbows[i], joints.hands[i]];
  brush.holdingArm = i === 1;
  brush.limb(shoulder[0], shoulder[1], 0.024, elbow[0], elbow[1], 0.024, dark);
  brush.limb(elbow[0], elbow[1], 0.032, hand[0], hand[1], 0.036, metal);
  brush.ball(shoulder[0], shoulder[1], 0.046, 0.046, paint);
  brush.ball(elbow[0], elbow[1], 0.03, 0.03, scaleColour(paint, 0.85));
  const angle = Math.atan2(hand[1] - elbow[1], hand[0] - elbow[0]);
  for (const side of [-0.6, 0.6]) {
    brush.limb(
      hand[0],
      hand[1],
      0.016,
      hand[0] + Math.cos(angle + side) * 0.05,
      hand[1] + Math.sin(angle + side) * 0.05,
      0.012,
      dark,
    );
  }
  if (i === 1 && subject.held !== 'none') drawHeld(brush, subject, hand[0], hand[1], seconds);
  brush.holdingArm = false;
}

function box(
  brush: Brush,
  x: number,
  y: number,
  halfWidth: number,
  halfHeight: number,
  round: number,
  surface: Rgb,
): void {
  brush.ctx.beginPath();
  brush.ctx.roundRect(x - halfWidth, y - halfHeight, halfWidth * 2, halfHeight * 2, round);
  brush.fill(brush.acrossShade(x, y, halfWidth * 1.2, surface));
}

function drawTrunk(
  brush: Brush,
  subject: Subject,
  joints: Joints,
  paint: Rgb,
  wide: number,
  cos: number,
  sin: number,
): void {
  const [px, py] = joints.pelvis;
  const [cx, cy] = joints.chest;
  brush.limb(px, py, 0.05, (px + cx) / 2, (py + cy) / 2, 0.045, dark);
  box(brush, px, py - 0.015, 0.085 * wide, 0.045, 0.02, metal);
  const half = Math.hypot(0.135 * wide * cos, 0.09 * sin);
  brush.ctx.save();
  brush.ctx.translate(cx, cy + 0.1);
  brush.ctx.rotate(Math.atan2(cx - px, py - cy));
  box(brush, 0, 0, half, 0.115, 0.035, paint);
  if (cos > 0.1) {
    const panel = sin * half * 0.5;
    box(brush, panel, -0.005, 0.07 * cos, 0.05, 0.012, [206, 212, 220]);
    const lights: readonly Rgb[] = [
      [255, 90, 80],
      [255, 210, 80],
      [100, 230, 130],
    ];
    for (const [k, light] of lights.entries()) {
      brush.ellipse(panel + (k - 1) * 0.038 * cos, -0.02, 0.011, 0.011, brush.flat ? '' : `rgb(${light.join(',')})`);
    }
    brush.line(
      [
        [panel - 0.045 * cos, 0.02],
        [panel + 0.045 * cos, 0.02],
      ],
      brush.colour(dark, 0.6),
      0.012,
    );
  }
  brush.ctx.restore();
  if (subject.identity.beard > 0.5) box(brush, cx, cy + 0.11, half * 1.01, 0.014, 0.004, [240, 236, 226]);
}

function drawHead(
  brush: Brush,
  subject: Subject,
  joints: Joints,
  paint: Rgb,
  yaw: number,
  pitch: number,
  roll: number,
  seconds: number,
): void {
  const { identity } = subject;
  const [x, y] = joints.head;
  const r = 0.085 * (0.9 + 0.25 * identity.head) * (0.6 + 0.4 * brush.look.head);
  const cos = Math.cos(yaw);
  const sin = Math.sin(yaw);
  brush.limb(joints.chest[0], joints.chest[1], 0.025, x, y, 0.025, dark);
  brush.ctx.save();
  brush.ctx.translate(x, y);
  brush.ctx.rotate(roll);
  const nod = pitch * r * 0.9;
  brush.line(
    [
      [0, -r],
      [0.01, -r * 1.75],
    ],
    brush.colour(dark, 0.7),
    0.011,
  );
  brush.ball(0.01, -r * 1.8, 0.022, 0.022, identity.eyes > 0.5 ? [255, 80, 70] : [90, 220, 255]);
  for (const side of [-1, 1]) brush.ball(side * r * 1.12 * Math.max(0.3, Math.abs(cos)), 0, r * 0.2, r * 0.3, paint);
  // From cube-headed to round-headed
  box(brush, 0, 0, r * 1.08, r * 0.9, r * (0.15 + 0.7 * identity.mouth), metal);
  if (cos > -0.1) {
    const fx = sin * r * 0.55;
    box(brush, fx, -r * 0.08 + nod, r * 0.82 * Math.max(0.35, cos), r * 0.42, r * 0.18, [28, 32, 44]);
    const blink = (seconds * 0.6 + identity.brows * 3) % 1 < 0.07 ? 0.2 : 1;
    for (const side of [-1, 1]) {
      const eye = r * (0.16 + 0.08 * identity.eyes) * (0.7 + 0.3 * brush.look.eyes);
      const at = fx + side * r * (0.3 + 0.14 * identity.nose) * Math.max(0.3, cos);
      const shine = identity.tint < 0.5 ? 'rgb(110,235,255)' : 'rgb(255,214,90)';
      brush.ellipse(at, -r * 0.08 + nod, eye * Math.max(0.5, cos), eye * blink, brush.flat ? '' : shine);
    }
    brush.line(
      [
        [fx - r * 0.3 * cos, r * 0.58 + nod * 0.6],
        [fx + r * 0.3 * cos, r * 0.58 + nod * 0.6],
      ],
      brush.colour(dark, 0.5),
      r * 0.14,
    );
  }
  brush.ctx.restore();
}
