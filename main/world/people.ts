import type { Brush } from './brush.ts';
import { type Rgb, scaleColour } from './colour.ts';
import { drawBackHair, drawHead, type Head } from './face.ts';
import { drawHeld, holdArm } from './held.ts';
import { namedColour, skinColour } from './palette.ts';
import { figurePose, type Pose } from './pose.ts';
import type { Subject } from './scene.ts';
import { type Joints, type Proportions, solve } from './skeleton.ts';

export interface Body extends Proportions {
  head: number;
  limb: number;
  girth: number;
}

/** The proportions of one individual, in heights of an average figure. */
function bodyOf(subject: Subject, headScale: number): Body {
  const { kind, identity } = subject;
  const child = kind === 'boy' || kind === 'girl';
  const slight = kind === 'woman' ? 0.9 : child ? 0.92 : 1;
  const build = slight * (0.82 + 0.36 * identity.build);
  const limbs = 0.93 + 0.14 * identity.limbs;
  return {
    leg: (child ? 0.42 : 0.48) * limbs,
    trunk: child ? 0.27 : 0.285,
    arm: (child ? 0.37 : 0.42) * limbs,
    shoulders: (child ? 0.1 : 0.115) * build * (kind === 'man' ? 1.08 : 1),
    hips: 0.052 * build,
    neck: (child ? 0.125 : 0.115) * (0.85 + 0.15 * headScale),
    head: (child ? 0.1 : 0.077) * (0.92 + 0.16 * identity.head) * headScale,
    limb: 0.033 * (0.8 + 0.4 * identity.build),
    girth: 0.088 * build * (kind === 'woman' ? 0.92 : 1),
  };
}

/** How much larger than usual a close figure appears: 1.75 times to 0.87 times. */
export function closeness(subject: Subject): number {
  return 0.87 + 0.88 * (1 - subject.distance) ** 2;
}

/** Height of a person of average size, as a share of the frame's height, when close to the camera. */
export function personHeight(subject: Subject): number {
  const child = subject.kind === 'boy' || subject.kind === 'girl';
  return (child ? 0.7 : 0.82) * (0.93 + 0.14 * subject.identity.size) * closeness(subject);
}

/** Draws a person whose feet stand at the origin, 1 unit tall. */
export function drawPerson(brush: Brush, subject: Subject, seconds: number): void {
  const pose = figurePose(subject, seconds);
  if (subject.held !== 'none') holdArm(pose, subject);
  const body = bodyOf(subject, brush.look.head);
  const joints = solve(pose, body);
  const head: Head = {
    x: joints.head[0],
    y: joints.head[1],
    radius: body.head,
    yaw: pose.yaw + pose.headYaw + pose.shoulderTwist * 0.3,
    pitch: pose.headPitch,
    roll: pose.headRoll + pose.lean * 0.6 * Math.cos(pose.yaw),
  };
  const turnedAway = Math.cos(head.yaw) < 0;
  if (pose.seated > 0.02) drawSeat(brush, joints, body, pose);
  if (!turnedAway) drawBackHair(brush, subject, head);
  const armOrder = joints.elbows[0][2] < joints.elbows[1][2] ? ([0, 1] as const) : ([1, 0] as const);
  const legOrder = joints.knees[0][2] < joints.knees[1][2] ? ([0, 1] as const) : ([1, 0] as const);
  const front = (i: 0 | 1) => joints.elbows[i][2] + joints.hands[i][2] > joints.chest[2] + joints.pelvis[2] - 0.02;
  for (const i of armOrder) if (!front(i)) drawArm(brush, subject, joints, body, i, seconds);
  for (const i of legOrder) drawLeg(brush, subject, joints, body, i, i === legOrder[0] ? 0.82 : 1, pose);
  drawTrunk(brush, subject, joints, body, pose);
  brush.part = 'subject';
  drawHead(brush, subject, head, seconds);
  if (turnedAway) drawBackHair(brush, subject, head);
  for (const i of armOrder) if (front(i)) drawArm(brush, subject, joints, body, i, seconds);
  brush.part = 'subject';
}

function drawSeat(brush: Brush, joints: Joints, body: Body, pose: Pose): void {
  const [x, y] = joints.pelvis;
  const wood: Rgb = [132, 92, 58];
  const top = y + body.limb * 1.1;
  if (top > -0.06) return;
  const back = -Math.sin(pose.yaw) * 0.05;
  brush.part = 'subject';
  brush.polygon(
    [
      [x - 0.11 + back, top],
      [x + 0.11 + back, top],
      [x + 0.115 + back, 0],
      [x - 0.115 + back, 0],
    ],
    brush.acrossShade(x, top / 2, 0.13, wood),
  );
  brush.ellipse(x + back, top, 0.11, 0.022, brush.colour([168, 124, 82], 0.9));
}

