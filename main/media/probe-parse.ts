import { parseRational, type Rational, toNumber } from '../../shared/domain/time.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { orientationFromMatrix, orientationFromRotation, upright } from './orientation.ts';
import type { AudioStream, ColourDescription, Probe } from './probe-types.ts';

interface SideData {
  side_data_type?: string;
  displaymatrix?: string;
  rotation?: number;
  max_luminance?: string;
  max_content?: number;
  dv_profile?: number;
}

/** The part of ffprobe's JSON that is read here. */
export interface ProbeStream {
  index: number;
  codec_type?: string;
  codec_name?: string;
  profile?: string;
  width?: number;
  height?: number;
  pix_fmt?: string;
  bits_per_raw_sample?: string;
  sample_aspect_ratio?: string;
  field_order?: string;
  color_range?: string;
  color_space?: string;
  color_transfer?: string;
  color_primaries?: string;
  r_frame_rate?: string;
  avg_frame_rate?: string;
  start_time?: string;
  duration?: string;
  nb_frames?: string;
  sample_rate?: string;
  channels?: number;
  disposition?: Record<string, number>;
  tags?: Record<string, string>;
  side_data_list?: SideData[];
}

interface ProbePacket {
  pts_time?: string;
  duration_time?: string;
  flags?: string;
}

export interface ProbeFrame {
  pix_fmt?: string;
  interlaced_frame?: number;
  color_range?: string;
  color_space?: string;
  color_transfer?: string;
  color_primaries?: string;
  side_data_list?: SideData[];
}

