import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../../../files/place.ts';
import { tableCsv } from './table-csv.ts';
import { type ReportInput, tableReport } from './table-report.ts';
import { tableMarkdown } from './table-text.ts';

/**
 * Writes a table as JSON, CSV, Markdown and a report of one file into a folder of its own below the evaluation's ->
 * that folder and their names.
 */
export async function writeTable(
  folder: string,
  input: Omit<ReportInput, 'picture'>,
): Promise<{ place: string; files: string[] }> {
  const { model, device, result } = input;
  const picture = (strip: string) => {
    const file = join(folder, strip);
    return existsSync(file) ? `data:image/webp;base64,${readFileSync(file).toString('base64')}` : null;
  };
  const files: Record<string, string> = {
    'report.html': tableReport({ ...input, picture }),
    'table.csv': tableCsv(result),
    'table.md': tableMarkdown(input),
    'table.json': `${JSON.stringify({ model, device, result }, null, 1)}\n`,
  };
  const place = join(folder, result.table);
  for (const [name, content] of Object.entries(files)) await writeWhole(join(place, name), content);
  return { place, files: Object.keys(files) };
}
