import { createRandom } from './random.ts';
import type { Motion, Subject } from './scene.ts';

/** Angles in radians. `pitch` swings forwards, `roll` away from the body, `bend` flexes elbow or knee. */
export interface Limb {
  pitch: number;
  roll: number;
  bend: number;
  /** Added to `roll` for the forearm. */
  twist: number;
}

/** What a figure does at one moment; lengths are in heights of the figure. */
export interface Pose {
  yaw: number;
  /** Sideways and forward inclination of the trunk. */
  lean: number;
  bow: number;
  hipShift: number;
  /** Turn of the shoulders against the hips. */
  shoulderTwist: number;
  /** Height above the ground. */
  lift: number;
  headYaw: number;
  headPitch: number;
  headRoll: number;
  arms: [Limb, Limb];
  legs: [Limb, Limb];
  /** How far it has sat down, 0..1. */
  seated: number;
}

function rest(facing: number): Pose {
  const arm = (): Limb => ({ pitch: 0.05, roll: 0.14, bend: 0.25, twist: 0 });
  const leg = (): Limb => ({ pitch: 0, roll: 0.06, bend: 0.03, twist: 0 });
  return {
    yaw: facing,
    lean: 0,
    bow: 0,
    hipShift: 0,
    shoulderTwist: 0,
    lift: 0,
    headYaw: 0,
    headPitch: 0,
    headRoll: 0,
    arms: [arm(), arm()],
    legs: [leg(), leg()],
    seated: 0,
  };
}

const turn = Math.PI * 2;

