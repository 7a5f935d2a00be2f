import type { Command } from 'commander';
import type { CommandContext, Registration } from '../context.ts';
import { tellLearningTime } from '../expected-time.ts';
import {
  addCaptionOptions,
  addRecipeOptions,
  type CaptionOptions,
  captionsOf,
  type RecipeOptions,
  recipeOf,
} from '../learn-options.ts';
import { parseSeconds } from '../options.ts';
import { formatDuration, formatNumber } from '../progress-text.ts';
import { runLearn } from '../run-job.ts';
import { checkRange, clipIdOf } from './import.ts';

interface LearnOptions extends CaptionOptions, RecipeOptions {
  from?: number;
  to?: number;
  name?: string;
}

export const registerLearn: Registration = (program, run) => {
  const command = program
    .command('learn')
    .description('Learns a concept, the identity and the motion of one clip; several clips make a joint concept.')
    .argument('<clip...>', 'video files (imported first) or clips of the library');
  addRecipeOptions(addCaptionOptions(command))
    .option('--from <time>', 'where the range to learn starts (one file only)', parseSeconds)
    .option('--to <time>', 'where it ends', parseSeconds)
    .option('--name <name>', 'a name for the concept')
    .addHelpText(
      'after',
      `
Examples:
  motif learn dance.mp4 --from 2.0 --to 4.1 --static "a [v] person in a blue jacket, in a park" \\
    --dynamic "is dancing in [u] motion, as the camera zooms in"
  motif learn CLIP --static "a [v] dog" --dynamic "is running in [u] motion" --recipe lora --rank 8
  motif learn CLIP1 CLIP2 --static "a [v] man" --static "a [v] woman" --dynamic "is waving in [u] motion"
Ctrl-C stops after the current step; motif jobs resume JOB continues from there.`,
    )
    .action(
      run(async (context, references: string[], options: LearnOptions, command: Command) => {
        checkRange(options, command);
        if (references.length > 1 && (options.from !== undefined || options.to !== undefined)) {
          command.error('error: --from and --to need exactly one clip.');
        }
        const captions = captionsOf(options, references.length, command);
        await context.withServices({ access: 'write' }, async (services) => {
          const clips = [];
          for (const [index, reference] of references.entries()) {
            clips.push({ clipId: await clipIdOf(context, services, reference, options), caption: captions[index]! });
          }
          const request = {
            clips,
            recipe: recipeOf(options),
            name: options.name,
            model: context.global.model ?? null,
          };
          const learned = await runLearn(context, services, request, () =>
            tellLearningTime(context, services, request),
          );
          await reportConcept(context, services, learned.conceptId, learned.version);
        });
      }),
    );
};

/** The concept as the result of a command. */
export async function reportConcept(
  context: CommandContext,
  services: Parameters<typeof runLearn>[1],
  conceptId: string,
  version: number,
): Promise<void> {
  const concept = await services.call['concepts.get']({ reference: conceptId, version });
  const { seconds, reconstructionPsnr } = concept.metrics;
  const told = [
    `${concept.recipe.method}, rank ${concept.rank}`,
    ...(seconds === undefined ? [] : [`learned in ${formatDuration(seconds)}`]),
    ...(reconstructionPsnr === undefined ? [] : [`reconstruction ${formatNumber(reconstructionPsnr)} dB`]),
  ];
  if (concept.captions.length > 1) {
    context.output.note('In prompts, the first clip is [v] and [u], the second [v2] and [u2], and so on.');
  }
  context.output.result('concept', { concept }, `${concept.id}  ${concept.name} (${told.join(', ')})`);
}
