import { mkdir, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RawFrames } from '../../shared/domain/clip.ts';
import { exportPresets } from '../../shared/domain/export.ts';
import { type Rational, toNumber } from '../../shared/domain/time.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { notWritable } from '../files/file-names.ts';
import { requireFreeSpace } from '../files/free-space.ts';
import { placeWhole } from '../files/place.ts';
import { type ChosenEncoder, encoderChoices } from './encoder-choice.ts';
import {
  chooseQuality,
  chooseRate,
  chooseSize,
  chooseSound,
  chooseTarget,
  type ExportRequest,
  type Sound,
} from './export-options.ts';
import type { MediaTools } from './locate.ts';
import { encodeFilters, rgbFormat } from './picture-filters.ts';
import { bt709Tags, type EncoderChoice, type Preset, presets } from './presets.ts';
import { fileArgument } from './probe.ts';
import { createProgressParser, type MediaProgress } from './progress.ts';
import { run, writeTo } from './run.ts';

export interface Exported {
  file: string;
  sizeBytes: number;
  width: number;
  height: number;
  frameCount: number;
  rate: Rational;
  encoder: string;
  warnings: string[];
}

/**
 * Encodes raw frames with one of the presets: BT.709, exact frame count, written beside the target and moved
 * there whole. Throws `invalid-input`, `not-found` (frames or the source of the sound), `conflict` (target
 * exists and is not to be replaced), `unsupported-media` (no encoder), `out-of-space`, `cancelled`.
 */
export async function exportFrames(tools: MediaTools, request: ExportRequest): Promise<Exported> {
  const { frames, settings, signal } = request;
  const preset = presets[settings.preset];
  if (isStored(frames)) await checkFrames(frames);
  const warnings: string[] = [];
  const rate = chooseRate(request, warnings);
  const size = chooseSize(preset, request, warnings);
  const frameCount = Math.max(1, Math.round((frames.frameCount * toNumber(rate)) / toNumber(frames.rate)));
  const quality = chooseQuality(preset, settings, warnings);
  const sound = await chooseSound(preset, request, warnings, tools);
  const target = await chooseTarget(request);
  await requireFreeSpace(
    dirname(target),
    frameCount * size.width * size.height * exportPresets[settings.preset].bytesPerPixel,
  );
  const choices = await encoderChoices(tools, settings.preset, size, {
    hardware: request.hardware ?? true,
    isDeep: !isStored(frames) && frames.isDeep,
    trials: request.trials,
    signal,
  });
  let finish: (() => void) | undefined;
  const encoder = await placeWhole(target, async (partial) => {
    finish = request.onPartial?.(partial);
    const job: EncodeJob = { request, preset, quality, rate, size, frameCount, sound, partial };
    for (const [index, chosen] of choices.entries()) {
      try {
        await encode(job, chosen);
        return chosen.choice.encoder;
      } catch (error) {
        // Hardware that passed its trial can still fail (its sessions are few): the next way is tried.
        if (!chosen.choice.hardware || signal?.aborted || index === choices.length - 1) throw error;
        warnings.push(`The hardware encoder ${chosen.choice.encoder} failed; the processor encoded instead.`);
        await rm(partial, { recursive: true, force: true });
      }
    }
    throw new Error(`expected an encoder for ${settings.preset}, found none`);
  }).finally(() => finish?.());
  if (encoder === 'libaom-av1') {
    warnings.push('AV1 was encoded by libaom, which is slow: an ffmpeg with libsvtav1 does it many times faster.');
  }
  const sizeBytes = await sizeOf(target);
  return { file: target, sizeBytes, ...size, frameCount, rate, encoder, warnings };
}

