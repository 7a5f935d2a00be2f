import type { Rational } from '../../shared/domain/time.ts';
import type { Orientation } from './orientation.ts';

export interface ColourDescription {
  /** As written in the file, or by the convention for its size where it says nothing. */
  matrix: 'bt709' | 'bt601' | 'bt2020' | 'rgb' | 'fcc' | 'smpte240m';
  range: 'limited' | 'full';
  /** ffmpeg's names, undefined when unsaid. */
  primaries: string | undefined;
  transfer: string | undefined;
  hdr: 'pq' | 'hlg' | undefined;
  /** Brightest light in the material, cd/m2, when the file tells. */
  peakNits: number | undefined;
}

export interface AudioStream {
  index: number;
  codec: string;
  sampleRate: number;
  channels: number;
  durationSeconds: number | undefined;
  /** ISO 639, such as `eng`; undefined when unsaid. */
  language: string | undefined;
  /** The file's author meant it to be heard unless another is asked for. */
  isDefault: boolean;
}

/** A picture that can be decoded without others: decoding begins at one. */
interface KeyFrame {
  shownAt: number;
  /** Its place in the order of storage, by which transport and program streams are searched. */
  storedAt: number;
}

/** What a source file is. All times are seconds from the file's start, which players show as 0. */
export interface Probe {
  path: string;
  sizeBytes: number;
  container: string;
  streamIndex: number;
  codec: string;
  profile: string | undefined;
  pixelFormat: string;
  bitDepth: number;
  /** Of the first picture, as the file has it; undefined where it has none. */
  timecode: string | undefined;
  hasAlpha: boolean;
  /** As coded, in stored pixels. */
  codedWidth: number;
  codedHeight: number;
  /** width / height of one stored pixel. */
  sampleAspect: Rational;
  orientation: Orientation;
  /** As shown: turned upright, with square pixels. */
  width: number;
  height: number;
  /** Nominal rate: constant files' exact rate, the average for variable ones. */
  rate: Rational;
  variableRate: boolean;
  /** Shortest and longest time between frames, in seconds. */
  shortestGap: number;
  longestGap: number;
  /** Frames that the file holds and shows (those that an edit list hides are not counted). */
  frameCount: number;
  /** False when the count is the container's word or an estimate. */
  frameCountExact: boolean;
  /** What the file's own clock says at its start: the one number between its clock and all other times here. */
  fileStartSeconds: number;
  /** Of the video stream, when the first frame is shown. */
  startSeconds: number;
  /** When the last frame ends, by the packets read; less than `claimedSeconds` in a truncated file. */
  endSeconds: number;
  /** How long the video is by what the container says. */
  claimedSeconds: number;
  /** Up to where the packets were read; infinite when all were. */
  scannedSeconds: number;
  /** In the part that was scanned. */
  keyFrames: KeyFrame[];
  /** Longest time from one key frame to the next, in the part that was scanned. */
  keyFrameGap: number;
  /** False for a recording cut out of a longer one: its first pictures refer to others that are gone. */
  startsWhole: boolean;
  /** False for raw streams and some AVI files, which do not tell when a picture is shown: they follow each other at `rate`. */
  hasTimes: boolean;
  /** False also where only some are told: the others are counted on from these, which goes wrong by a frame from the middle on. */
  hasEveryTime: boolean;
  /** Start of each frame in display order; undefined for files too large to scan or without times. */
  frameTimes: number[] | undefined;
  interlaced: boolean;
  colour: ColourDescription;
  audio: AudioStream[];
  warnings: string[];
}
