import type { ExportPreset } from '../../shared/domain/export.ts';
import type { Capabilities } from './capabilities.ts';

/** One way to encode; the ffmpeg at hand decides which of a preset's ways is taken. */
export interface EncoderChoice {
  encoder: string;
  pixelFormat: string;
  /** For pictures of more than 8 bits, where the encoder can: they stay so. */
  deepFormat?: string | undefined;
  hardware: boolean;
  /** quality: on the preset's own crf scale, lower is better. */
  arguments: (quality: number) => string[];
}

export interface Preset {
  /** ffmpeg's name of the container; `image2` writes a folder of pictures. */
  muxer: string;
  muxerArguments: string[];
  defaultQuality: number;
  bestToWorst: [number, number];
  /** Width and height must be multiples of these (chroma is stored at a fraction of the size). */
  multiple: [number, number];
  audio: string[] | undefined;
  /** BT.709 by tag; the others carry RGB. */
  isYuv: boolean;
  choices: EncoderChoice[];
}

const software = (
  encoder: string,
  pixelFormat: string,
  args: EncoderChoice['arguments'],
  deepFormat?: string,
): EncoderChoice => ({
  encoder,
  pixelFormat,
  deepFormat,
  hardware: false,
  arguments: args,
});
const hardware = (encoder: string, args: EncoderChoice['arguments'], pixelFormat = 'yuv420p'): EncoderChoice => ({
  encoder,
  pixelFormat,
  hardware: true,
  arguments: args,
});

const crf = (quality: number) => ['-crf', String(quality)];
/** VideoToolbox counts from 1 to 100, best. */
const appleQuality = (worst: number) => (quality: number) => [
  '-q:v',
  String(Math.round(Math.max(1, 100 - (quality / worst) * 75))),
];
const nvidia = (quality: number) => ['-preset', 'slow', '-rc', 'vbr', '-cq', String(Math.max(1, quality)), '-b:v', '0'];
const intel = (quality: number) => ['-global_quality', String(Math.max(1, quality))];
const amd = (quality: number) => ['-rc', 'cqp', '-qp_i', String(quality), '-qp_p', String(quality)];

const mp4 = { muxer: 'mp4', muxerArguments: ['-movflags', '+faststart+write_colr'] };
const aac = ['-c:a', 'aac', '-b:a', '192k'];

export const presets: Record<ExportPreset, Preset> = {
  h264: {
    ...mp4,
    defaultQuality: 18,
    bestToWorst: [0, 51],
    multiple: [2, 2],
    audio: aac,
    isYuv: true,
    choices: [
      hardware('h264_videotoolbox', appleQuality(51)),
      hardware('h264_nvenc', nvidia),
      hardware('h264_qsv', intel, 'nv12'),
      hardware('h264_amf', amd),
      // crf 0 alone would be the lossless High 4:4:4 profile, which most players refuse.
      software('libx264', 'yuv420p', (quality) => [
        '-preset',
        'medium',
        ...crf(Math.max(1, quality)),
        '-profile:v',
        'high',
      ]),
      software('libopenh264', 'yuv420p', (quality) => ['-b:v', `${Math.round(20_000 * 2 ** ((18 - quality) / 6))}k`]),
    ],
  },
  h265: {
    ...mp4,
    defaultQuality: 20,
    bestToWorst: [0, 51],
    multiple: [2, 2],
    audio: aac,
    isYuv: true,
    choices: [
      hardware('hevc_videotoolbox', (quality) => [...appleQuality(51)(quality), '-tag:v', 'hvc1']),
      hardware('hevc_nvenc', (quality) => [...nvidia(quality), '-tag:v', 'hvc1']),
      hardware('hevc_qsv', (quality) => [...intel(quality), '-tag:v', 'hvc1'], 'nv12'),
      hardware('hevc_amf', (quality) => [...amd(quality), '-tag:v', 'hvc1']),
      // Apple's players ask for the tag hvc1.
      software(
        'libx265',
        'yuv420p',
        (quality) => [...['-preset', 'medium', ...crf(quality), '-tag:v', 'hvc1', '-x265-params', 'log-level=error']],
        'yuv420p10le',
      ),
    ],
  },
  av1: {
    ...mp4,
    defaultQuality: 28,
    bestToWorst: [0, 63],
    multiple: [2, 2],
    audio: aac,
    isYuv: true,
    choices: [
      hardware('av1_nvenc', nvidia),
      hardware('av1_qsv', intel, 'nv12'),
      hardware('av1_amf', amd),
      software('libsvtav1', 'yuv420p', (quality) => ['-preset', '6', ...crf(Math.max(1, quality))], 'yuv420p10le'),
      software(
        'libaom-av1',
        'yuv420p',
        (quality) => [
          ...[
            '-strict',
            'experimental',
            '-cpu-used',
            '8',
            '-b:v',
            '0',
            ...crf(quality),
            '-row-mt',
            '1',
            '-tiles',
            '2x1',
          ],
        ],
        'yuv420p10le',
      ),
      software('librav1e', 'yuv420p', (quality) => ['-speed', '8', '-qp', String(quality * 4)]),
    ],
  },
  prores: {
    muxer: 'mov',
    muxerArguments: ['-movflags', '+write_colr'],
    defaultQuality: 9,
    bestToWorst: [1, 31],
    multiple: [2, 1],
    audio: ['-c:a', 'pcm_s16le'],
    isYuv: true,
    choices: [
      software(
        'prores_ks',
        'yuv422p10le',
        (quality) => ['-profile:v', 'hq', '-vendor', 'apl0', '-qscale:v', String(quality)],
        'yuv422p10le',
      ),
      hardware('prores_videotoolbox', () => ['-profile:v', 'hq'], 'p210le'),
    ],
  },
  gif: {
    muxer: 'gif',
    muxerArguments: ['-loop', '0'],
    defaultQuality: 0,
    bestToWorst: [0, 0],
    multiple: [1, 1],
    audio: undefined,
    isYuv: false,
    choices: [software('gif', 'pal8', () => [])],
  },
  png: {
    muxer: 'image2',
    muxerArguments: ['-start_number', '0'],
    defaultQuality: 0,
    bestToWorst: [0, 0],
    multiple: [1, 1],
    audio: undefined,
    isYuv: false,
    choices: [software('png', 'rgb24', () => [], 'rgb48be')],
  },
};

/** GIF counts in hundredths of a second, and players slow down below two of them. */
export const highestGifRate = 50;

/** Both sides at the nearest multiple the preset can store, never 0. */
export function storableSize(preset: Preset, width: number, height: number): { width: number; height: number } {
  const [acrossStep, downStep] = preset.multiple;
  const nearest = (value: number, step: number) => Math.max(step, Math.round(value / step) * step);
  return { width: nearest(width, acrossStep), height: nearest(height, downStep) };
}

/**
 * What tells players that the pictures are BT.709: options for older ffmpeg, whose encoders take their tags from there, and a
 * last filter for newer ones (7.1 on), whose encoders take them from the frames.
 */
export function bt709Tags({ filters }: Pick<Capabilities, 'filters'>): { filters: string[]; arguments: string[] } {
  const tag = 'setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv';
  return {
    filters: filters.has('setparams') ? [tag] : [],
    arguments: [
      ...['-color_primaries', 'bt709', '-color_trc', 'bt709'],
      ...['-colorspace', 'bt709', '-color_range', 'tv'],
    ],
  };
}