/** Of a file, or of all files of a folder. */
async function sizeOf(path: string): Promise<number> {
  const information = await stat(path);
  if (!information.isDirectory()) return information.size;
  const sizes = await Promise.all((await readdir(path)).map(async (name) => (await stat(join(path, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const isStored = (frames: ExportRequest['frames']): frames is RawFrames => 'file' in frames;

/** What is finished is made in 16 bits where the source has more than 8, or what is written always has. */
function staysDeep(frames: ExportRequest['frames'], { pixelFormat, deepFormat }: EncoderChoice): boolean {
  return !isStored(frames) && deepFormat !== undefined && (frames.isDeep || deepFormat === pixelFormat);
}

async function checkFrames(frames: RawFrames): Promise<void> {
  const expected = frames.frameCount * frames.width * frames.height * 3;
  const information = await stat(frames.file).catch((cause) => {
    throw new AppError('not-found', `The frames ${frames.file} are gone.`, { hint: 'Render the edit again.', cause });
  });
  if (information.size === expected) return;
  throw new AppError(
    'damaged-file',
    `The frames ${frames.file} should have ${expected} bytes and have ${information.size}.`,
    { hint: 'Render the edit again.' },
  );
}

/**
 * Of the source only its sound goes out: no title, place, chapter (which MP4 stores as a track of its own) or
 * tag of a stream.
 */
const nothingElse = [
  ...['-map_metadata', '-1', '-map_metadata:s', '-1', '-map_metadata:c', '-1', '-map_chapters', '-1'],
  ...['-dn', '-sn'],
];

/** Counted on from the source's, where the pictures are its own one by one. */
function timecodeArguments({ request: { frames }, preset, rate }: EncodeJob): string[] {
  if (isStored(frames) || frames.timecode === null || toNumber(rate) !== toNumber(frames.rate)) return [];
  return ['mp4', 'mov'].includes(preset.muxer) ? ['-timecode', frames.timecode] : [];
}

interface EncodeJob {
  request: ExportRequest;
  preset: Preset;
  quality: number;
  rate: Rational;
  size: { width: number; height: number };
  frameCount: number;
  sound: Sound | undefined;
  partial: string;
}

async function encode(job: EncodeJob, { ffmpeg, choice }: ChosenEncoder): Promise<void> {
  const { request, preset, size, sound, partial } = job;
  const isGif = request.settings.preset === 'gif';
  const working = isGif ? await mkdtemp(join(tmpdir(), 'motif-')) : undefined;
  try {
    const tags = preset.isYuv ? bt709Tags(ffmpeg.capabilities) : { filters: [], arguments: [] };
    const isDeep = staysDeep(request.frames, choice);
    const pixelFormat = isGif ? 'rgb24' : isDeep ? choice.deepFormat! : choice.pixelFormat;
    const filters = [...encodeFilters(preset.isYuv, pixelFormat, size), ...tags.filters].join(',');
    let graph = ['-vf', filters];
    if (working) {
      // Two passes: the best 256 colours of the whole clip, then every frame drawn with them.
      await runEncoder(job, ffmpeg.path, isDeep, [
        '-vf',
        `${filters},palettegen=stats_mode=full`,
        '-frames:v',
        '1',
        join(working, 'palette.png'),
      ]);
      graph = [
        ...['-i', join(working, 'palette.png')],
        ...['-lavfi', `[0:v]${filters}[picture];[picture][1:v]paletteuse=dither=sierra2_4a:diff_mode=rectangle`],
      ];
    }
    if (preset.muxer === 'image2') await mkdir(partial, { recursive: true });
    await runEncoder(
      job,
      ffmpeg.path,
      isDeep,
      [
        ...(sound?.inputArguments ?? []),
        ...graph,
        ...(sound ? ['-map', '0:v:0', ...sound.outputArguments] : []),
        ...nothingElse,
        ...timecodeArguments(job),
        ...(isGif ? [] : ['-c:v', choice.encoder]),
        ...choice.arguments(job.quality),
        ...tags.arguments,
        ...preset.muxerArguments,
        ...['-f', preset.muxer],
        preset.muxer === 'image2' ? join(partial.replaceAll('%', '%%'), '%05d.png') : fileArgument(partial),
      ],
      request.onProgress,
    );
  } finally {
    if (working) await rm(working, { recursive: true, force: true });
  }
}

/** Feeds the frames at the output's rate and runs ffmpeg with `args` after that input. */
async function runEncoder(
  { request, rate, frameCount, size }: EncodeJob,
  program: string,
  isDeep: boolean,
  args: string[],
  onProgress?: (progress: MediaProgress) => void,
): Promise<void> {
  const { frames, signal } = request;
  const given = isStored(frames) ? frames : frames.sizeFor(size);
  const input = [
    ...['-hide_banner', '-loglevel', 'error', '-nostats', '-y', '-progress', 'pipe:1'],
    ...['-f', 'rawvideo', '-pix_fmt', rgbFormat(isDeep), '-video_size', `${given.width}x${given.height}`],
    ...['-framerate', `${rate.numerator}/${rate.denominator}`, '-i', 'pipe:0'],
  ];
  const parse = createProgressParser({ frames: frameCount });
  const { exitCode, errorTail } = await run(program, [...input, ...args], {
    signal,
    onOutput: (chunk) => {
      for (const progress of parse(chunk.toString('utf8'))) onProgress?.(progress);
      return undefined;
    },
    writeInput: async (pipe) => {
      const put = (bytes: Uint8Array) => writeTo(pipe, bytes);
      if (isStored(frames)) await writeStored(frames, rate, frameCount, put);
      else await frames.write({ ...size, rate, frameCount, isDeep }, put, signal);
    },
  });
  if (exitCode === 0) return;
  const said = errorTail.at(-1) ?? '';
  if (/: No space left on device$/m.test(errorTail.join('\n'))) {
    throw new AppError('out-of-space', 'The disk is full.', { hint: 'Free some space and export again.' });
  }
  if (/: (Permission denied|Read-only file system|Operation not permitted)$/m.test(errorTail.join('\n')))
    throw notWritable(dirname(request.target));
  throw new AppError('internal', `ffmpeg could not write the ${request.settings.preset} file: ${said}`, {
    hint:
      request.settings.audio === 'original'
        ? 'Try again with --audio none, another preset or a smaller size.'
        : 'Try another preset or a smaller size.',
    details: { errorTail: errorTail.slice(-8), exitCode },
  });
}

async function writeStored(
  frames: RawFrames,
  rate: Rational,
  frameCount: number,
  put: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const file = await open(frames.file, 'r');
  try {
    const bytes = Buffer.alloc(frames.width * frames.height * 3);
    let loaded = -1;
    for (const index of frameOrder(frames, rate, frameCount)) {
      if (index !== loaded) await file.read(bytes, 0, bytes.length, index * bytes.length);
      loaded = index;
      await put(bytes);
    }
  } finally {
    await file.close();
  }
}

/** Which stored frame each written frame shows, at another rate and the same speed. */
export function frameOrder(
  frames: Pick<RawFrames, 'frameCount' | 'rate'>,
  rate: Rational,
  frameCount: number,
): number[] {
  const ratio = toNumber(frames.rate) / toNumber(rate);
  return Array.from({ length: frameCount }, (_, index) =>
    Math.min(frames.frameCount - 1, Math.floor((index + 0.5) * ratio)),
  );
}
