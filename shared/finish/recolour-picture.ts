import { lookUp } from './colour-odds.ts';
import { mapAt } from './in-time.ts';
import { encodedOf, lightOf, luminanceOf } from './lab.ts';
import { layOver } from './lay-over.ts';
import { type FinishedPicture, type PictureValues, peakOf } from './picture.ts';
import type { Placement } from './placement.ts';
import type { Recolouring } from './recolouring.ts';
import { smoothStep } from './smooth-step.ts';

/** A place belongs to the thing softly between these shares. */
const [outside, inside] = [0.15, 0.85];
/** Below these odds of a place no colour makes it the thing's. */
const hopeless = -7.5;
/** Light that is more than the thing's own so many times is no brighter. */
const brightest = 4;
/** Steps in which values are looked up. */
const steps = 4096;
const values = Float32Array.from({ length: steps + 1 }, (_, step) => encodedOf(step / steps));

interface Maps {
  recolouring: Recolouring;
  width: number;
  height: number;
}

interface Settings {
  placement: Placement;
  amount?: number | undefined;
  colour?: number | undefined;
}

/**
 * Gives a thing its new colour in pictures of any size: the light of the new colour, as much as the thing's own luminance was of its
 * mean, so that folds and shadows stay. All else stays as it is, to the bit.
 */
export function createRecolourer({ recolouring, ...size }: Maps, { placement, amount = 1, colour = 1 }: Settings) {
  const { colours, places, target, luminance, shading } = recolouring;
  const own = luminanceOf(...target);
  const light = target.map((value) => own + colour * (value - own)) as [number, number, number];
  const lights = new Map<number, Float32Array>();
  const brightness = Float32Array.from({ length: steps + 1 }, (_, step) =>
    Math.min(brightest, (step / steps / luminance) ** shading),
  );

  return {
    finish(
      { rgb, width: across, height: down, step = 3 }: FinishedPicture,
      time: number,
      to: PictureValues,
      { firstRow = 0, endRow = down } = {},
    ): void {
      const peak = peakOf(rgb);
      const lightAt = lights.get(peak) ?? Float32Array.from({ length: peak + 1 }, (_, value) => lightOf(value / peak));
      lights.set(peak, lightAt);
      const odds = mapAt(places, time);
      const along = new Float32Array(size.width);
      const { left, right, share, rowOf } = layOver(across, placement, size);
      const out = [0, 0, 0];
      for (let row = firstRow; row < endRow; row++) {
        rowOf(odds, 1, row, along);
        const start = row * across * step;
        if (to !== rgb) to.set(rgb.subarray(start, start + across * step), start);
        for (let column = 0, at = start; column < across; column++, at += step) {
          const before = along[left[column]!]!;
          const place = before + share[column]! * (along[right[column]!]! - before);
          if (place < hopeless) continue;
          const red = rgb[at]!;
          const green = rgb[at + 1]!;
          const blue = rgb[at + 2]!;
          const chance = 1 / (1 + Math.exp(-place - lookUp(colours, red / peak, green / peak, blue / peak)));
          const mask = amount * smoothStep(chance, outside, inside);
          if (mask === 0) continue;
          lit(luminanceOf(lightAt[red]!, lightAt[green]!, lightAt[blue]!), out);
          for (let channel = 0; channel < 3; channel++) {
            const value = rgb[at + channel]!;
            const wanted = value + mask * (peak * out[channel]! - value);
            to[at + channel] = Math.min(peak, Math.max(0, Math.round(wanted)));
          }
        }
      }
    },
  };

  /** R'G'B' of the thing where it was so bright: light beyond what a channel can show goes to the others, as on film. */
  function lit(was: number, to: number[]): void {
    const times = brightness[Math.round(was * steps)]!;
    const most = Math.max(light[0], light[1], light[2]) * times;
    const scale = most > 1 ? times / most : times;
    const rest = own * (times - scale);
    for (let channel = 0; channel < 3; channel++) {
      const value = Math.min(1, Math.max(0, light[channel]! * scale + rest));
      to[channel] = values[Math.round(value * steps)]!;
    }
  }
}
