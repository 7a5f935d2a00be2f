import { dirname, extname, resolve } from 'node:path';
import type { RawFrames } from '../../shared/domain/clip.ts';
import { type ExportSettings, exportPresets } from '../../shared/domain/export.ts';
import { type Rational, toNumber } from '../../shared/domain/time.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { checkPlace, chooseFile, exists, requireWritable } from '../files/file-names.ts';
import type { EncoderTrials } from './encoder-choice.ts';
import type { PictureStream } from './finished-pictures.ts';
import type { MediaTools } from './locate.ts';
import { highestGifRate, type Preset, storableSize } from './presets.ts';
import { fileArgument, inputRestrictions, probeSound } from './probe.ts';
import type { MediaProgress } from './progress.ts';
import { chooseSoundStream, listSound, soundFilters } from './sound.ts';

export interface ExportRequest {
  /** Stored pictures, or ones that are made while they are written. */
  frames: RawFrames | PictureStream;
  settings: ExportSettings;
  /** A file; its extension is replaced by the preset's. For `png` a folder. */
  target: string;
  /**
   * Where `audio: original` and `rate: source` come from; `path` is null for a clip without a file of its
   * own.
   */
  source?: { path: string | null; fromSeconds: number; hasAudio: boolean; rate: Rational } | undefined;
  /** `false` for the same file on every machine. */
  hardware?: boolean | undefined;
  trials?: EncoderTrials | undefined;
  signal?: AbortSignal | undefined;
  /**
   * Told where the file is made before it is moved to its place; answers what to call when it is there no
   * more.
   */
  onPartial?: ((partial: string) => () => void) | undefined;
  onProgress?: ((progress: MediaProgress) => void) | undefined;
}

/** Frames per second to write, in the bounds of the preset. */
export function chooseRate({ settings, frames, source }: ExportRequest, warnings: string[]): Rational {
  if (settings.rate === 'source' && !source) {
    throw new AppError('invalid-input', 'The rate "source" needs the clip that the frames came from.', {
      hint: 'Give a number instead, or leave the rate out.',
    });
  }
  const rate = settings.rate === 'source' ? source!.rate : (settings.rate ?? frames.rate);
  if (settings.preset === 'gif' && toNumber(rate) > highestGifRate) {
    warnings.push(`GIF shows at most ${highestGifRate} frames per second.`);
    return { numerator: highestGifRate, denominator: 1 };
  }
  if (toNumber(rate) > 240) {
    throw new AppError('invalid-input', `A rate of ${toNumber(rate)} frames per second is too high.`, {
      hint: 'Choose at most 240.',
    });
  }
  return rate;
}

/** The size to write: as asked, rounded to what the preset can store. */
export function chooseSize(
  preset: Preset,
  { settings, frames }: ExportRequest,
  warnings: string[],
): { width: number; height: number } {
  const asked = askedSize(settings, frames);
  const size = storableSize(preset, asked.width, asked.height);
  const stretch = (asked.width * frames.height) / (asked.height * frames.width);
  if (Math.abs(Math.log(stretch)) > 0.02)
    warnings.push(
      `${asked.width}x${asked.height} is another shape than ${frames.width}x${frames.height}: the picture is stretched. ${asked.width}x${Math.round((asked.width * frames.height) / frames.width)} would keep its shape.`,
    );
  if (size.width !== asked.width || size.height !== asked.height) {
    warnings.push(
      `${settings.preset} stores even sizes only: ${size.width}x${size.height} instead of ${asked.width}x${asked.height}.`,
    );
  }
  return size;
}

/** One side alone keeps the shape. */
function askedSize(
  { width, height }: ExportSettings,
  frames: ExportRequest['frames'],
): { width: number; height: number } {
  if (width && height) return { width, height };
  if (width) return { width, height: Math.max(1, Math.round((width * frames.height) / frames.width)) };
  if (height) return { width: Math.max(1, Math.round((height * frames.width) / frames.height)), height };
  return frames;
}

