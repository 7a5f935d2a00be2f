import type { Progress } from '../../shared/domain/job.ts';
import type { RunningPlan } from '../../shared/domain/model.ts';

/** Seconds as `45 s`, `3:05` or `1:02:09`. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '');
}

/** A rate that stays readable whether it is 0.04 or 2,400 a second. */
export function formatRate(perSecond: number, unit: string): string {
  const singular = unit.replace(/s$/, '');
  if (perSecond > 0 && perSecond < 0.5) return `${formatNumber(1 / perSecond)} s/${singular || 'item'}`;
  return `${formatNumber(perSecond)} ${unit || 'items'}/s`;
}

/** Three significant digits, without an exponent. */
export function formatNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(6, digits));
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let index = 0;
  while (value >= 1000 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${index === 0 ? value : formatNumber(value)} ${units[index]}`;
}

/** What a model takes while it generates: `1.2 GB`, or `6.1 GB as int8` where its weights do not fit otherwise. */
export function formatRunning({ bytes, form, fits }: RunningPlan): string {
  const how = { float32: '', float16: ' as float16', int8: ' as int8', streamed: ' streamed from disk' }[form];
  return `${formatBytes(bytes)}${how}${fits ? '' : ', more than there is'}`;
}

/** `Learning: identity 120/600 steps, 3.20 steps/s, 2:30 left, loss 0.123` */
export function formatProgress(title: string, progress: Progress): string {
  const counted =
    progress.total > 0
      ? ` ${formatCount(progress.done)}/${formatCount(progress.total)}${progress.unit ? ` ${progress.unit}` : ''}`
      : '';
  const parts = [`${title}: ${progress.phase}${counted}`, ...progressDetails(progress)];
  return parts.join(', ');
}

/** Rate, time left, loss and message: whatever of them is known. */
export function progressDetails(progress: Progress): string[] {
  const parts: string[] = [];
  if (progress.perSecond !== null) parts.push(formatRate(progress.perSecond, progress.unit));
  if (progress.etaSeconds !== null && progress.done < progress.total) {
    parts.push(`${formatDuration(progress.etaSeconds)} left`);
  }
  if (progress.loss !== undefined) parts.push(`loss ${formatNumber(progress.loss)}`);
  if (progress.message) parts.push(progress.message);
  return parts;
}

function formatCount(value: number): string {
  return Number.isInteger(value) ? String(value) : formatNumber(value);
}