export function smoothstep(low: number, high: number, x: number): number {
  const t = Math.min(1, Math.max(0, (x - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

/** The phase of a motion in radians, with the personal unevenness of its two halves. */
export function cyclePhase(motion: Motion, seconds: number): number {
  const phase = turn * (motion.tempo * seconds + motion.phase);
  return phase + 0.35 * motion.asymmetry * Math.sin(phase);
}

/** Where a travelling subject is, in half widths of the frame. */
export function travel(motion: Motion, seconds: number): number {
  return motion.path.from + (motion.path.to - motion.path.from) * (seconds / 2.1);
}

/** The pose of a figure (a person or a robot) `seconds` after the clip's start. */
export function figurePose(subject: Subject, seconds: number): Pose {
  const { motion } = subject;
  const pose = rest(motion.facing);
  const phase = cyclePhase(motion, seconds);
  const size = motion.amplitude;
  // The stronger side swings further: 0 is the left of the picture.
  const strength = [1 - 0.3 * motion.asymmetry, 1 + 0.3 * motion.asymmetry] as const;
  breathe(pose, seconds, motion);
  switch (motion.kind) {
    case 'walk':
      stride(pose, phase, size, strength, motion, 0.5, 0.75, 0.45);
      break;
    case 'run':
      stride(pose, phase, size, strength, motion, 0.85, 1.5, 0.8);
      pose.bow = 0.22;
      pose.lift = 0.045 * size * Math.abs(Math.sin(phase));
      for (const arm of pose.arms) arm.bend = 1.6;
      break;
    case 'wave':
      waveHand(pose, phase, size, motion);
      break;
    case 'jump':
      jump(pose, phase, size);
      break;
    case 'dance':
      dance(pose, phase, size, strength, motion);
      break;
    case 'nod':
      pose.headPitch = 0.55 * size * Math.sin(phase);
      pose.bow = 0.05 * size * (1 + Math.sin(phase));
      pose.yaw *= 0.7;
      break;
    case 'turn':
      pose.yaw = 1.35 * size * Math.sin(phase);
      pose.headYaw = 0.35 * Math.cos(phase);
      break;
    case 'sit':
      sit(pose, seconds, motion);
      break;
    case 'bounce': {
      const dip = 0.5 + 0.5 * Math.sin(phase);
      crouch(pose, 0.5 * dip * size);
      for (const [i, arm] of pose.arms.entries()) {
        arm.bend = 1.2 + 0.5 * dip * strength[i]!;
        arm.pitch = 0.1 - 0.3 * dip;
      }
      pose.headPitch = 0.15 * Math.sin(phase);
      break;
    }
    case 'sway':
      pose.lean = 0.22 * size * Math.sin(phase);
      pose.hipShift = -0.05 * size * Math.sin(phase);
      pose.headRoll = 0.2 * size * Math.sin(phase - 0.5);
      for (const [i, arm] of pose.arms.entries()) {
        arm.roll = 0.35 + (i === 0 ? -1 : 1) * 0.3 * size * Math.sin(phase - 0.4) * strength[i]!;
      }
      break;
    case 'spin':
      pose.yaw = (motion.asymmetry > 0 ? 1 : -1) * turn * (motion.tempo * seconds + motion.phase);
      for (const [i, arm] of pose.arms.entries()) {
        arm.roll = 0.7 + 0.5 * size * strength[i]!;
        arm.bend = 0.3;
      }
      break;
    default:
      throw new Error(`a figure cannot ${motion.kind}`);
  }
  return pose;
}

function breathe(pose: Pose, seconds: number, motion: Motion): void {
  const slow = Math.sin(turn * (0.35 * seconds + motion.phase));
  pose.headRoll = 0.03 * slow;
  for (const arm of pose.arms) arm.roll += 0.02 * slow;
}

function stride(
  pose: Pose,
  phase: number,
  size: number,
  strength: readonly [number, number],
  motion: Motion,
  swing: number,
  knee: number,
  armSwing: number,
): void {
  pose.yaw = Math.sign(motion.path.to - motion.path.from || 1) * (1.05 + 0.2 * motion.phase);
  for (const i of [0, 1] as const) {
    const own = phase + (i === 0 ? 0 : Math.PI);
    pose.legs[i].pitch = swing * size * Math.sin(own) * strength[i];
    pose.legs[i].bend = 0.1 + knee * size * Math.max(0, Math.cos(own));
    pose.arms[i].pitch = -armSwing * size * Math.sin(own) * strength[i];
    pose.arms[i].bend = 0.35;
  }
  pose.shoulderTwist = 0.15 * Math.sin(phase);
  pose.headPitch = 0.04 * Math.sin(2 * phase);
}

function waveHand(pose: Pose, phase: number, size: number, motion: Motion): void {
  // The other hand may hold something, which is always in hand 1.
  const both = motion.variation % 4 === 3;
  for (const i of both ? [0, 1] : [0]) {
    const arm = pose.arms[i as 0 | 1];
    arm.pitch = 0;
    arm.bend = 0;
    if (motion.variation % 2 === 0) {
      arm.roll = 1.75 + 0.2 * motion.asymmetry;
      arm.twist = 0.95 + 0.55 * size * Math.sin(phase + i);
    } else {
      arm.roll = 2.45 + 0.38 * size * Math.sin(phase + i);
      arm.twist = 0.2 + 0.25 * size * Math.sin(phase + i - 0.7);
    }
  }
  pose.lean = 0.05 * size * Math.sin(phase * 0.5);
  pose.headRoll = 0.1 * Math.sin(phase * 0.5);
}

/** Bends hips and knees so that the figure gets lower: 0 stands, 1 squats. */
function crouch(pose: Pose, depth: number): void {
  for (const leg of pose.legs) {
    leg.pitch = 0.85 * depth;
    leg.bend = 1.7 * depth;
    leg.roll = 0.08 + 0.15 * depth;
  }
  pose.bow = 0.3 * depth;
}

function jump(pose: Pose, phase: number, size: number): void {
  const u = (((phase / turn) % 1) + 1) % 1;
  const air = u > 0.36 && u < 0.84 ? (u - 0.36) / 0.48 : 0;
  const height = 4 * air * (1 - air);
  const dip = Math.max(0, 1 - Math.abs(u - 0.24) / 0.16) + Math.max(0, 1 - Math.abs(u - 0.9) / 0.08) * 0.7;
  crouch(pose, 0.75 * dip + 0.25 * height);
  pose.lift = 0.2 * size * height;
  for (const arm of pose.arms) {
    arm.roll = 0.2 + 2.1 * height * Math.min(1, size);
    arm.pitch = -0.5 * dip;
    arm.bend = 0.3 + 0.3 * dip;
  }
}

function sit(pose: Pose, seconds: number, motion: Motion): void {
  const down = smoothstep(0.15, 0.95, seconds * motion.tempo + 0.35 * (motion.phase - 0.3));
  pose.yaw = motion.facing + Math.sign(motion.facing || 1) * 0.35;
  pose.seated = down;
  for (const leg of pose.legs) {
    leg.pitch = 1.35 * down;
    leg.bend = 1.35 * down;
    leg.roll = 0.08 + 0.1 * down;
  }
  pose.bow = 0.55 * Math.sin(Math.PI * down) + 0.06;
  for (const arm of pose.arms) {
    arm.pitch = 0.5 * down;
    arm.bend = 0.3 + 0.55 * down;
  }
  const idle = Math.sin(turn * motion.tempo * seconds);
  pose.headYaw = 0.3 * down * motion.asymmetry * idle;
  pose.lean = 0.04 * down * motion.amplitude * idle;
}

/** A dance is drawn from the seed-like variation: six ingredients, each with its own weight, on a shared beat. */
function dance(pose: Pose, phase: number, size: number, strength: readonly [number, number], motion: Motion): void {
  const beat = Math.sin(phase);
  const off = Math.cos(phase);
  const double = Math.sin(2 * phase);
  const manner = createRandom(Math.round(motion.phase * 1e6), 'dance');
  const flavour = () => manner.range(0.6, 1.2);
  pose.hipShift = 0.05 * size * beat * flavour();
  pose.lean = -0.12 * size * beat * flavour();
  pose.headRoll = 0.18 * size * beat * flavour();
  crouch(pose, 0.18 * size * (0.5 + 0.5 * double) * flavour());
  const [left, right] = pose.arms;
  switch (motion.variation) {
    case 0: // both arms above the head, swaying
      for (const [i, arm] of pose.arms.entries()) {
        arm.roll = 2.4 + (i === 0 ? -1 : 1) * 0.45 * size * beat;
        arm.twist = 0.3;
        arm.bend = 0.1;
      }
      break;
    case 1: // pointing up and down in turns
      left.roll = 1.5 + 1.1 * size * beat;
      right.roll = 1.5 - 1.1 * size * beat;
      left.bend = right.bend = 0.1;
      break;
    case 2: // the twist
      pose.shoulderTwist = 0.6 * size * beat;
      pose.yaw += 0.45 * size * off;
      for (const [i, arm] of pose.arms.entries()) {
        arm.pitch = 0.3 * beat * strength[i]!;
        arm.bend = 1.5;
        arm.roll = 0.5;
      }
      break;
    case 3: // kicks
      for (const i of [0, 1] as const) {
        const kick = Math.max(0, i === 0 ? beat : -beat) * strength[i];
        pose.legs[i].roll = 0.08 + 0.75 * kick * size;
        pose.arms[i].roll = 0.9 + 0.6 * (i === 0 ? -beat : beat) * size;
        pose.arms[i].bend = 0.5;
      }
      break;
    case 4: // a wave that runs through both arms
      for (const i of [0, 1] as const) {
        const own = phase + (i === 0 ? 0 : Math.PI * 0.8);
        pose.arms[i].roll = 1.55 + 0.4 * size * Math.sin(own);
        pose.arms[i].twist = 0.7 * size * Math.sin(own - 1.2);
        pose.arms[i].bend = 0;
      }
      break;
    case 5: // wide squats with the arms out
      crouch(pose, 0.5 * size * (0.5 + 0.5 * beat));
      for (const leg of pose.legs) leg.roll = 0.35;
      for (const arm of pose.arms) {
        arm.roll = 1.2 + 0.4 * off;
        arm.twist = 0.9;
      }
      break;
    case 6: // rolling hands and hips
      pose.hipShift = 0.08 * size * off;
      for (const [i, arm] of pose.arms.entries()) {
        arm.pitch = 0.5 + 0.35 * Math.sin(2 * phase + i * Math.PI);
        arm.bend = 1.5 + 0.4 * Math.cos(2 * phase + i * Math.PI);
        arm.roll = 0.45;
      }
      break;
    default: // one fist pumping, the other on the hip
      left.roll = 2.2 + 0.25 * beat;
      left.bend = 0.3 + 0.6 * (0.5 + 0.5 * double);
      right.roll = 0.75;
      right.twist = -1.35;
      pose.legs[0].roll = 0.2;
      pose.legs[1].roll = 0.2;
  }
}
