import { AppError } from '../../../shared/ipc/result.ts';
import { encoderChoices } from '../../media/encoder-choice.ts';
import type { MediaTools } from '../../media/locate.ts';
import { encodeFilters } from '../../media/picture-filters.ts';
import { presets } from '../../media/presets.ts';
import { run } from '../../media/run.ts';

export interface PictureSize {
  width: number;
  height: number;
}

const clipSeconds = 2.5;
const clipRate = 24;

/** A moving clip in H.264; another `hue` makes another clip. */
export async function makeBenchClip(
  tools: MediaTools,
  file: string,
  { width, height }: PictureSize,
  hue: number,
  signal: AbortSignal,
): Promise<void> {
  const picture = `testsrc2=size=${width}x${height}:rate=${clipRate}:duration=${clipSeconds},hue=h=${hue}`;
  const encoding = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'];
  await ffmpeg(tools, ['-f', 'lavfi', '-i', picture, ...encoding, file], signal);
}

/** ffmpeg alone decodes the first pictures of a clip, scales them to a size and encodes them as the export would -> milliseconds. */
export async function timeFfmpeg(
  tools: MediaTools,
  { file, output, size, frameCount }: { file: string; output: string; size: PictureSize; frameCount: number },
  signal: AbortSignal,
): Promise<number> {
  const [chosen] = await encoderChoices(tools, 'h264', size, { hardware: true, signal });
  const { encoder, pixelFormat, arguments: quality } = chosen!.choice;
  const scaled = ['-frames:v', `${frameCount}`, '-vf', encodeFilters(true, pixelFormat, size).join(',')];
  const encoded = ['-c:v', encoder, ...quality(presets.h264.defaultQuality), ...presets.h264.muxerArguments];
  const started = performance.now();
  await ffmpeg(tools, ['-i', file, ...scaled, ...encoded, '-f', 'mp4', output], signal);
  return performance.now() - started;
}

/** The first picture of a file: uint8 RGB [height, width, 3]. */
export async function firstPicture(tools: MediaTools, file: string, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const asRgb = ['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  await ffmpeg(tools, ['-i', file, ...asRgb], signal, (chunk) => {
    chunks.push(chunk);
  });
  return new Uint8Array(Buffer.concat(chunks));
}

async function ffmpeg(
  { ffmpeg }: MediaTools,
  words: string[],
  signal: AbortSignal,
  onOutput?: (chunk: Buffer) => void,
): Promise<void> {
  const { exitCode, errorTail } = await run(ffmpeg.path, ['-hide_banner', '-loglevel', 'error', '-y', ...words], {
    signal,
    ...(onOutput && {
      onOutput: (chunk) => {
        onOutput(chunk);
        return undefined;
      },
    }),
  });
  if (exitCode !== 0)
    throw new AppError('unsupported-media', `ffmpeg cannot do what is to be compared: ${errorTail.at(-1) ?? ''}`, {
      hint: '`motif doctor` says what this ffmpeg lacks.',
    });
}
