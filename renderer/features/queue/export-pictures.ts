import type { Clip } from '../../../shared/domain/clip.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import { enlargement } from '../../../shared/domain/engine.ts';
import type { Rational } from '../../../shared/domain/time.ts';
import { windowFrameCount } from '../player/source-frames.ts';

/** What was chosen for all results of an export alike. */
export interface PictureChoice {
  finished: boolean;
  superResolution: boolean;
  wholeLength: boolean;
}

/** Which pictures of a result are written. */
export interface Pictures {
  width: number;
  height: number;
  rate: Rational;
  frameCount: number;
  /** The clip's own, changed; otherwise the model's. */
  isFinished: boolean;
  /** The model's, by super-resolution. */
  isEnlarged: boolean;
  /** Of all of the clip's file, and not of the range that the model saw. */
  isWhole: boolean;
}

/** `clip`: what the result was made from; null where there is none, or it is gone. */
export function picturesOf({ settings, base, frames }: Edit, clip: Clip | null, choice: PictureChoice): Pictures {
  const hasSource = clip !== null && clip.source.path !== null;
  if (choice.finished && settings.finish && base !== null && hasSource) {
    // An edit of the whole clip goes out as one.
    const isWhole = choice.wholeLength || settings.whole;
    const { width, height } = clip.crop ?? clip.source;
    const frameCount = isWhole ? clip.source.frameCount : windowFrameCount(clip);
    return { width, height, rate: clip.source.rate, frameCount, isFinished: true, isEnlarged: false, isWhole };
  }
  const isEnlarged = choice.superResolution;
  const times = isEnlarged ? enlargement : 1;
  const { width, height, rate, frameCount } = frames;
  const size = { width: times * width, height: times * height };
  return { ...size, rate, frameCount, isFinished: false, isEnlarged, isWhole: false };
}
