import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { AppError } from '../../shared/ipc/result.ts';
import type { Picture } from './frames.ts';
import type { MediaTools } from './locate.ts';
import { fileArgument, inputRestrictions } from './probe.ts';
import { run } from './run.ts';

const maximumBytes = 200e6;
/** As many as 16,384 x 16,384: some 800 MB while it is decoded. */
const maximumPixels = 2 ** 28;
/** Grey under transparent pictures, as under transparent videos. */
const backdrop = 128;

/** Whether a file is a PNG or a JPEG, by its first bytes. Throws `not-found`, `invalid-input` for a larger one, and `unsupported-media`. */
export function stillKind(path: string): 'png' | 'jpg' {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new AppError('not-found', `There is no picture ${path}.`);
  const name = basename(path);
  if (found.size > maximumBytes)
    throw new AppError('invalid-input', `${name} is larger than the 200 MB that a picture can have.`);
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(8);
    readSync(file, head, 0, head.length, 0);
    if (head.equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))) return 'png';
    if (head.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return 'jpg';
  } finally {
    closeSync(file);
  }
  throw new AppError('unsupported-media', `${name} is neither a PNG nor a JPEG picture.`, {
    hint: 'Save it as one of them, and choose that.',
  });
}

/**
 * A picture at a size: as large as fills it, of that the middle. Throws what `stillKind` throws, and `unsupported-media` for one that cannot be
 * decoded.
 */
export async function readStill(
  tools: MediaTools,
  path: string,
  { width, height }: { width: number; height: number },
  signal?: AbortSignal,
): Promise<Picture> {
  const kind = stillKind(path);
  const filters = [
    `format=rgba,split[picture][copy];[copy]lutrgb=r=${backdrop}:g=${backdrop}:b=${backdrop}:a=255[backdrop]`,
    '[backdrop][picture]overlay=format=rgb',
  ].join(';');
  const fit = `scale=${width}:${height}:force_original_aspect_ratio=increase:flags=bicubic+accurate_rnd,crop=${width}:${height}`;
  const chunks: Buffer[] = [];
  const { exitCode, errorTail } = await run(
    tools.ffmpeg.path,
    [
      ...['-hide_banner', '-loglevel', 'error', ...inputRestrictions, '-max_pixels', String(maximumPixels)],
      // By its kind: the demuxer of pictures by their names takes some characters in them for numbers.
      ...['-f', kind === 'png' ? 'png_pipe' : 'jpeg_pipe', '-i', fileArgument(path)],
      ...['-vf', `${filters},${fit},format=rgb24`, '-frames:v', '1', '-f', 'rawvideo', 'pipe:1'],
    ],
    {
      signal,
      onOutput: (chunk) => {
        chunks.push(chunk);
        return undefined;
      },
    },
  );
  const rgb = new Uint8Array(Buffer.concat(chunks));
  if (exitCode === 0 && rgb.length === width * height * 3) return { width, height, rgb };
  throw new AppError('unsupported-media', `${basename(path)} cannot be read as a picture.`, {
    hint: 'It may be damaged or too large. Save it again, and choose that.',
    details: { errorTail },
  });
}
