import type { Statistic } from '../../../shared/domain/evaluation.ts';

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
