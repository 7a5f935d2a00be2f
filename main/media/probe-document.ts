import { parseRational, type Rational } from '../../shared/domain/time.ts';

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
  codec_tag_string?: string;
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
  time_base?: string;
  start_time?: string;
  duration?: string;
  nb_frames?: string;
  sample_rate?: string;
  channels?: number;
  disposition?: Record<string, number>;
  tags?: Record<string, string>;
  side_data_list?: SideData[];
}

export interface ProbePacket {
  stream_index?: number;
  pts_time?: string;
  dts_time?: string;
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
  format?: {
    format_name?: string;
    start_time?: string;
    duration?: string;
    probe_score?: number;
    tags?: Record<string, string>;
  };
  streams?: ProbeStream[];
  packets?: ProbePacket[];
  frames?: ProbeFrame[];
  errors: string[];
}

/** ffmpeg's name of a stream's codec; of one that it does not know, the four characters that the file gives it. */
export function codecName({ codec_name, codec_tag_string }: ProbeStream): string {
  if (codec_name && codec_name !== 'unknown' && codec_name !== 'none') return codec_name;
  return codec_tag_string && !/^(\[0\])+$/.test(codec_tag_string) ? codec_tag_string.trim() : 'unknown';
}

/** A fraction, or what stands in for an unknown one (0/0, 0:1). */
export function rationalOr(text: string | undefined, otherwise: Rational): Rational {
  try {
    return parseRational(text ?? '');
  } catch {
    return otherwise;
  }
}

/** A fraction as a number; 0 for unknown. */
export function rationalNumber(text: string | undefined): number {
  const [numerator, denominator = '1'] = (text ?? '').split('/');
  const value = Number(numerator) / Number(denominator);
  return Number.isFinite(value) ? value : 0;
}

/** '3.667' or '00:00:03.667000000' -> seconds. */
export function secondsOr(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === 'N/A' || text === '') return otherwise;
  const seconds = text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number.isFinite(seconds) ? seconds : otherwise;
}
