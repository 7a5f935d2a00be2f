import type { Command } from 'commander';
import type { Registration } from '../context.ts';
import { addRecipeOptions, type RecipeOptions, recipeOf } from '../learn-options.ts';
import { runLearn } from '../run-job.ts';
import { reportConcept } from './learn.ts';

export const registerCompose: Registration = (program, run) => {
  const command = program
    .command('compose')
    .description('Learns several concepts again as one: a shared identity basis, the motions jointly.')
    .argument('<concept...>', 'two concepts or more; their clips and captions are used');
  addRecipeOptions(command)
    .option('--name <name>', 'a name for the joint concept')
    .addHelpText(
      'after',
      `
Examples:
  motif compose dancer dog --name together
  motif compose dancer dog --rank 16 --steps-motion 2000
  motif edit together --prompt "a [v] person is dancing in [u] motion beside a dog"`,
    )
    .action(
      run(async (context, references: string[], options: RecipeOptions & { name?: string }, command: Command) => {
        if (references.length < 2) command.error('error: give two concepts or more.');
        await context.withServices({ access: 'write' }, async (services) => {
          const concepts = references.map((reference) => services.concepts.get(reference));
          const learned = await runLearn(context, services, {
            clips: concepts.flatMap((concept) =>
              concept.clipIds.map((clipId, index) => ({ clipId, caption: concept.captions[index]! })),
            ),
            recipe: recipeOf(options),
            name: options.name ?? concepts.map((concept) => concept.name).join(' and '),
            model: context.global.model ?? concepts[0]!.model,
          });
          reportConcept(context, services, learned.conceptId, learned.version);
        });
      }),
    );
};