function drawLeg(brush: Brush, subject: Subject, joints: Joints, body: Body, i: 0 | 1, dim: number, pose: Pose): void {
  const { clothes, identity } = subject;
  const cloth = scaleColour(namedColour(clothes.trousers, identity.tint), dim);
  const skin = scaleColour(skinColour(identity.skin), dim);
  const [hip, knee, foot] = [joints.hips[i], joints.knees[i], joints.feet[i]];
  const r = body.limb;
  const ankleY = foot[1] - 0.018;
  brush.part = 'subject';
  // The shoe points the way the body faces, at a right angle to the shin.
  const shin = Math.hypot(foot[0] - knee[0], foot[1] - knee[1]) || 1;
  const toe = (Math.sin(pose.yaw) * 0.055 * (foot[1] - knee[1])) / shin;
  const drop = (-Math.sin(pose.yaw) * 0.055 * (foot[0] - knee[0])) / shin;
  const shoe = scaleColour(identity.nose > 0.5 ? [62, 48, 44] : [196, 196, 202], dim);
  brush.limb(foot[0] - toe * 0.2, foot[1] - 0.016, 0.019, foot[0] + toe, foot[1] + drop - 0.012, 0.016, shoe);
  if (clothes.cut === 'trousers') {
    brush.part = 'trousers';
    brush.limb(knee[0], knee[1], r * 1.05, foot[0], ankleY, r * 0.78, cloth);
    brush.limb(hip[0], hip[1], r * 1.45, knee[0], knee[1], r * 1.08, cloth);
    return;
  }
  brush.limb(knee[0], knee[1], r * 0.85, foot[0], ankleY, r * 0.5, skin);
  brush.limb(hip[0], hip[1], r * 1.2, knee[0], knee[1], r * 0.88, skin);
  if (clothes.cut === 'shorts') {
    brush.part = 'trousers';
    const mx = hip[0] + (knee[0] - hip[0]) * 0.72;
    const my = hip[1] + (knee[1] - hip[1]) * 0.72;
    brush.limb(hip[0], hip[1], r * 1.5, mx, my, r * 1.3, cloth);
  }
}

function drawTrunk(brush: Brush, subject: Subject, joints: Joints, body: Body, pose: Pose): void {
  const { clothes, identity } = subject;
  const [px, py] = joints.pelvis;
  const [cx, cy] = joints.chest;
  const cos = Math.cos(pose.yaw + pose.shoulderTwist * 0.7);
  const sin = Math.sin(pose.yaw + pose.shoulderTwist * 0.7);
  const wide = (front: number, side: number) => Math.hypot(front * cos, side * sin);
  const top = wide(body.shoulders * 1.06, body.girth * 0.72);
  const waist = wide(body.girth * 0.86, body.girth * 0.7);
  const hem = wide(body.hips + body.limb * 1.35, body.girth * 0.78);
  const mx = (px + cx) / 2;
  const my = (py + cy) / 2;
  if (clothes.cut === 'skirt') drawSkirt(brush, subject, joints, body, hem);
  // Neck
  brush.part = 'subject';
  const skin = skinColour(identity.skin);
  brush.limb(
    cx,
    cy + 0.02,
    body.limb * 0.85,
    joints.head[0],
    joints.head[1] + body.head * 0.5,
    body.limb * 0.8,
    scaleColour(skin, 0.86),
  );
  brush.part = 'shirt';
  const shirt = namedColour(clothes.shirt, identity.tint);
  const outline: [number, number][] = [
    [cx - top * 0.5, cy - 0.004],
    [cx + top * 0.5, cy - 0.004],
    [cx + top * 1.18, cy + body.neck * 0.16],
    [cx + top * 1.06, cy + body.neck * 0.95],
    [mx + waist, my + 0.01],
    [px + hem * 1.06, py + 0.015],
    [px + hem * 0.9, py + 0.045],
    [px, py + 0.05],
    [px - hem * 0.9, py + 0.045],
    [px - hem * 1.06, py + 0.015],
    [mx - waist, my + 0.01],
    [cx - top * 1.06, cy + body.neck * 0.95],
    [cx - top * 1.18, cy + body.neck * 0.16],
  ];
  brush.traceSmooth(outline);
  brush.fill(brush.acrossShade(mx, my, Math.max(top, waist) * 1.15, shirt));
  if (brush.flat) return;
  brush.ctx.save();
  brush.ctx.clip();
  drawPattern(brush, subject, shirt, mx, my, top * 1.2, body.trunk, cos, sin);
  // Folds at the waist and the shadow of the head.
  const { ctx } = brush;
  const fold = ctx.createLinearGradient(0, cy, 0, py + 0.04);
  fold.addColorStop(0, 'rgba(0,0,0,0.28)');
  fold.addColorStop(0.2, 'rgba(0,0,0,0)');
  fold.addColorStop(0.7, 'rgba(0,0,0,0)');
  fold.addColorStop(1, 'rgba(0,0,20,0.25)');
  ctx.fillStyle = fold;
  ctx.fillRect(mx - 0.3, cy - 0.1, 0.6, 0.6);
  ctx.restore();
}

