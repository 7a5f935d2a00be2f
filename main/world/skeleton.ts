import type { Pose } from './pose.ts';

/** A point in space: x to the right of the picture, y down, z towards the camera, in heights of the figure. */
export type Point = readonly [number, number, number];

export interface Proportions {
  leg: number;
  trunk: number;
  arm: number;
  shoulders: number;
  hips: number;
  neck: number;
}

export interface Joints {
  pelvis: Point;
  chest: Point;
  head: Point;
  shoulders: [Point, Point];
  elbows: [Point, Point];
  hands: [Point, Point];
  hips: [Point, Point];
  knees: [Point, Point];
  feet: [Point, Point];
}

function along(from: Point, side: number, pitch: number, roll: number, length: number): Point {
  const [x, y, z] = from;
  return [
    x + length * side * Math.sin(roll),
    y + length * Math.cos(roll) * Math.cos(pitch),
    z + length * Math.cos(roll) * Math.sin(pitch),
  ];
}

/** Forward kinematics: a pose to the joints as the camera sees them, with the lower foot on the ground (y = 0) unless lifted. */
export function solve(pose: Pose, body: Proportions): Joints {
  const up: Point = [Math.sin(pose.lean), -Math.cos(pose.lean) * Math.cos(pose.bow), Math.sin(pose.bow)];
  const pelvis: Point = [pose.hipShift, 0, 0];
  const chest: Point = [pelvis[0] + up[0] * body.trunk, up[1] * body.trunk, up[2] * body.trunk];
  const head: Point = [
    chest[0] + Math.sin(pose.lean + pose.headRoll * 0.6) * body.neck,
    chest[1] - Math.cos(pose.lean) * Math.cos(pose.bow * 0.6) * body.neck,
    chest[2] + Math.sin(pose.bow * 0.6 + Math.max(0, pose.headPitch) * 0.35) * body.neck,
  ];
  const twist = pose.shoulderTwist;
  const both = <T>(make: (i: 0 | 1, side: number) => T): [T, T] => [make(0, -1), make(1, 1)];
  const shoulders = both<Point>((_, side) => [
    chest[0] + side * body.shoulders * Math.cos(pose.lean) * Math.cos(twist),
    chest[1] + side * body.shoulders * Math.sin(pose.lean) + body.neck * 0.28,
    chest[2] - side * body.shoulders * Math.sin(twist),
  ]);
  const elbows = both<Point>((i, side) => {
    const arm = pose.arms[i];
    return along(shoulders[i], side, arm.pitch - pose.bow * 0.4, arm.roll - side * pose.lean * 0.5, body.arm * 0.5);
  });
  const hands = both<Point>((i, side) => {
    const arm = pose.arms[i];
    return along(elbows[i], side, arm.pitch + arm.bend, arm.roll + arm.twist - side * pose.lean * 0.5, body.arm * 0.5);
  });
  const hips = both<Point>((_, side) => [pelvis[0] + side * body.hips, 0.01, 0]);
  const knees = both<Point>((i, side) => along(hips[i], side, pose.legs[i].pitch, pose.legs[i].roll, body.leg * 0.52));
  const feet = both<Point>((i, side) =>
    along(knees[i], side, pose.legs[i].pitch - pose.legs[i].bend, pose.legs[i].roll * 0.7, body.leg * 0.48),
  );
  const ground = Math.max(feet[0][1], feet[1][1]) + pose.lift;
  const cos = Math.cos(pose.yaw);
  const sin = Math.sin(pose.yaw);
  const place = ([x, y, z]: Point): Point => [x * cos + z * sin, y - ground, z * cos - x * sin];
  const placeBoth = (pair: [Point, Point]): [Point, Point] => [place(pair[0]), place(pair[1])];
  return {
    pelvis: place(pelvis),
    chest: place(chest),
    head: place(head),
    shoulders: placeBoth(shoulders),
    elbows: placeBoth(elbows),
    hands: placeBoth(hands),
    hips: placeBoth(hips),
    knees: placeBoth(knees),
    feet: placeBoth(feet),
  };
}
