import type { Clip } from '../../../shared/domain/clip.ts';
import { toNumber } from '../../../shared/domain/time.ts';

/** Decoded pictures are kept up to so many bytes: while a range loops, nothing is decoded again. */
const keptBytes = 240e6;

/** The frames of a clip as its source shows them: those of a video that scrubs fast. */
export class SourceFrames {
  readonly #clip: Clip;
  readonly #video: HTMLVideoElement;
  readonly #canvas = document.createElement('canvas');
  readonly #kept = new Map<number, ImageData>();
  #giveUp: (reason: Error) => void = () => {};
  readonly #gone = new Promise<never>((_, reject) => {
    this.#giveUp = reject;
  });
  #last: Promise<unknown>;

  /** `address`: of the clip's proxy. */
  constructor(clip: Clip, address: string) {
    this.#clip = clip;
    this.#video = document.createElement('video');
    this.#video.muted = true;
    this.#video.preload = 'auto';
    const loaded = new Promise<void>((resolve, reject) => {
      this.#video.onloadeddata = () => resolve();
      this.#video.onerror = () => reject(new Error(this.#video.error?.message ?? ''));
    });
    this.#last = loaded;
    loaded.catch(() => {});
    this.#gone.catch(() => {});
    this.#video.src = address;
  }

  /**
   * Frame `index`, counted from the range's beginning at the source's rate, before it below 0; one decoding at a time. Rejects once this
   * is disposed of: of a video that is taken away no event comes any more.
   */
  at(index: number): Promise<ImageData> {
    const known = this.#kept.get(index);
    if (known) return Promise.resolve(known);
    const picture = this.#last.then(() => this.#kept.get(index) ?? this.#decode(index));
    this.#last = picture.catch(() => {});
    return Promise.race([picture, this.#gone]);
  }

  dispose(): void {
    this.#giveUp(new DOMException('The clip is no longer shown.', 'AbortError'));
    this.#video.removeAttribute('src');
    this.#video.load();
    this.#kept.clear();
  }

  async #decode(index: number): Promise<ImageData> {
    const { fromSeconds, source, crop } = this.#clip;
    const rate = toNumber(source.rate);
    await this.#seek(Math.max(0, fromSeconds + (index + 0.5) / rate));
    const { videoWidth, videoHeight } = this.#video;
    const [across, down] = [videoWidth / source.width, videoHeight / source.height];
    const part = crop ?? { left: 0, top: 0, width: source.width, height: source.height };
    const [width, height] = [Math.max(1, Math.round(part.width * across)), Math.max(1, Math.round(part.height * down))];
    this.#canvas.width = width;
    this.#canvas.height = height;
    const context = this.#canvas.getContext('2d', { willReadFrequently: true })!;
    const { left, top } = part;
    context.drawImage(
      this.#video,
      left * across,
      top * down,
      part.width * across,
      part.height * down,
      0,
      0,
      width,
      height,
    );
    const picture = context.getImageData(0, 0, width, height);
    this.#kept.set(index, picture);
    const limit = Math.max(2, Math.floor(keptBytes / picture.data.length));
    for (const old of [...this.#kept.keys()].slice(0, -limit)) this.#kept.delete(old);
    return picture;
  }

  #seek(seconds: number): Promise<void> {
    const wanted = Math.min(seconds, Math.max(0, this.#video.duration - 1e-3));
    if (Math.abs(this.#video.currentTime - wanted) < 1e-4) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#video.onseeked = () => resolve();
      this.#video.onerror = () => reject(new Error(this.#video.error?.message ?? ''));
      this.#video.currentTime = wanted;
    });
  }
}

/** How many frames of the source lie in the part of a clip that the model saw. */
export function windowFrameCount({ frames, source }: Clip): number {
  const seconds = frames.frameCount / toNumber(frames.rate);
  return Math.max(1, Math.ceil(seconds * toNumber(source.rate) - 1e-6));
}

/** Where what is shown begins, in the source's frames from the range's beginning: all of the file or the part that the model saw. */
export function firstFrameOf({ fromSeconds, source }: Clip, isWhole: boolean): number {
  return isWhole ? -Math.floor(fromSeconds * toNumber(source.rate) + 1e-6) : 0;
}

/** Whether the file shows more than the model saw of it. */
export function isLonger(clip: Clip): boolean {
  return clip.source.frameCount > windowFrameCount(clip);
}

/** Which of a clip's prepared pictures belongs to a frame of its source: before and behind its range the first and the last. */
export function preparedFrameAt({ fromSeconds, source, frames }: Clip, sourceFrame: number): number {
  const seconds = (sourceFrame + 0.5) / toNumber(source.rate) - fromSeconds;
  return Math.max(0, Math.min(frames.frameCount - 1, Math.floor(seconds * toNumber(frames.rate))));
}
