import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceReport } from '../../../shared/domain/engine.ts';
import type { SheetRow, UsedSampling } from '../../../shared/domain/evaluation.ts';
import type { ModelInfo } from '../../../shared/domain/model.ts';
import { writeWhole } from '../../files/place.ts';
import { drawContactSheet } from '../../media/contact-sheet.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext } from '../context.ts';
import { timeTaken } from './numbers.ts';

interface Evaluated {
  sampling: UsedSampling;
  sheet: SheetRow[];
  seconds: number;
  takenOver: number;
}

/** Writes the contact sheets, the numbers and their tables, and answers the command. */
export async function report(
  context: CommandContext,
  services: Services,
  model: ModelInfo,
  folder: string,
  result: Evaluated,
  measured: string,
  tables: string,
): Promise<void> {
  context.output.endProgress();
  const device = await services.call['device.report']();
  const sheets = await drawSheets(folder, model, result.sheet);
  const text = `${heading(model, device, result, measured)}\n\n${tables}`;
  const value = { model, device, measured, result };
  await writeWhole(join(folder, 'evaluation.json'), `${JSON.stringify(value, null, 1)}\n`);
  await writeWhole(join(folder, 'evaluation.txt'), `${text}\n`);
  context.output.result(
    'evaluation',
    { folder, contactSheets: sheets, ...value },
    `${text}\n\n${folder}: ${['evaluation.json', ...sheets].join(', ')}`,
  );
}

/** What the numbers are worth: how many of what, sampled how, computed by what. */
function heading(model: ModelInfo, device: DeviceReport, result: Evaluated, measured: string): string {
  const { sampling } = result;
  return [
    `Model ${model.name}: ${measured}; sampled in ${sampling.steps} steps, guidance ${sampling.guidance}, seed ${sampling.seed}.`,
    `Computed by ${device.chosen} (${device.description}), ${device.threads} threads, in ${timeTaken(result)}.`,
  ].join('\n');
}

/** One contact sheet for each group of rows -> the names of the files. */
async function drawSheets(folder: string, model: ModelInfo, rows: SheetRow[]): Promise<string[]> {
  const there = rows.filter(({ frames }) => existsSync(frames.file)); // pictures of an earlier run may have been cleared away
  const groups = [...new Set(there.map(({ group }) => group))];
  const files: string[] = [];
  for (const group of groups) {
    const file = groups.length === 1 ? 'contact-sheet.png' : `contact-sheet-${group.replaceAll(' ', '-')}.png`;
    const picture = await drawContactSheet(
      there.filter((row) => row.group === group),
      { title: `${model.name}, ${group}`, pictureHeight: 96 },
    );
    await writeWhole(join(folder, file), picture);
    files.push(file);
  }
  return files;
}
