import type { Command } from 'commander';
import type { Registration } from '../context.ts';
import { addRecipeOptions, type RecipeOptions, recipeOf } from '../learn-options.ts';
import { runLearn } from '../run-job.ts';
import { reportConcept } from './learn.ts';

interface ComposeOptions extends RecipeOptions {
  identity?: string;
  motion?: string;
  name?: string;
}

export const registerCompose: Registration = (program, run) => {
  const command = program
    .command('compose')
    .description(
      'Learns several concepts again as one: a shared identity basis, the motions jointly. Or puts the identity of one and the motion of another together, without learning.',
    )
    .argument('[concept...]', 'to learn again: two concepts or more; their clips and captions are used');
  addRecipeOptions(command)
    .option('--identity <concept>', 'without learning: who or what it is')
    .option(
      '--motion <concept>',
      'and how it moves; best of concepts learned by dreamvideo, dualreal or motion-director',
    )
    .option('--name <name>', 'a name for the new concept')
    .addHelpText(
      'after',
      `
Examples:
  motif compose dancer dog --name together
  motif compose dancer dog --rank 16 --steps-motion 2000
  motif compose --identity dancer --motion dog --name dancing-dog
  motif edit dancer --with dog --prompt ...        # both as they are, without learning: see motif edit --help
  motif edit together --prompt "a [v] person is dancing in [u] motion beside a dog"`,
    )
    .action(
      run(async (context, references: string[], options: ComposeOptions, command: Command) => {
        const { identity, motion, name } = options;
        if (identity !== undefined || motion !== undefined) {
          if (identity === undefined || motion === undefined || references.length > 0)
            command.error('error: --identity and --motion go together, and take no other concepts.');
          await context.withServices({ access: 'write' }, async (services) => {
            const concept = await services.call['concepts.mix']({ identity, motion, name }, { signal: context.signal });
            const [words] = concept.captions;
            const prompt = [words!.static, words!.dynamic].filter(Boolean).join(' ');
            context.output.note(`To see it: motif edit ${concept.id} --prompt "${prompt}"`);
            await reportConcept(context, services, concept.id, concept.version);
          });
          return;
        }
        if (references.length < 2) command.error('error: give two concepts or more.');
        await context.withServices({ access: 'write' }, async (services) => {
          const concepts = await Promise.all(
            references.map((reference) => services.call['concepts.get']({ reference })),
          );
          const learned = await runLearn(context, services, {
            clips: concepts.flatMap((concept) =>
              concept.clipIds.map((clipId, index) => ({ clipId, caption: concept.captions[index]! })),
            ),
            recipe: recipeOf(options),
            name: options.name ?? concepts.map((concept) => concept.name).join(' and '),
            model: context.global.model ?? concepts[0]!.model,
          });
          await reportConcept(context, services, learned.conceptId, learned.version);
        });
      }),
    );
};
