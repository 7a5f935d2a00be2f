import { type ClipPair, type FrameMaps, keptMaps } from './in-time.ts';

/** A clip and its edit at a whole fraction of their size, means over squares, so that all frames together have at most so many pixels. */
export function reducedTo(pair: ClipPair, mostPixels: number): ClipPair {
  const factor = Math.ceil(Math.sqrt((pair.width * pair.height * pair.frameCount) / mostPixels));
  if (factor <= 1) return pair;
  const width = Math.ceil(pair.width / factor);
  const height = Math.ceil(pair.height / factor);
  const smaller = (maps: FrameMaps) =>
    keptMaps((frame) => {
      const from = maps(frame);
      const to = new Float32Array(width * height * 3);
      const counts = new Uint16Array(width * height);
      for (let row = 0, at = 0; row < pair.height; row++) {
        const line = Math.floor(row / factor) * width;
        for (let column = 0; column < pair.width; column++, at += 3) {
          const place = line + Math.floor(column / factor);
          counts[place]! += 1;
          for (let channel = 0; channel < 3; channel++) to[3 * place + channel]! += from[at + channel]!;
        }
      }
      for (let at = 0; at < to.length; at++) to[at]! /= counts[Math.floor(at / 3)]!;
      return to;
    });
  return { before: smaller(pair.before), after: smaller(pair.after), width, height, frameCount: pair.frameCount };
}
