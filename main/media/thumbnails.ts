import type { RawFrames } from '../../shared/domain/clip.ts';
import { type Rational, toNumber } from '../../shared/domain/time.ts';
import { encodePictures, fitInside, type Picture, readFrames, readRawFrames, writeStill } from './frames.ts';
import type { MediaTools } from './locate.ts';
import type { Probe } from './probe-types.ts';

/**
 * Pictures evenly spread over a source, each from the middle of its share: the exact ones, or the key frames where these
 * are so near that nobody sees the difference in a strip.
 */
async function spreadPictures(
  tools: MediaTools,
  probe: Probe,
  count: number,
  size: { width: number; height: number },
  signal?: AbortSignal,
): Promise<Picture[]> {
  const length = probe.endSeconds - probe.startSeconds;
  const times = Array.from({ length: count }, (_, index) => probe.startSeconds + ((index + 0.5) / count) * length);
  return readFrames(tools, probe, times, { ...size, keyFrames: probe.keyFrameGap < length / count / 2, signal });
}

/** Writes the liveliest of a few pictures (no black beginning, no white flash), at most `maximumSide` large. */
export async function writePoster(
  tools: MediaTools,
  probe: Probe,
  file: string,
  options: { maximumSide?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const size = fitInside(probe, options.maximumSide ?? 480);
  const pictures = await spreadPictures(tools, probe, Math.min(3, probe.frameCount), size, options.signal);
  const [first, ...others] = pictures as [Picture, ...Picture[]];
  // Only a clearly flatter first picture gives way: the beginning is what a person knows a clip by.
  const best = others.reduce((kept, next) => (contrast(next) > 2 * contrast(kept) ? next : kept), first);
  await writeStill(tools, best, file, options.signal);
}

/** Standard deviation of the green channel. */
function contrast({ rgb }: Picture): number {
  let sum = 0;
  let squares = 0;
  const count = rgb.length / 3;
  for (let at = 1; at < rgb.length; at += 3) {
    sum += rgb[at]!;
    squares += rgb[at]! ** 2;
  }
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

export interface Filmstrip {
  count: number;
  tileWidth: number;
  tileHeight: number;
}

/** Writes `count` small pictures of a source side by side in one row, for the timeline. */
export async function writeFilmstrip(
  tools: MediaTools,
  probe: Probe,
  file: string,
  options: { count: number; height: number; signal?: AbortSignal },
): Promise<Filmstrip> {
  const height = Math.max(2, Math.round(options.height / 2) * 2);
  const width = Math.max(2, Math.round((height * probe.width) / probe.height / 2) * 2);
  const pictures = await spreadPictures(tools, probe, options.count, { width, height }, options.signal);
  await writeStill(tools, sideBySide(pictures), file, options.signal);
  return { count: pictures.length, tileWidth: width, tileHeight: height };
}

/** Pictures of one size -> one row. */
export function sideBySide(pictures: readonly Picture[]): Picture {
  const { width, height } = pictures[0]!;
  const rowBytes = width * 3;
  const total = pictures.length * rowBytes;
  const rgb = new Uint8Array(total * height);
  for (const [index, picture] of pictures.entries()) {
    for (let row = 0; row < height; row++) {
      rgb.set(picture.rgb.subarray(row * rowBytes, (row + 1) * rowBytes), row * total + index * rowBytes);
    }
  }
  return { width: width * pictures.length, height, rgb };
}

/** Rate and number of an animated thumbnail's pictures. */
const animationRate: Rational = { numerator: 8, denominator: 1 };
const animationSeconds = 2.5;

/** Writes a looping thumbnail of a source: .webp where ffmpeg has the encoder. Answers the file's name, .gif otherwise. */
export async function writeAnimatedThumbnail(
  tools: MediaTools,
  source: Probe | RawFrames,
  stem: string,
  options: { maximumSide?: number; signal?: AbortSignal } = {},
): Promise<string> {
  const count = Math.round(animationSeconds * toNumber(animationRate));
  const size = fitInside(source, options.maximumSide ?? 240);
  let pictures: Picture[];
  if ('file' in source) {
    const step = toNumber(source.rate) / toNumber(animationRate);
    const indices = Array.from({ length: count }, (_, index) => Math.floor(index * step));
    pictures = await readRawFrames(
      source,
      indices.filter((index) => index < source.frameCount),
    );
  } else {
    const from = source.startSeconds + Math.max(0, (source.endSeconds - source.startSeconds - animationSeconds) / 2);
    const times = Array.from({ length: count }, (_, index) => from + index / toNumber(animationRate));
    const inside = times.filter((time) => time < source.endSeconds || time === from);
    pictures = await readFrames(tools, source, inside, { ...size, signal: options.signal });
  }
  const scale = `scale=w=${size.width}:h=${size.height}:flags=bicubic`;
  const { encoders } = tools.ffmpeg.capabilities;
  const webp = ['libwebp_anim', 'libwebp'].find((name) => encoders.has(name));
  const file = stem + (webp ? '.webp' : '.gif');
  const encoder = webp
    ? ['-vf', scale, '-c:v', webp, '-quality', '70', '-loop', '0', '-f', 'webp']
    : ['-vf', `${scale},split[a][b];[a]palettegen[p];[b][p]paletteuse`, '-loop', '0', '-f', 'gif'];
  await encodePictures(tools, pictures, animationRate, encoder, file, options.signal);
  return file;
}
