import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type TableName, tableName } from '../../../shared/domain/evaluation-table.ts';
import type { ActionWrapper } from '../context.ts';
import { addPlaceOptions, listening, type PlaceOptions, preparePlace } from '../evaluation/common-options.ts';
import { tableText } from '../evaluation/table/table-text.ts';
import { writeTable } from '../evaluation/table/write-table.ts';
import { parseInteger, parseNumber, parsePlace } from '../options.ts';

interface TableOptions extends PlaceOptions {
  fast?: boolean;
  hours?: number;
  rows?: string[];
  scenes?: number;
  learningSeeds?: number;
  noiseSeeds?: number;
  effort?: number;
  clips?: boolean;
  metrics?: string;
}

const about: Readonly<Record<TableName, string>> = {
  table1: 'Ranks, stages and regularisers side by side, as in table 1 of Set-and-Sequence.',
  table2: 'All methods side by side, as in table 2 of Set-and-Sequence.',
  ablation: 'What each regulariser, the rank, the steps and the dropout of Set-and-Sequence are worth.',
  dreamvideo:
    "One subject's looks with another's motion, as in tables 1 and 5 of DreamVideo, against the rendered truth.",
  'dreamvideo-subjects': 'Subjects doing other things at other places, as in table 2 of DreamVideo.',
  'dreamvideo-motions': 'Motions done by others at other places, as in table 3 of DreamVideo.',
  wide: 'Four methods on thirty scenes of any kind, with every kind of edit that fits.',
};

/** `evaluate table1 | table2 | ablation | dreamvideo | wide`: methods side by side. */
export function registerTables(evaluate: Command, run: ActionWrapper): void {
  for (const table of tableName.options) {
    const command = evaluate
      .command(table)
      .description(
        `${about[table]} Every method learns as long; edits are made from pure noise and by the editor's defaults.`,
      )
      .option('--fast', 'two scenes, few rows and a sixteenth of the time: a first look, too rough to compare methods')
      .option('--hours <n>', 'start nothing new after this many hours, and report what is done', parseHours)
      .option('--rows <list>', 'only these rows, by name', parseRows)
      .option('--scenes <n>', 'only the first n scenes', parseInteger(1, 1000))
      .option('--learning-seeds <n>', 'how often each method learns a scene', parseInteger(1, 20))
      .option('--noise-seeds <n>', 'how many clips of each edit', parseInteger(1, 20))
      .option('--effort <x>', 'learn this many times as long as the default recipe', parseNumber(0.001, 10));
    command.option(
      '--metrics <folder>',
      'measure with your own CLIP, DINO, ArcFace and I3D too: ONNX files and their descriptions (docs/metrics.md)',
      parsePlace,
    );
    command.option('--clips', 'make clips again that were measured before tables kept them whole, for `motif study`');
    addPlaceOptions(command, 'out/evaluate-tables')
      .addHelpText(
        'after',
        `
Examples:
  motif evaluate ${table} --fast
  motif evaluate ${table} --hours 8
Run it again with the same folder to continue where it stopped, even in the middle of learning. Tables in one folder share what they have measured.`,
      )
      .action(
        run(async (context, options: TableOptions) => {
          await context.withServices({ access: 'read' }, async (services) => {
            const { model, folder, place } = await preparePlace(context, services, options);
            const {
              fast = false,
              hours,
              rows,
              scenes,
              learningSeeds,
              noiseSeeds,
              effort,
              steps,
              clips = false,
              metrics,
            } = options;
            const result = await services.engine.evaluateTable(
              {
                ...place,
                table,
                fast,
                hours: hours ?? null,
                steps: steps ?? null,
                rows: rows ?? null,
                scenes: scenes ?? null,
                learningSeeds: learningSeeds ?? null,
                noiseSeeds: noiseSeeds ?? null,
                effort: effort ?? null,
                clips,
                metrics: metrics === undefined ? null : resolve(metrics),
              },
              listening(context),
            );
            context.output.endProgress();
            const device = await services.call['device.report']();
            const { version: program } = await services.call['program.about']();
            const command = commandOf(table, options);
            const { place: own, files } = await writeTable(folder, { model, device, program, result, command });
            context.output.result(
              'table',
              { folder: own, files, model, device, result },
              `${tableText(result)}\n\n${own}: ${files.join(', ')}`,
            );
          });
        }),
      );
  }
}

/** The words that make a report again. */
function commandOf(table: TableName, options: TableOptions): string {
  const { fast, size, clips: _, ...given } = options;
  const words = Object.entries({ ...given, ...(size && { size: `${size.width}x${size.height}` }) }).map(
    ([name, value]) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${value}`,
  );
  return ['motif evaluate', table, ...(fast ? ['--fast'] : []), ...words].join(' ');
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (text.trim() !== '' && hours > 0 && hours <= 10_000) return hours;
  throw new InvalidArgumentError('Expected hours above 0, such as 8 or 0.5.');
}

function parseRows(text: string): string[] {
  const rows = text.split(',').map((row) => row.trim());
  if (rows.every((row) => row !== '')) return rows;
  throw new InvalidArgumentError('Expected names of rows, such as lora-8,set-and-sequence.');
}
