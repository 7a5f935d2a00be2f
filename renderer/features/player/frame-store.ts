import type { RawFrames } from '../../../shared/domain/clip.ts';

/** Decoded pictures of one clip or edit: rgba per frame. */
export interface Pictures {
  width: number;
  height: number;
  frames: ImageData[];
}

const keptClips = 24;

/**
 * Raw frames of the library (uint8 RGB, [frameCount, height, width, 3]), fetched whole and kept for the most recently used: stepping
 * through them costs one copy, so that two of them stay in lockstep to the frame.
 */
export class FrameStore {
  readonly #known = new Map<string, Promise<Pictures>>();

  load(frames: RawFrames): Promise<Pictures> {
    const key = frames.file;
    const known = this.#known.get(key) ?? fetchPictures(frames);
    this.#known.delete(key);
    this.#known.set(key, known);
    known.catch(() => this.#known.delete(key));
    for (const old of [...this.#known.keys()].slice(0, -keptClips)) this.#known.delete(old);
    return known;
  }
}

/**
 * Loads pictures and hands them over, unless others were wanted meanwhile: what was shown stays until then, without flicker. Answers what
 * an effect does when it is over.
 */
export function follow(
  store: Pick<FrameStore, 'load'>,
  wanted: RawFrames | null,
  { take, fail }: { take(pictures: Pictures | null): void; fail(thrown: unknown): void },
): () => void {
  let isCurrent = true;
  if (wanted === null) take(null);
  else store.load(wanted).then((pictures) => isCurrent && take(pictures), fail);
  return () => {
    isCurrent = false;
  };
}

async function fetchPictures({ file, frameCount, width, height }: RawFrames): Promise<Pictures> {
  const response = await fetch(`media/${file.split('/').map(encodeURIComponent).join('/')}`);
  if (!response.ok) throw new Error(await response.text());
  const bytes = new Uint8Array(await response.arrayBuffer());
  const size = width * height;
  const frames = Array.from({ length: frameCount }, (_, index) => {
    const picture = new ImageData(width, height);
    for (let pixel = 0, from = index * size * 3; pixel < size * 4; pixel += 4, from += 3) {
      picture.data[pixel] = bytes[from]!;
      picture.data[pixel + 1] = bytes[from + 1]!;
      picture.data[pixel + 2] = bytes[from + 2]!;
      picture.data[pixel + 3] = 255;
    }
    return picture;
  });
  return { width, height, frames };
}

/** The absolute difference of two pictures of one size, brightened so that small ones are seen. */
export function differenceOf(a: ImageData, b: ImageData, gain = 2): ImageData {
  const result = new ImageData(a.width, a.height);
  for (let at = 0; at < result.data.length; at += 4) {
    for (let channel = 0; channel < 3; channel++) {
      result.data[at + channel] = gain * Math.abs(a.data[at + channel]! - b.data[at + channel]!);
    }
    result.data[at + 3] = 255;
  }
  return result;
}
