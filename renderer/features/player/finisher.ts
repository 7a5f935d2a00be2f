import type { Clip, RawFrames } from '../../../shared/domain/clip.ts';
import type { Finishing } from '../../../shared/domain/edit.ts';
import { toNumber } from '../../../shared/domain/time.ts';
import { placementOf } from '../../../shared/finish/placement.ts';
import type { FinishAnswer, FinishRequest, SmallAddress } from './finish-worker.ts';

/** An edit as finishing sees it: its pictures, and the clip's as they come out of the autoencoder. */
export interface Finishable {
  frames: RawFrames;
  base: RawFrames;
  finishing: Finishing;
  /** Whether it is of all of the clip's file, and not of its range. */
  coversFile?: boolean;
  /** Whether pictures come from outside of its range as well. */
  carried?: boolean;
  /** Whether what is locked is covered in red. */
  showsMask?: boolean;
}

/** Finishes pictures in a thread of its own, so that the window stays quick: the very mathematics that an export does. */
export class Finisher {
  #worker: Worker | undefined;
  readonly #waiting = new Map<
    number,
    { resolve(pixels: Uint8ClampedArray<ArrayBuffer>): void; reject(error: Error): void }
  >();
  #next = 1;

  /** `seconds` counts from the beginning of the edit's range, and may lie before it; `fit` as the clip met the model. The picture given stays as it is. */
  async finish(
    picture: ImageData,
    { frames, base, finishing, carried = false, showsMask = false }: Finishable,
    seconds: number,
    fit: Clip['fit'],
  ): Promise<ImageData> {
    const { width, height } = picture;
    const pixels = await this.#ask({
      edited: addressOf(frames),
      base: addressOf(base),
      pixels: picture.data.slice(),
      width,
      height,
      time: seconds * toNumber(frames.rate),
      placement: placementOf(picture, frames, fit),
      ...finishing,
      carried,
      showsMask,
    });
    return new ImageData(pixels, width, height);
  }

  #ask(request: Omit<FinishRequest, 'id'>): Promise<Uint8ClampedArray<ArrayBuffer>> {
    this.#worker ??= this.#start();
    const id = this.#next++;
    this.#worker.postMessage({ ...request, id }, [request.pixels.buffer]);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #start(): Worker {
    const worker = new Worker(new URL('./finish-worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data: { id, pixels, error } }: MessageEvent<FinishAnswer>) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (pixels) waiting?.resolve(pixels);
      else waiting?.reject(new Error(error));
    };
    worker.onerror = ({ message }) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(message));
      this.#waiting.clear();
      this.#worker = undefined;
    };
    return worker;
  }
}

function addressOf({ file, frameCount, width, height }: RawFrames): SmallAddress {
  const path = `media/${file.split('/').map(encodeURIComponent).join('/')}`;
  return { address: new URL(path, location.href).href, frameCount, width, height };
}
