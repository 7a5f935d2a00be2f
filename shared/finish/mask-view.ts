import type { FinishedPicture } from './finish-frame.ts';
import { placeInTime } from './in-time.ts';
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
  const { first, second, share } = placeInTime(time, masks.length);
  const [a, b] = [masks[first]!, masks[second]!];
  const free = a.map((value, at) => value + share * (b[at]! - value));
  const clamp = (value: number, count: number) => Math.min(count - 1, Math.max(0, value));
  for (let row = 0, at = 0; row < pictureHeight; row++) {
    const y = clamp(((row + 0.5 - placement.top) * height) / placement.height - 0.5, height);
    const above = Math.floor(y) * width;
    const below = Math.min(height - 1, Math.floor(y) + 1) * width;
    for (let column = 0; column < pictureWidth; column++, at += step) {
      const x = clamp(((column + 0.5 - placement.left) * width) / placement.width - 0.5, width);
      const left = Math.floor(x);
      const right = Math.min(width - 1, left + 1);
      const [down, across] = [y - Math.floor(y), x - left];
      const upper = free[above + left]! + across * (free[above + right]! - free[above + left]!);
      const lower = free[below + left]! + across * (free[below + right]! - free[below + left]!);
      const locked = cover * (1 - (upper + down * (lower - upper)));
      for (let channel = 0; channel < 3; channel++)
        rgb[at + channel] = Math.round(rgb[at + channel]! + locked * (red[channel]! - rgb[at + channel]!));
    }
  }
}
