import { LruCache } from '../structures/lru-cache.ts';

/** Between which frames a time lies that counts in frames, and how far towards the second; before the first and after the last, at those. */
export function placeInTime(time: number, frameCount: number): { first: number; second: number; share: number } {
  const clamped = Math.min(frameCount - 1, Math.max(0, time));
  const first = Math.floor(clamped);
  return { first, second: Math.min(frameCount - 1, first + 1), share: clamped - first };
}

/** A map at a time that counts in frames, linear between two of them. */
export function mapAt(maps: readonly Float32Array[], time: number): Float32Array {
  const { first, second, share } = placeInTime(time, maps.length);
  const following = maps[second]!;
  return maps[first]!.map((value, at) => value + share * (following[at]! - value));
}

/** A map for each frame of a clip, found when it is asked for: of a long clip, or a large one, all of them would fill the memory. */
export type FrameMaps = (frame: number) => Float32Array;

/** A clip before and after an edit: for each frame [height, width, 3], colours from 0 to 1. */
export interface ClipPair {
  before: FrameMaps;
  after: FrameMaps;
  width: number;
  height: number;
  frameCount: number;
}

/** So much of one kind of maps is kept, but always a few. */
const keptBytes = 32e6;
const keptAtLeast = 4;

/** The same maps, of which those asked for last are kept. */
export function keptMaps(find: FrameMaps): FrameMaps {
  let known: LruCache<number, Float32Array> | undefined;
  return (frame) => {
    const map = known?.get(frame) ?? find(frame);
    known ??= new LruCache(Math.max(keptAtLeast, Math.floor(keptBytes / map.byteLength)));
    known.set(frame, map);
    return map;
  };
}

/** Each map averaged with those before and after it. */
export function neighbourMeans(maps: FrameMaps, frameCount: number): FrameMaps {
  return (frame) => {
    const near = [frame - 1, frame, frame + 1].filter((at) => at >= 0 && at < frameCount);
    return meanOf(near.map(maps));
  };
}

function meanOf(maps: readonly Float32Array[]): Float32Array {
  if (maps.length === 1) return maps[0]!;
  const mean = new Float32Array(maps[0]!.length);
  const share = 1 / maps.length;
  for (const map of maps) for (let at = 0; at < mean.length; at++) mean[at]! += share * map[at]!;
  return mean;
}
