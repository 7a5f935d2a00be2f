import type { EvaluateTableResult } from '../../../../shared/domain/evaluation-table.ts';
import { columnNames } from './column-words.ts';

/**
 * Every cell of every row and way on a line of its own, with its interval and the difference of the first
 * method to that row (RFC 4180).
 */
export function tableCsv({ rows, comparisons }: EvaluateTableResult): string {
  const header =
    'way,row,label,column,mean,low,high,scenes,missing,difference,difference low,difference high,p,p by Holm';
  const lines = rows.flatMap(({ way, row, label, cells }) =>
    columnNames.flatMap((column) => {
      const { interval, missing } = cells[column] ?? {};
      if (!interval) return [];
      const found = comparisons.find((each) => each.way === way && each.other === row && each.column === column);
      const { mean, low, high } = found?.difference ?? {};
      return [
        [
          way,
          row,
          label,
          column,
          interval.mean,
          interval.low,
          interval.high,
          interval.scenes,
          missing,
          mean,
          low,
          high,
          found?.p,
          found?.corrected,
        ]
          .map(field)
          .join(','),
      ];
    }),
  );
  return `${[header, ...lines].join('\r\n')}\r\n`;
}

function field(value: string | number | null | undefined): string {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