/** The crf asked for, or the preset's own. */
export function chooseQuality(
  { bestToWorst: [best, worst], defaultQuality }: Preset,
  { crf, preset }: ExportSettings,
  warnings: string[],
): number {
  if (crf === undefined) return defaultQuality;
  if (best === worst) {
    warnings.push(`${preset} has one quality only: --crf ${crf} was left out.`);
    return defaultQuality;
  }
  if (crf >= best && crf <= worst) return crf;
  throw new AppError('invalid-input', `--crf ${crf} is outside ${best} to ${worst}, the scale of ${preset}.`, {
    hint: `${defaultQuality} is the default; lower is better and larger.`,
  });
}

export interface Sound {
  inputArguments: string[];
  outputArguments: string[];
}

/** The arguments for the source's sound in the range of the frames; undefined for silence. */
export async function chooseSound(
  preset: Preset,
  { settings, source, frames, signal }: ExportRequest,
  warnings: string[],
  tools: MediaTools,
): Promise<Sound | undefined> {
  if (settings.audio === 'none') return undefined;
  if (!preset.audio) {
    warnings.push(`${settings.preset} holds no sound.`);
    return undefined;
  }
  if (!source) {
    throw new AppError('invalid-input', 'The original sound needs the clip that the frames came from.', {
      hint: 'Export with --audio none.',
    });
  }
  if (!source.hasAudio) {
    warnings.push('The clip has no sound.');
    return undefined;
  }
  if (source.path === null) {
    throw new AppError('not-found', 'The clip came with a concept, which has frames but no sound.', {
      hint: 'Import the video itself and learn or edit from that, or export with --audio none.',
    });
  }
  if (!(await exists(source.path))) {
    throw new AppError('not-found', `The clip ${source.path} is gone, and its sound with it.`, {
      hint: 'Put it back, or export with --audio none.',
    });
  }
  const path = resolve(source.path);
  const { streams, fileStartSeconds } = await probeSound(tools, path, signal);
  const stream = chooseSoundStream(streams, settings.sound);
  if (!stream) {
    warnings.push('The clip has no sound.');
    return undefined;
  }
  if (settings.sound === undefined && streams.length > 1) {
    warnings.push(`The clip has sound ${listSound(streams)}; ${streams.indexOf(stream) + 1} was taken.`);
  }
  // By the file's own clock, as the pictures: what ffmpeg counts from otherwise depends on which streams are
  // read.
  const fromSeconds = fileStartSeconds + source.fromSeconds;
  const seconds = frames.frameCount / toNumber(frames.rate);
  const seek = source.fromSeconds - leadSeconds;
  return {
    inputArguments: [
      ...[...inputRestrictions, '-copyts'],
      ...(seek > 0 ? ['-seek_timestamp', '1', '-noaccurate_seek', '-ss', (fileStartSeconds + seek).toFixed(6)] : []),
      ...['-i', fileArgument(path)],
    ],
    outputArguments: [
      ...['-map', `1:${stream.index}`, '-filter:a', soundFilters(stream, { fromSeconds, seconds }), ...preset.audio],
      ...(stream.language ? ['-metadata:s:a:0', `language=${stream.language}`] : []),
    ],
  };
}

/** Sound may lie this much apart from the pictures of its time, by which a file is searched. */
const leadSeconds = 2;

/** The file to write, by the preset's extension and what is to happen when it exists. */
export async function chooseTarget({ settings, target }: ExportRequest): Promise<string> {
  const given = resolve(target);
  await checkPlace(given);
  const known = /^\.(mp4|mov|m4v|webm|mkv|gif|png)$/i.test(extname(given));
  const file = (known ? given.slice(0, -extname(given).length) : given) + exportPresets[settings.preset].extension;
  await checkPlace(file);
  await requireWritable(dirname(file));
  return chooseFile(file, settings.overwrite);
}
