import type { Statistic } from '../../../shared/domain/evaluation.ts';
import { formatDuration } from '../progress-text.ts';

/** `0.0123 ± 0.0045`, or `-` where nothing was measured. The spread is over scenes or clips, as the table says. */
export function spread({ mean, deviation }: Statistic, digits: number, factor = 1): string {
  if (mean === null) return '-';
  const told = (value: number) => (value * factor).toFixed(digits);
  return deviation === null ? told(mean) : `${told(mean)} ± ${told(deviation)}`;
}

export const percent = (value: Statistic) => spread(value, 0, 100);

export function plain(value: number | null, digits: number, factor = 1): string {
  return value === null ? '-' : (value * factor).toFixed(digits);
}

/** `1:05:00, with 3 parts of earlier runs` */
export function timeTaken({ seconds, takenOver }: { seconds: number; takenOver: number }): string {
  const kept = takenOver === 0 ? '' : `, with ${takenOver} ${takenOver === 1 ? 'part' : 'parts'} of earlier runs`;
  return formatDuration(seconds) + kept;
}
