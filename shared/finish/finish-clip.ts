import type { Brush } from '../domain/brush.ts';
import type { Recolour } from '../domain/colour-words.ts';
import { findChange, type SmallClip } from './change.ts';
import { createFinisher } from './finish-frame.ts';
import { placementOf } from './placement.ts';

/** An edit as a change to `source`, at the model's own size: what is measured, and what is shown where pictures are small. */
export function finishClip(parts: {
  source: SmallClip;
  base: SmallClip;
  edited: SmallClip;
  /** Which of the edit's frames `source` begins with. Default 0. */
  firstFrame?: number | undefined;
  keepDetail: number;
  amount?: number | undefined;
  colour?: number | undefined;
  lock?: boolean | undefined;
  recolour?: Recolour | null | undefined;
  brush?: Brush | undefined;
}): SmallClip {
  const { source, base, edited, firstFrame = 0, keepDetail, amount, colour, lock, recolour, brush } = parts;
  const { width, height, frameCount } = source;
  const placement = placementOf(source, source, 'crop');
  const change = findChange(base, edited, { keepDetail, lock, recolour, brush });
  const { finish } = createFinisher(change, { placement, keepDetail, amount, colour });
  const data = new Uint8Array(source.data.length);
  const bytes = width * height * 3;
  for (let frame = 0; frame < frameCount; frame++) {
    const part = [frame * bytes, (frame + 1) * bytes] as const;
    finish({ rgb: source.data.subarray(...part), width, height }, firstFrame + frame, data.subarray(...part));
  }
  return { data, frameCount, width, height };
}
