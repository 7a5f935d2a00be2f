import { toNumber } from '../../shared/domain/time.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { orientationFromMatrix, orientationFromRotation, upright } from './orientation.ts';
import { describeColour } from './probe-colour.ts';
import {
  codecName,
  type ProbeDocument,
  type ProbeFrame,
  type ProbeStream,
  rationalOr,
  secondsOr,
} from './probe-document.ts';
import { parseTiming, type TimingParts } from './probe-timing.ts';
import type { AudioStream, Probe } from './probe-types.ts';

const playlists = new Set(['hls', 'concat', 'dash', 'sdp', 'webm_dash_manifest', 'imf']);
const textFormats = new Set([
  'tty',
  'lrc',
  'srt',
  'ass',
  'webvtt',
  'subviewer',
  'microdvd',
  'ffmetadata',
  'bin',
  'xbin',
  'adf',
  'idf',
]);

/** The reason why ffprobe's answer is no video, or undefined. */
export function notAVideo(document: ProbeDocument): AppError | undefined {
  const refuse = (message: string, hint: string) =>
    new AppError('unsupported-media', message, { hint, details: { ffprobe: document.errors } });
  const formats = (document.format?.format_name ?? '').split(',');
  const streams = document.streams ?? [];
  if (formats[0] === '' || streams.length === 0) {
    const incomplete = document.errors.some((line) => /(^|\] )moov atom not found$/.test(line));
    return refuse(
      incomplete
        ? 'The file cannot be opened: its index (moov) is missing. It is not a video, or was cut off before its end.'
        : 'The file is not a video, or too damaged to open.',
      'Copy or download the file again, or convert it with the program that made it.',
    );
  }
  if (formats.some((name) => playlists.has(name))) {
    return refuse('The file is a playlist that refers to other files, not a video.', 'Import the videos it refers to.');
  }
  if (formats.some((name) => textFormats.has(name)))
    return refuse('The file is text, not a video.', 'Choose a video file.');
  const still = formats.find((name) => name.endsWith('_pipe') || name === 'image2');
  if (still) {
    const kind = still === 'image2' ? '' : ` (${still.replace(/_pipe$/, '').toUpperCase()})`;
    return refuse(`The file is a picture${kind}, not a video, whatever its name says.`, 'Choose a video file.');
  }
  if (!streams.some(isMotionPicture)) {
    const hasSound = streams.some(({ codec_type }) => codec_type === 'audio');
    return refuse(`The file has no video stream${hasSound ? ', only sound' : ''}.`, 'Choose a file with pictures.');
  }
  return undefined;
}

function isMotionPicture(stream: ProbeStream): boolean {
  return stream.codec_type === 'video' && !stream.disposition?.attached_pic && !stream.disposition?.timed_thumbnails;
}

export function motionPictures(document: ProbeDocument): ProbeStream[] {
  return (document.streams ?? []).filter(isMotionPicture);
}

/**
 * The default video stream, else the largest. A stream of a single picture (by `pictures`, the number found
 * at the beginning of each stream) is a cover that is not marked as one: it is taken only where there is
 * nothing else.
 */
export function pickVideoStream(all: ProbeStream[], pictures = new Map<number, number>()): ProbeStream {
  const area = ({ width = 0, height = 0 }: ProbeStream) => width * height;
  const moving = all.filter(({ index }) => (pictures.get(index) ?? 0) > 1);
  const streams = moving.length > 0 ? moving : all;
  return streams.reduce((best, stream) => {
    const [a, b] = [best.disposition?.default ?? 0, stream.disposition?.default ?? 0];
    return b > a || (b === a && area(stream) > area(best)) ? stream : best;
  });
}

export interface ProbeParts extends TimingParts {
  path: string;
  sizeBytes: number;
  frames: ProbeFrame[];
  /** Videos among which `stream` was chosen. */
  videoCount?: number;
}

