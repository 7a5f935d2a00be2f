import { mapAt } from './in-time.ts';
import { layOver } from './lay-over.ts';
import type { FinishedPicture } from './picture.ts';
import type { Placement } from './placement.ts';

/** What is locked is covered with so much of this red, as masks are in picture editors. */
const cover = 0.6;
const red = [226, 48, 48] as const;

interface Masks {
  masks: readonly Float32Array[];
  width: number;
  height: number;
}

/** Shows in a picture, in place, where a change is not done at one moment; `time` counts in the model's frames. */
export function showMask(
  { masks, width, height }: Masks,
  {
    rgb,
    width: pictureWidth,
    height: pictureHeight,
    step = 3,
  }: FinishedPicture & { rgb: Uint8Array | Uint8ClampedArray },
  time: number,
  placement: Placement,
): void {
  const free = mapAt(masks, time);
  const { left, right, share, rowOf } = layOver(pictureWidth, placement, { width, height });
  const along = new Float32Array(width);
  for (let row = 0, at = 0; row < pictureHeight; row++) {
    rowOf(free, 1, row, along);
    for (let column = 0; column < pictureWidth; column++, at += step) {
      const before = along[left[column]!]!;
      const locked = cover * (1 - (before + share[column]! * (along[right[column]!]! - before)));
      for (let channel = 0; channel < 3; channel++)
        rgb[at + channel] = Math.round(rgb[at + channel]! + locked * (red[channel]! - rgb[at + channel]!));
    }
  }
}
