import { open, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { CropRectangle, RawFrames } from '../../shared/domain/clip.ts';
import { type Rational, toNumber } from '../../shared/domain/time.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { placeWhole } from '../files/place.ts';
import { decode, openDecoder } from './decode.ts';
import type { MediaTools } from './locate.ts';
import { fileArgument } from './probe.ts';
import type { Probe } from './probe-types.ts';
import { run, writeTo } from './run.ts';

/** rgb: uint8 [height, width, 3]. */
export interface Picture {
  width: number;
  height: number;
  rgb: Uint8Array;
}

export interface ReadRequest {
  width: number;
  height: number;
  crop?: CropRectangle | null;
  /** Take the nearest key frame instead of the exact one: much faster in long, large files. */
  keyFrames?: boolean;
  signal?: AbortSignal | undefined;
}

/** Times closer than this are read in one go, since seeking costs about as much. */
const seekWorthSeconds = 4;

/**
 * The pictures on screen at the given times (seconds from the file's start), in the order given, as width x
 * height. Throws `unsupported-media` when nothing can be decoded there.
 */
export async function readFrames(
  tools: MediaTools,
  probe: Probe,
  times: readonly number[],
  request: ReadRequest,
): Promise<Picture[]> {
  const decoder = await openDecoder(tools, probe);
  const found = new Map<number, Picture>();
  const tolerance = probe.shortestGap / 4;
  for (const group of groupTimes(times, request.keyFrames ? 0 : seekWorthSeconds)) {
    const waiting = [...group];
    let previous: Picture | undefined;
    await decode(probe, decoder, {
      fromSeconds: Math.min(group[0]!, probe.endSeconds),
      toSeconds: group.at(-1)! + probe.longestGap,
      picture: { crop: request.crop ?? null, fit: 'crop', width: request.width, height: request.height },
      keyFramesOnly: request.keyFrames ?? false,
      signal: request.signal,
      onFrame: (rgb, seconds) => {
        const picture = { width: request.width, height: request.height, rgb };
        while (waiting.length > 0 && previous && (request.keyFrames || seconds > waiting[0]! + tolerance)) {
          found.set(waiting.shift()!, previous);
        }
        previous = picture;
        return waiting.length > 0 && !request.keyFrames;
      },
    });
    for (const time of waiting) if (previous) found.set(time, previous);
  }
  return times.map((time) => {
    const picture = found.get(time);
    if (picture) return picture;
    throw new AppError('unsupported-media', `No frame of ${probe.path} could be decoded at ${time.toFixed(2)} s.`, {
      hint: 'The file is damaged there: choose another time.',
    });
  });
}

/** Sorted, without repetition, in runs whose neighbours are at most `reach` apart. */
function groupTimes(times: readonly number[], reach: number): number[][] {
  const groups: number[][] = [];
  for (const time of [...new Set(times)].sort((a, b) => a - b)) {
    const last = groups.at(-1);
    if (last && time - last.at(-1)! <= reach) last.push(time);
    else groups.push([time]);
  }
  return groups;
}

/**
 * When frame `index` of the source is on screen. Exact for every file small enough to be scanned, also at a
 * variable rate.
 */
export function frameTime(probe: Probe, index: number): number {
  return probe.frameTimes?.[index] ?? probe.startSeconds + index / toNumber(probe.rate);
}

/** Size that fits a picture into a square of `maximumSide`, never enlarged, sides even. */
export function fitInside(
  size: { width: number; height: number },
  maximumSide: number,
): { width: number; height: number } {
  const scale = Math.min(1, maximumSide / Math.max(size.width, size.height));
  const even = (value: number) => Math.max(2, Math.round((value * scale) / 2) * 2);
  return { width: even(size.width), height: even(size.height) };
}

/** The given frames of a raw file; each index must be inside. */
export async function readRawFrames(frames: RawFrames, indices: readonly number[]): Promise<Picture[]> {
  const { width, height, frameCount } = frames;
  const file = await open(frames.file, 'r');
  try {
    const pictures: Picture[] = [];
    for (const index of indices) {
      if (!(index >= 0 && index < frameCount))
        throw new RangeError(`expected a frame below ${frameCount}, found ${index}`);
      const rgb = new Uint8Array(width * height * 3);
      const { bytesRead } = await file.read(rgb, 0, rgb.length, index * rgb.length);
      if (bytesRead < rgb.length) {
        throw new AppError('damaged-file', `${frames.file} ends before frame ${index}.`, {
          hint: 'Import the clip again.',
        });
      }
      pictures.push({ width, height, rgb });
    }
    return pictures;
  } finally {
    await file.close();
  }
}

const stillEncoders: Record<string, string[]> = {
  '.png': ['-c:v', 'png', '-pix_fmt', 'rgb24'],
  '.jpg': ['-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj420p'],
  '.webp': ['-c:v', 'libwebp', '-quality', '82'],
};

/** Writes one picture as .png, .jpg or .webp, by the file's extension. The file appears whole. */
export async function writeStill(
  tools: MediaTools,
  picture: Picture,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const encoder = stillEncoders[extname(file).toLowerCase()];
  if (!encoder) throw new AppError('invalid-input', `${file}: images are written as .png, .jpg or .webp.`);
  await encodePictures(tools, [picture], { numerator: 1, denominator: 1 }, encoder, file, signal);
}

/** Pictures of one size -> one file, with the given encoder arguments. */
export async function encodePictures(
  tools: MediaTools,
  pictures: readonly Picture[],
  rate: Rational,
  encoder: readonly string[],
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const { width, height } = pictures[0]!;
  const single = pictures.length === 1 && !encoder.includes('-loop');
  const args = [
    ...['-hide_banner', '-loglevel', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'rgb24'],
    ...['-video_size', `${width}x${height}`, '-framerate', `${rate.numerator}/${rate.denominator}`, '-i', 'pipe:0'],
    ...encoder,
    // A single picture goes through standard output: the image muxer reads meaning into names.
    ...(single ? ['-frames:v', '1', '-f', 'image2pipe', 'pipe:1'] : []),
  ];
  await placeWhole(file, async (partial) => {
    const chunks: Buffer[] = [];
    const { exitCode, errorTail } = await run(
      tools.ffmpeg.path,
      [...args, ...(single ? [] : [fileArgument(partial)])],
      {
        signal,
        writeInput: async (pipe) => {
          for (const { rgb } of pictures) await writeTo(pipe, rgb);
        },
        onOutput: (chunk) => {
          chunks.push(chunk);
          return undefined;
        },
      },
    );
    if (exitCode !== 0) {
      throw new AppError('internal', `ffmpeg could not write ${file}: ${errorTail.at(-1) ?? ''}`, {
        details: { errorTail },
      });
    }
    if (single) await writeFile(partial, Buffer.concat(chunks));
  });
}