/** ffprobe's answers -> one description. Throws `unsupported-media` for a stream without a size. */
export function parseProbe(parts: ProbeParts): Probe {
  const { document, stream, frames } = parts;
  const { width: codedWidth = 0, height: codedHeight = 0 } = stream;
  if (codedWidth < 1 || codedHeight < 1) {
    throw new AppError('unsupported-media', `The size of the ${codecName(stream)} video cannot be read.`, {
      hint: 'The file is damaged, or in a format that this ffmpeg does not know: convert it to H.264 first.',
    });
  }
  const sampleAspect = rationalOr(stream.sample_aspect_ratio?.replace(':', '/'), { numerator: 1, denominator: 1 });
  const matrix = stream.side_data_list?.find((data) => data.displaymatrix !== undefined || data.rotation !== undefined);
  const rotateTag = Number(stream.tags?.rotate);
  const orientation =
    orientationFromMatrix(matrix?.displaymatrix ?? '') ??
    (Number.isFinite(matrix?.rotation) ? orientationFromRotation(matrix?.rotation ?? 0) : undefined) ??
    (Number.isFinite(rotateTag) ? orientationFromRotation(-rotateTag) : upright);
  const squareWidth = Math.max(1, Math.round(codedWidth * toNumber(sampleAspect)));
  const pixelFormat = stream.pix_fmt ?? frames[0]?.pix_fmt ?? 'unknown';
  const timing = parseTiming(parts);
  const warnings: string[] = [];
  const dolbyVision = stream.side_data_list?.find(({ dv_profile }) => dv_profile !== undefined)?.dv_profile;
  if (dolbyVision === 5) warnings.push('Dolby Vision profile 5 cannot be shown in its true colours.');
  if ((parts.videoCount ?? 1) > 1) {
    warnings.push(`The file holds ${parts.videoCount} videos; the one of ${codedWidth}x${codedHeight} was taken.`);
  }
  return {
    path: parts.path,
    sizeBytes: parts.sizeBytes,
    container: document.format?.format_name ?? 'unknown',
    streamIndex: stream.index,
    codec: codecName(stream),
    profile: stream.profile,
    pixelFormat,
    bitDepth: bitDepthOf(pixelFormat, stream.bits_per_raw_sample),
    timecode: timecodeOf(document, stream),
    hasAlpha:
      isAlphaFormat(pixelFormat) ||
      Object.entries(stream.tags ?? {}).some(([key, value]) => /^alpha_mode$/i.test(key) && value === '1'),
    codedWidth,
    codedHeight,
    sampleAspect,
    orientation,
    width: orientation.transpose ? codedHeight : squareWidth,
    height: orientation.transpose ? squareWidth : codedHeight,
    ...timing,
    interlaced:
      /^(tt|bb|tb|bt)$/.test(stream.field_order ?? '') || frames.some(({ interlaced_frame }) => interlaced_frame === 1),
    colour: describeColour(stream, frames[0], pixelFormat),
    audio: soundStreams(document),
    warnings,
  };
}

/** The sound streams in the file's order. */
export function soundStreams(document: ProbeDocument): AudioStream[] {
  return (document.streams ?? []).filter(({ codec_type }) => codec_type === 'audio').map(toAudioStream);
}

function toAudioStream(stream: ProbeStream): AudioStream {
  const language = stream.tags?.language;
  return {
    index: stream.index,
    codec: codecName(stream),
    sampleRate: Number(stream.sample_rate) || 0,
    channels: stream.channels ?? 0,
    durationSeconds: secondsOr(stream.duration, Number.NaN) || undefined,
    language: language && language !== 'und' ? language : undefined,
    isDefault: stream.disposition?.default === 1,
  };
}

/** The first that is said: by the video itself, by a track of timecodes, by the file. */
function timecodeOf({ streams = [], format }: ProbeDocument, video: ProbeStream): string | undefined {
  const tags = [video, ...streams, format].flatMap((each) => Object.entries(each?.tags ?? {}));
  return tags.find(([name]) => /^timecode$/i.test(name))?.[1];
}

function isAlphaFormat(pixelFormat: string): boolean {
  return /^(yuva|rgba|bgra|argb|abgr|gbrap|ya8|ya16|pal8|ayuv|vuya)/.test(pixelFormat);
}

function bitDepthOf(pixelFormat: string, raw: string | undefined): number {
  const planar = /p(9|10|12|14|16)(le|be)?$/.exec(pixelFormat)?.[1];
  if (planar) return Number(planar);
  if (/^(rgb|bgr)48|^(rgba|bgra)64|gray16|ya16/.test(pixelFormat)) return 16;
  if (/^(p010|x2rgb10|y210|v210)/.test(pixelFormat)) return 10;
  return Number(raw) || 8;
}
