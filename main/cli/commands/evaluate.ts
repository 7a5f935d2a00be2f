import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { usualDetail } from '../../../shared/domain/edit.ts';
import type { DeviceReport, EngineEvent } from '../../../shared/domain/engine.ts';
import type { EvaluationSize, SheetRow, UsedSampling } from '../../../shared/domain/evaluation.ts';
import type { ModelInfo } from '../../../shared/domain/model.ts';
import { recipe as recipeSchema } from '../../../shared/domain/recipe.ts';
import { parseInput } from '../../../shared/ipc/result.ts';
import { writeWhole } from '../../files/place.ts';
import { drawContactSheet } from '../../media/contact-sheet.ts';
import type { Services } from '../../services/services.ts';
import type { ActionWrapper, CommandContext, Registration } from '../context.ts';
import { formatConceptReport } from '../evaluation/concept-report.ts';
import { formatFinishReport } from '../evaluation/finish-report.ts';
import { formatModelReport } from '../evaluation/model-report.ts';
import { importFolder } from '../evaluation/real-clips.ts';
import { addRecipeOptions, type RecipeOptions, recipeOf } from '../learn-options.ts';
import { parseInteger, parseNumber, parsePlace, parseSize } from '../options.ts';
import { formatDuration } from '../progress-text.ts';

interface CommonOptions {
  seeds?: [first: number, last: number];
  judge?: string;
  steps?: number;
  guidance?: number;
  seed?: number;
  size?: { width: number; height: number };
  frames?: number;
  output: string;
}

interface ModelOptions extends CommonOptions {
  prompts: number;
  worldClips: number;
  clips?: string;
}

interface FinishOptions extends CommonOptions {
  details: number[];
}

interface ConceptOptions extends CommonOptions, RecipeOptions {
  gains: number[];
  lora: boolean;
}

export const registerEvaluate: Registration = (program, run) => {
  const evaluate = program
    .command('evaluate')
    .description(
      'Measures a model, concepts learned on it, or how edits are finished, on rendered scenes whose truth is known.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  motif evaluate model --prompts 20\n  motif evaluate concept --seeds 0..90\n  motif evaluate finish --seeds 0..40',
    );
  registerModel(evaluate, run);
  registerConcept(evaluate, run);
  registerFinish(evaluate, run);
};

function registerModel(evaluate: Command, run: ActionWrapper): void {
  const command = evaluate
    .command('model')
    .description('Measures the autoencoder, and text to video against what the prompts say.')
    .option('--prompts <n>', 'clips made from the captions of test seeds; 0 leaves them out', parseInteger(0), 200)
    .option('--world-clips <n>', 'rendered test scenes for the autoencoder', parseInteger(0), 60)
    .option('--clips <folder>', 'real videos for the autoencoder too')
    .option('--seed <n>', 'the same seed samples the same clips', parseInteger(0));
  addCommonOptions(command, 'out/evaluate-model')
    .addHelpText(
      'after',
      `
Examples:
  motif evaluate model
  motif evaluate model --prompts 20 --world-clips 20 --clips my-videos
  motif evaluate model --seeds 0..990 --json
Run again with the same folder, it goes on where it was stopped.`,
    )
    .action(
      run(async (context, options: ModelOptions, command: Command) => {
        const seeds = seedsOf(options, Math.max(1, options.prompts, options.worldClips), command);
        await context.withServices({ access: 'read' }, async (services) => {
          const { model, folder, common } = await prepare(context, services, options);
          const realClips = options.clips
            ? await importFolder(context, services, model, common.size, resolve(options.clips), join(folder, 'clips'))
            : [];
          const { prompts, worldClips } = options;
          const result = await services.engine.evaluateModel(
            { ...common, seeds, prompts, worldClips, realClips },
            listening(context),
          );
          const measured = `${Math.min(prompts, seeds.length)} prompts, ${Math.min(worldClips, seeds.length)} test scenes, ${realClips.length} real clips`;
          await report(context, services, model, folder, result, measured, formatModelReport(result));
        });
      }),
    );
}

function registerConcept(evaluate: Command, run: ActionWrapper): void {
  const command = evaluate
    .command('concept')
    .description(
      'Learns the scene of every test seed, makes every edit whose truth is known, also by words alone, as sampled and as finished, and moves the sliders.',
    )
    .option('--gains <list>', 'positions of both sliders', parseGains, [0, 0.5, 1, 1.25, 1.5])
    .option('--no-lora', 'without the plain LoRA of rank 8 beside it');
  addRecipeOptions(command);
  addCommonOptions(command, 'out/evaluate-concept')
    .addHelpText(
      'after',
      `
Examples:
  motif evaluate concept --seeds 0..90
  motif evaluate concept --seeds 0..0 --steps-identity 150 --steps-motion 250 --no-lora
Run again with the same folder, it goes on where it was stopped, within a learning too.`,
    )
    .action(
      run(async (context, options: ConceptOptions, command: Command) => {
        const seeds = seedsOf(options, 10, command);
        const recipe = parseInput(recipeSchema, recipeOf(options));
        await context.withServices({ access: 'read' }, async (services) => {
          const { model, folder, common } = await prepare(context, services, options);
          const result = await services.engine.evaluateConcept(
            { ...common, seeds, recipe, gains: options.gains, withLora: options.lora },
            listening(context),
          );
          const measured = `${seeds.length} test seeds (${seeds[0]} to ${seeds.at(-1)}), learned in ${recipe.stepsIdentity} + ${recipe.stepsMotion} steps`;
          await report(context, services, model, folder, result, measured, formatConceptReport(result, recipe));
        });
      }),
    );
}

