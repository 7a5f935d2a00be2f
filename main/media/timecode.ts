import { type Rational, toNumber } from '../../shared/domain/time.ts';

/**
 * The timecode so many seconds after another, in a clip of this rate (SMPTE ST 12-1): hh:mm:ss:ff, or with a semicolon before the frames
 * where numbers are dropped (two a minute at 29.97, four at 59.94, but for every tenth). Null for what is no timecode.
 */
export function timecodeAfter(timecode: string, seconds: number, rate: Rational): string | null {
  const [, hours, minutes, secs, mark, frames] = /^(\d\d):([0-5]\d):([0-5]\d)([:;.])(\d\d)$/.exec(timecode) ?? [];
  if (mark === undefined) return null;
  const base = Math.round(toNumber(rate));
  if (base < 1 || Number(frames) >= base) return null;
  const dropped = mark === ':' ? 0 : Math.round(base / 15);
  const minute = 60 * Number(hours) + Number(minutes);
  const start = (60 * minute + Number(secs)) * base + Number(frames) - dropped * (minute - Math.floor(minute / 10));
  const perMinute = 60 * base - dropped;
  const perTenMinutes = 10 * perMinute + dropped;
  const frame = (start + Math.round(seconds * toNumber(rate))) % (144 * perTenMinutes);
  const [tens, rest] = [Math.floor(frame / perTenMinutes), frame % perTenMinutes];
  const skipped = dropped * (9 * tens + (rest < 60 * base ? 0 : 1 + Math.floor((rest - 60 * base) / perMinute)));
  const counted = frame + skipped;
  const parts = [counted / base / 3600, (counted / base / 60) % 60, (counted / base) % 60].map(Math.floor);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${parts.map(two).join(':')}${mark}${two(counted % base)}`;
}
