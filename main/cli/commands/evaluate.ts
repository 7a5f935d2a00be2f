import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { usualDetail } from '../../../shared/domain/edit.ts';
import { recipe as recipeSchema } from '../../../shared/domain/recipe.ts';
import { parseInput } from '../../../shared/ipc/result.ts';
import type { ActionWrapper, Registration } from '../context.ts';
import { addCommonOptions, type CommonOptions, listening, prepare, seedsOf } from '../evaluation/common-options.ts';
import { formatConceptReport } from '../evaluation/concept-report.ts';
import { formatFinishReport } from '../evaluation/finish-report.ts';
import { formatModelReport } from '../evaluation/model-report.ts';
import { importFolder } from '../evaluation/real-clips.ts';
import { report } from '../evaluation/write-report.ts';
import { addRecipeOptions, type RecipeOptions, recipeOf } from '../learn-options.ts';
import { parseInteger } from '../options.ts';
import { registerEvaluateEdits } from './evaluate-edits.ts';
import { registerTables } from './evaluate-table.ts';
import { registerEvaluateTwin } from './evaluate-twin.ts';

interface ModelOptions extends CommonOptions {
  prompts: number;
  lookPrompts: number;
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
      'Measures a model, concepts learned on it, how edits are finished, or all methods side by side, on rendered scenes whose ground truth is known.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  motif evaluate model --prompts 20\n  motif evaluate concept --seeds 0..90\n  motif evaluate finish --seeds 0..40\n  motif evaluate table2 --fast',
    );
  registerModel(evaluate, run);
  registerConcept(evaluate, run);
  registerFinish(evaluate, run);
  registerTables(evaluate, run);
  registerEvaluateEdits(evaluate, run);
  registerEvaluateTwin(evaluate, run);
};

function registerModel(evaluate: Command, run: ActionWrapper): void {
  const command = evaluate
    .command('model')
    .description('Measures the autoencoder, and text to video against what the prompts say.')
    .option('--prompts <n>', 'clips made from the captions of test seeds; 0 leaves them out', parseInteger(0), 200)
    .option(
      '--look-prompts <n>',
      'as many clips again of each light, season, style and film, everything else plain, from the same seeds',
      parseInteger(0),
      0,
    )
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
  motif evaluate model --prompts 0 --world-clips 0 --look-prompts 8 --seeds 0..390
Run it again with the same folder to continue where it stopped.`,
    )
    .action(
      run(async (context, options: ModelOptions, command: Command) => {
        const seeds = seedsOf(options, Math.max(1, options.prompts, options.worldClips), command);
        await context.withServices({ access: 'read' }, async (services) => {
          const { model, folder, common } = await prepare(context, services, options);
          const realClips = options.clips
            ? await importFolder(context, services, model, common.size, resolve(options.clips), join(folder, 'clips'))
            : [];
          const { prompts, lookPrompts, worldClips } = options;
          const result = await services.engine.evaluateModel(
            { ...common, seeds, prompts, lookPrompts, worldClips, realClips },
            listening(context),
          );
          const ofLooks = lookPrompts > 0 ? `${lookPrompts} of each look, ` : '';
          const measured = `${Math.min(prompts, seeds.length)} prompts, ${ofLooks}${Math.min(worldClips, seeds.length)} test scenes, ${realClips.length} real clips`;
          await report(context, services, model, folder, result, measured, formatModelReport(result));
        });
      }),
    );
}

function registerConcept(evaluate: Command, run: ActionWrapper): void {
  const command = evaluate
    .command('concept')
    .description(
      'Learns the scene of every test seed, makes every edit whose ground truth is known, also from prompts alone, as sampled and as finished, and moves the sliders.',
    )
    .option('--gains <list>', 'positions of both sliders', parseGains, [0, 0.5, 1, 1.25, 1.5])
    .option('--no-lora', 'skip the plain LoRA of rank 8');
  addRecipeOptions(command);
  addCommonOptions(command, 'out/evaluate-concept')
    .addHelpText(
      'after',
      `
Examples:
  motif evaluate concept --seeds 0..90
  motif evaluate concept --seeds 0..0 --steps-identity 150 --steps-motion 250 --no-lora
Run it again with the same folder to continue where it stopped, even in the middle of learning.`,
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
      'Finishes edits whose ground truth is known, perfect ones and those from prompts alone, at four times the size and twice the frame rate of the model, and compares them with the same edits enlarged.',
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
Run it again with the same folder to continue where it stopped.`,
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
