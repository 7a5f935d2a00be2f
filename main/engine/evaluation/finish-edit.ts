import { findChange } from '../../../shared/finish/change.ts';
import { createFinisher } from '../../../shared/finish/finish-frame.ts';
import { placementOf } from '../../../shared/finish/placement.ts';
import { type Pictures, pictureAt } from '../formats/raw-frames.ts';

/** An edit, and how long it took to make. */
export interface MadeClip {
  pictures: Pictures;
  seconds: number;
}

/**
 * What a user gets of an edit that started from `source`: its change of colours, against the source as it comes out of the autoencoder
 * (`coded`), done to the source itself. At the model's size, where the truth is known, so that both can be measured.
 */
export function finishEdit(source: Pictures, coded: Pictures, { pictures, seconds }: MadeClip): MadeClip {
  const startedAt = performance.now();
  const change = findChange(smallClip(coded), smallClip(pictures));
  const { finish } = createFinisher(change, { placement: placementOf(source, source, 'crop'), keepDetail: 1 });
  const finished: Pictures = { ...source, data: new Uint8Array(source.data.length) };
  for (let frame = 0; frame < source.count; frame++) {
    const { data: rgb, width, height } = pictureAt(source, frame);
    finish({ rgb, width, height }, frame, pictureAt(finished, frame).data);
  }
  return { pictures: finished, seconds: seconds + (performance.now() - startedAt) / 1000 };
}

const smallClip = ({ data, count, width, height }: Pictures) => ({ data, frameCount: count, width, height });