function drawSkirt(brush: Brush, subject: Subject, joints: Joints, body: Body, hem: number): void {
  const [px, py] = joints.pelvis;
  const cloth = namedColour(subject.clothes.trousers, subject.identity.tint);
  const kneeX = (joints.knees[0][0] + joints.knees[1][0]) / 2;
  const kneeY = Math.max(joints.knees[0][1], joints.knees[1][1]);
  const spread = Math.abs(joints.knees[0][0] - joints.knees[1][0]) / 2 + body.limb * 2.1;
  brush.part = 'trousers';
  brush.smooth(
    [
      [px - hem, py - 0.03],
      [px + hem, py - 0.03],
      [px + hem * 1.25, py + 0.05],
      [kneeX + spread * 1.15, kneeY - 0.005],
      [kneeX, kneeY + 0.015],
      [kneeX - spread * 1.15, kneeY - 0.005],
      [px - hem * 1.25, py + 0.05],
    ],
    brush.acrossShade((px + kneeX) / 2, (py + kneeY) / 2, spread * 1.2, cloth),
  );
}

/** Stripes, dots or checks, turning with the body; call with the shirt as the clipping path. */
function drawPattern(
  brush: Brush,
  subject: Subject,
  shirt: Rgb,
  x: number,
  y: number,
  halfWidth: number,
  height: number,
  cos: number,
  sin: number,
): void {
  const { pattern } = subject.clothes;
  if (pattern === 'plain') return;
  const bright = shirt[0] + shirt[1] + shirt[2] > 420;
  const ink = brush.colour(bright ? [70, 62, 84] : [244, 240, 228], 0.72, 0.85);
  const { ctx } = brush;
  const step = 0.052;
  ctx.fillStyle = ink;
  if (pattern === 'striped' || pattern === 'checked') {
    for (let k = -5; k <= 5; k++) ctx.fillRect(x - 0.3, y + k * step - height * 0.05, 0.6, step * 0.4);
  }
  if (pattern === 'striped') return;
  // Columns wrap around the trunk.
  for (let k = -6; k <= 6; k++) {
    const around = (k * step) / halfWidth;
    const across = Math.sin(around) * cos + Math.cos(around) * sin;
    const towards = Math.cos(around) * cos - Math.sin(around) * sin;
    if (Math.abs(around) > 3.1 || towards < -0.1) continue;
    const cx = x + across * halfWidth;
    if (pattern === 'checked') {
      ctx.fillRect(cx - step * 0.18, y - 0.4, step * 0.36, 0.8);
      continue;
    }
    for (let row = -5; row <= 5; row++) {
      ctx.beginPath();
      ctx.ellipse(cx, y + (row + (k & 1) * 0.5) * step, step * 0.24 * Math.max(0.3, towards), step * 0.24, 0, 0, 7);
      ctx.fill();
    }
  }
}

function drawArm(brush: Brush, subject: Subject, joints: Joints, body: Body, i: 0 | 1, seconds: number): void {
  const { clothes, identity } = subject;
  const dim = joints.elbows[i][2] < joints.chest[2] - 0.04 ? 0.84 : 1;
  const shirt = scaleColour(namedColour(clothes.shirt, identity.tint), dim);
  const skin = scaleColour(skinColour(identity.skin), dim);
  const [shoulder, elbow, hand] = [joints.shoulders[i], joints.elbows[i], joints.hands[i]];
  const r = body.limb;
  const holds = i === 1 && subject.held !== 'none';
  brush.holdingArm = i === 1;
  brush.part = 'subject';
  if (clothes.sleeves === 'short') {
    brush.limb(shoulder[0], shoulder[1], r * 0.85, elbow[0], elbow[1], r * 0.75, skin);
    brush.limb(elbow[0], elbow[1], r * 0.75, hand[0], hand[1], r * 0.6, skin);
    brush.ball(hand[0], hand[1], r * 0.85, r * 0.85, skin);
    brush.part = 'shirt';
    const mx = shoulder[0] + (elbow[0] - shoulder[0]) * 0.6;
    const my = shoulder[1] + (elbow[1] - shoulder[1]) * 0.6;
    brush.limb(shoulder[0], shoulder[1], r * 1.05, mx, my, r * 1.1, shirt);
  } else {
    brush.ball(hand[0], hand[1], r * 0.85, r * 0.85, skin);
    brush.part = 'shirt';
    const wx = elbow[0] + (hand[0] - elbow[0]) * 0.85;
    const wy = elbow[1] + (hand[1] - elbow[1]) * 0.85;
    brush.limb(elbow[0], elbow[1], r * 0.95, wx, wy, r * 0.78, shirt);
    brush.limb(shoulder[0], shoulder[1], r * 1.05, elbow[0], elbow[1], r * 0.95, shirt);
  }
  if (holds) drawHeld(brush, subject, hand[0], hand[1], seconds);
  brush.part = 'subject';
  brush.holdingArm = false;
}
