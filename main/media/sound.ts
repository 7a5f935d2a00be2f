import { AppError } from '../../shared/ipc/result.ts';
import type { AudioStream } from './probe-types.ts';

/**
 * Peaks of a mix are kept below this share of full scale: lossy encoders add up to 5 dB to the loudest noise.
 */
const mixPeak = 0.5;

/**
 * The stream that is heard: number `asked` (from 1), else the first that its author marked as the default,
 * else the first. Throws `invalid-input` for a number that there is not, with what there is.
 */
export function chooseSoundStream(streams: readonly AudioStream[], asked?: number): AudioStream | undefined {
  if (asked === undefined) return streams.find(({ isDefault }) => isDefault) ?? streams[0];
  const chosen = streams[asked - 1];
  if (chosen || streams.length === 0) return chosen;
  throw new AppError('invalid-input', `The clip has no sound ${asked}, only ${listSound(streams)}.`, {
    hint: 'Choose one of these numbers, or leave it out for the default.',
  });
}

/** `1 (English, 5.1) and 2 (German, stereo)` */
export function listSound(streams: readonly AudioStream[]): string {
  const names = new Intl.DisplayNames(['en'], { type: 'language' });
  const layouts: Record<number, string> = { 1: 'mono', 2: 'stereo', 6: '5.1', 8: '7.1' };
  const described = streams.map(({ language, channels }, index) => {
    const spoken = language && languageName(names, language);
    return `${index + 1} (${[spoken, layouts[channels] ?? `${channels} channels`].filter(Boolean).join(', ')})`;
  });
  return new Intl.ListFormat('en').format(described);
}

function languageName(names: Intl.DisplayNames, code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code; // not a code of ISO 639, whatever the file says
  }
}

/**
 * The filters that cut a range out of a stream whose times are the file's own (`-copyts`), so that it begins
 * at 0 with silence where the sound begins later, and mix it to stereo. More than two channels are mixed at
 * weights whose sum is 1, and true peaks limited.
 */
export function soundFilters(
  { channels, sampleRate }: AudioStream,
  range: { fromSeconds: number; seconds?: number | undefined },
): string {
  const from = range.fromSeconds.toFixed(6);
  const end = range.seconds === undefined ? '' : `:end=${(range.fromSeconds + range.seconds).toFixed(6)}`;
  const cut = [`atrim=start=${from}${end}`, `asetpts=PTS-${from}/TB`];
  const inTime = 'async=1:first_pts=0';
  const stereo = 'aformat=channel_layouts=stereo';
  if (channels <= 2) return [...cut, `aresample=${inTime}`, stereo].join(',');
  const rate = sampleRate || 48_000;
  return [
    ...cut,
    // Four times as many samples show the peaks between them.
    `aresample=${4 * rate}:${inTime}:rematrix_maxval=1`,
    stereo,
    `alimiter=limit=${mixPeak}:level=disabled:attack=1:release=50`,
    `aresample=${rate}`,
  ].join(',');
}
