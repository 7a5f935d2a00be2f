import { type Rational, toNumber } from '../../shared/domain/time.ts';
import { text } from './en.ts';

const isMac = () => /mac/i.test(navigator.platform);

/** 'Ctrl Shift Z' as the keys of this machine are called: '⌘ ⇧ Z' on a Mac. */
export function keys(names: string): string {
  return isMac() ? names.replace('Ctrl', '⌘').replace('Shift', '⇧') : names;
}

/** 95 -> '1 min 35 s'. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Frames per second: '25', '23.976'. */
export function rateOf(rate: Rational): string {
  return String(Number(toNumber(rate).toFixed(3)));
}

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  const value = count / 1000 ** step;
  return `${value < 10 && step > 0 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}

export function ago(moment: string): string {
  const seconds = (Date.now() - Date.parse(moment)) / 1000;
  if (seconds < 60) return text.time.justNow;
  if (seconds < 3600) return text.time.minutesAgo(Math.floor(seconds / 60));
  if (seconds < 86_400) return text.time.hoursAgo(Math.floor(seconds / 3600));
  return new Date(moment).toLocaleDateString(undefined, { dateStyle: 'medium' });
}