function registerFinish(evaluate: Command, run: ActionWrapper): void {
  const command = evaluate
    .command('finish')
    .description(
      'Finishes edits whose truth is known, perfect ones and those by words alone, at four times the size and twice the rate of the model, and measures them beside the edits themselves, enlarged.',
    )
    .option('--details <list>', 'how much of the detail is kept, each as a row', parseDetails, [
      1,
      usualDetail,
      0.5,
      0,
    ]);
  addCommonOptions(command, 'out/evaluate-finish')
    .addHelpText(
      'after',
      `
Examples:
  motif evaluate finish
  motif evaluate finish --seeds 0..40 --details 1,0.75
Run again with the same folder, it goes on where it was stopped.`,
    )
    .action(
      run(async (context, options: FinishOptions, command: Command) => {
        const seeds = seedsOf(options, 20, command);
        await context.withServices({ access: 'read' }, async (services) => {
          const { model, folder, common } = await prepare(context, services, options);
          const request = { ...common, seeds, details: options.details };
          const result = await services.engine.evaluateFinish(request, listening(context));
          const measured = `${seeds.length} test seeds (${seeds[0]} to ${seeds.at(-1)}), finished at ${result.size.width} x ${result.size.height}`;
          await report(context, services, model, folder, result, measured, formatFinishReport(result));
        });
      }),
    );
}

function addCommonOptions(command: Command, output: string): Command {
  return command
    .option('--seeds <a..b>', 'test seeds of this range: those that end in 0', parseSeeds)
    .option('--steps <n>', 'sampling steps of each clip', parseInteger(1, 200))
    .option('--guidance <g>', 'how strongly prompts are followed', parseNumber(0, 30))
    .option('--size <wxh>', 'another size than those of the model', parseSize)
    .option('--frames <n>', 'another length than that of the model', parseInteger(1, 1000))
    .option('--judge <folder>', 'the judge, if not the one that comes with the program')
    .option('-o, --output <folder>', 'where tables, contact sheets and finished parts are written', parsePlace, output);
}

/** `0..990` -> the first and the last seed. */
function parseSeeds(text: string): [number, number] {
  const [, first, last] = /^(\d{1,9})\.\.(\d{1,9})$/.exec(text) ?? [];
  if (first === undefined || Number(first) > Number(last)) {
    throw new InvalidArgumentError('Expected FIRST..LAST, such as 0..990.');
  }
  return [Number(first), Number(last)];
}

function parseGains(text: string): number[] {
  const gains = text.split(',').filter(Boolean).map(Number);
  if (gains.length > 0 && gains.every((gain) => Math.abs(gain) <= 4)) return gains;
  throw new InvalidArgumentError('Expected numbers from -4 to 4, such as 0,0.5,1,1.5.');
}

function parseDetails(text: string): number[] {
  const details = text.split(',').filter(Boolean).map(Number);
  if (details.length > 0 && details.every((detail) => detail >= 0 && detail <= 1)) return details;
  throw new InvalidArgumentError('Expected numbers from 0 to 1, such as 1,0.75,0.5.');
}

/** The test seeds of the range, or the first `count` of all. */
function seedsOf({ seeds }: CommonOptions, count: number, command: Command): number[] {
  if (!seeds) return Array.from({ length: count }, (_, index) => 10 * index);
  const first = 10 * Math.ceil(seeds[0] / 10);
  if (first > seeds[1]) command.error(`error: ${seeds.join('..')} holds no test seed, that is none that ends in 0.`);
  return Array.from({ length: 1 + Math.floor((seeds[1] - first) / 10) }, (_, index) => first + 10 * index);
}

async function prepare(context: CommandContext, services: Services, options: CommonOptions) {
  const model = await services.call['models.get']({ model: context.global.model });
  const folder = resolve(options.output);
  await mkdir(folder, { recursive: true });
  const common = {
    model: model.directory,
    judge: options.judge === undefined ? join(services.resources, 'models/motif-judge') : resolve(options.judge),
    size: sizeOf(model, options),
    sampling: { steps: options.steps ?? null, guidance: options.guidance ?? null, seed: options.seed ?? 1 },
    outputFolder: folder,
  };
  return { model, folder, common };
}

function sizeOf(model: ModelInfo, { size, frames }: CommonOptions): EvaluationSize | null {
  if (!size && frames === undefined) return null;
  const [width, height] = model.sizes[0]!;
  return { width, height, ...size, frameCount: frames ?? model.frameCount };
}

function listening({ output, signal }: CommandContext) {
  return {
    signal,
    onEvent(event: EngineEvent) {
      if (event.type === 'progress') output.progress('Evaluating', event.progress);
    },
  };
}

interface Evaluated {
  sampling: UsedSampling;
  sheet: SheetRow[];
  seconds: number;
  takenOver: number;
}

/** Writes the contact sheets, the numbers and their tables, and answers the command. */
async function report(
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
  const { sampling, seconds, takenOver } = result;
  return [
    `Model ${model.name}: ${measured}; sampled in ${sampling.steps} steps, guidance ${sampling.guidance}, seed ${sampling.seed}.`,
    `Computed by ${device.chosen} (${device.description}), ${device.threads} threads, in ${formatDuration(seconds)}${
      takenOver > 0 ? `, with ${takenOver} parts of an earlier run` : ''
    }.`,
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