export interface ProbeDocument {
  format?: { format_name?: string; start_time?: string; duration?: string; probe_score?: number };
  streams?: ProbeStream[];
  packets?: ProbePacket[];
  frames?: ProbeFrame[];
  errors: string[];
}

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
    const incomplete = document.errors.some((line) => /moov atom not found/.test(line));
    return refuse(
      incomplete
        ? 'The file cannot be opened: its index (moov) is missing. It is not a video, or was cut off before its end.'
        : 'The file is not a video, or too damaged to open.',
      'Fetch the file again, or convert it with the program that made it.',
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

/** The default video stream, else the largest. `notAVideo` has made sure that there is one. */
export function pickVideoStream(document: ProbeDocument): ProbeStream {
  const area = ({ width = 0, height = 0 }: ProbeStream) => width * height;
  const streams = (document.streams ?? []).filter(isMotionPicture);
  return streams.reduce((best, stream) => {
    const [a, b] = [best.disposition?.default ?? 0, stream.disposition?.default ?? 0];
    return b > a || (b === a && area(stream) > area(best)) ? stream : best;
  });
}

export interface ProbeParts {
  path: string;
  sizeBytes: number;
  document: ProbeDocument;
  stream: ProbeStream;
  packets: ProbePacket[];
  packetsComplete: boolean;
  frames: ProbeFrame[];
}

/** ffprobe's answers -> one description. Throws `unsupported-media` for a stream without a size. */
export function parseProbe(parts: ProbeParts): Probe {
  const { document, stream, frames } = parts;
  const { width: codedWidth = 0, height: codedHeight = 0 } = stream;
  if (codedWidth < 1 || codedHeight < 1) {
    throw new AppError('unsupported-media', `The size of the ${stream.codec_name ?? 'unknown'} video cannot be read.`, {
      hint: 'The file is damaged, or in a format that this ffmpeg does not know: convert it to H.264 first.',
    });
  }
  const sampleAspect = rationalOr(stream.sample_aspect_ratio?.replace(':', '/'), { numerator: 1, denominator: 1 });
  const matrix = stream.side_data_list?.find(({ displaymatrix }) => displaymatrix !== undefined);
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
  return {
    path: parts.path,
    sizeBytes: parts.sizeBytes,
    container: document.format?.format_name ?? 'unknown',
    streamIndex: stream.index,
    codec: stream.codec_name ?? 'unknown',
    profile: stream.profile,
    pixelFormat,
    bitDepth: bitDepthOf(pixelFormat, stream.bits_per_raw_sample),
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
    audio: (document.streams ?? []).filter(({ codec_type }) => codec_type === 'audio').map(toAudioStream),
    warnings,
  };
}

type Timing = Pick<
  Probe,
  | 'rate'
  | 'variableRate'
  | 'shortestGap'
  | 'longestGap'
  | 'frameCount'
  | 'frameCountExact'
  | 'startSeconds'
  | 'endSeconds'
  | 'claimedSeconds'
  | 'frameTimes'
>;

/** Clock ticks of a millisecond (Matroska) make gaps of a constant rate differ by as much. */
const gapTolerance = 0.002;

function parseTiming({ document, stream, packets, packetsComplete }: ProbeParts): Timing {
  const fileStart = secondsOr(document.format?.start_time, 0);
  // A packet flagged D is decoded and not shown: an edit list starts after it.
  const shown = packets.filter(({ flags }) => !flags?.includes('D'));
  const times = shown
    .map(({ pts_time }) => secondsOr(pts_time, Number.NaN) - fileStart)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  const shortestGap = gaps.reduce((least, gap) => Math.min(least, gap), Number.POSITIVE_INFINITY);
  const longestGap = gaps.reduce((most, gap) => Math.max(most, gap), 0);
  const variableRate = gaps.length > 0 && longestGap - shortestGap > gapTolerance;
  const nominal = rationalOr(stream.r_frame_rate, { numerator: 25, denominator: 1 });
  const average = rationalOr(stream.avg_frame_rate, nominal);
  const rate = variableRate ? average : plausible(nominal, gaps) ? nominal : average;
  const startSeconds = times[0] ?? Math.max(0, secondsOr(stream.start_time, 0) - fileStart);
  const claimedSeconds = secondsOr(
    stream.duration,
    secondsOr(stream.tags?.DURATION, secondsOr(document.format?.duration, 0)),
  );
  const lastDuration = secondsOr(shown.at(-1)?.duration_time, 0) || 1 / toNumber(rate);
  const readEnd = times.length > 0 ? times.at(-1)! + lastDuration : claimedSeconds || shown.length / toNumber(rate);
  const counted = Number(stream.nb_frames) || Math.round(claimedSeconds * toNumber(rate));
  return {
    rate,
    variableRate,
    shortestGap: gaps.length > 0 ? shortestGap : 1 / toNumber(rate),
    longestGap: gaps.length > 0 ? longestGap : 1 / toNumber(rate),
    frameCount: Math.max(1, packetsComplete ? shown.length : counted),
    frameCountExact: packetsComplete && shown.length > 0,
    startSeconds,
    endSeconds: packetsComplete ? readEnd : Math.max(readEnd, claimedSeconds),
    claimedSeconds,
    frameTimes: packetsComplete && times.length === shown.length && times.length > 0 ? times : undefined,
  };
}

/** r_frame_rate is the least common rate: of interlaced or odd files it is a multiple of what is shown. */
function plausible(rate: Rational, gaps: number[]): boolean {
  if (gaps.length === 0) return toNumber(rate) <= 240;
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return Math.abs(mean * toNumber(rate) - 1) < 0.05;
}

function describeColour(stream: ProbeStream, frame: ProbeFrame | undefined, pixelFormat: string): ColourDescription {
  const said = (value: string | undefined) =>
    value && value !== 'unknown' && value !== 'reserved' ? value : undefined;
  const space = said(stream.color_space) ?? said(frame?.color_space);
  const transfer = said(stream.color_transfer) ?? said(frame?.color_transfer);
  const range = said(stream.color_range) ?? said(frame?.color_range);
  const isRgb = /^(rgb|bgr|gbr|argb|abgr|pal8|0rgb|0bgr|x2rgb|monow|monob)/.test(pixelFormat);
  const isLarge = (stream.width ?? 0) >= 1280 || (stream.height ?? 0) > 576;
  const sideData = [...(stream.side_data_list ?? []), ...(frame?.side_data_list ?? [])];
  const content = sideData.map(({ max_content }) => max_content ?? 0).find((nits) => nits > 0);
  const mastering = sideData.map(({ max_luminance }) => rationalNumber(max_luminance)).find((nits) => nits > 0);
  return {
    matrix: isRgb ? 'rgb' : (matrixNames[space ?? ''] ?? (isLarge ? 'bt709' : 'bt601')),
    range: isRgb || range === 'pc' || pixelFormat.startsWith('yuvj') ? 'full' : 'limited',
    primaries: said(stream.color_primaries) ?? said(frame?.color_primaries),
    transfer,
    hdr: transfer === 'smpte2084' ? 'pq' : transfer === 'arib-std-b67' ? 'hlg' : undefined,
    peakNits: content ?? mastering,
  };
}

const matrixNames: Record<string, ColourDescription['matrix']> = {
  bt709: 'bt709',
  smpte170m: 'bt601',
  bt470bg: 'bt601',
  bt2020nc: 'bt2020',
  bt2020c: 'bt2020',
  fcc: 'fcc',
  smpte240m: 'smpte240m',
  gbr: 'rgb',
  rgb: 'rgb',
};

function toAudioStream(stream: ProbeStream): AudioStream {
  return {
    index: stream.index,
    codec: stream.codec_name ?? 'unknown',
    sampleRate: Number(stream.sample_rate) || 0,
    channels: stream.channels ?? 0,
    durationSeconds: secondsOr(stream.duration, Number.NaN) || undefined,
  };
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

function rationalOr(text: string | undefined, otherwise: Rational): Rational {
  try {
    return parseRational(text ?? '');
  } catch {
    return otherwise; // 0/0 and 0:1 mean unknown
  }
}

function rationalNumber(text: string | undefined): number {
  const [numerator, denominator = '1'] = (text ?? '').split('/');
  const value = Number(numerator) / Number(denominator);
  return Number.isFinite(value) ? value : 0;
}

/** '3.667' or '00:00:03.667000000' -> seconds. */
function secondsOr(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === 'N/A' || text === '') return otherwise;
  const seconds = text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number.isFinite(seconds) ? seconds : otherwise;
}
