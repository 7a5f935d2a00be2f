import type { Recolour } from '../../../shared/domain/colour-words.ts';
import { finishClip } from '../../../shared/finish/finish-clip.ts';
import type { Pictures } from '../formats/raw-frames.ts';

/** An edit, and how long it took to make. */
export interface MadeClip {
  pictures: Pictures;
  seconds: number;
}

/**
 * What a user gets of an edit that started from `source`: its change of colours, against the source as it comes out of the autoencoder
 * (`coded`), done to the source itself. At the model's size, where the truth is known, so that both can be measured.
 */
export function finishEdit(
  source: Pictures,
  coded: Pictures,
  { pictures, seconds }: MadeClip,
  finishing: { keepDetail: number; lock?: boolean; recolour?: Recolour | null },
): MadeClip {
  const startedAt = performance.now();
  const parts = { source: smallClip(source), base: smallClip(coded), edited: smallClip(pictures) };
  const { data } = finishClip({ ...parts, ...finishing });
  return { pictures: { ...source, data }, seconds: seconds + (performance.now() - startedAt) / 1000 };
}

export const smallClip = ({ data, count, width, height }: Pictures) => ({ data, frameCount: count, width, height });
