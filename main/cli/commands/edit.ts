import type { Command } from 'commander';
import { startFidelity } from '../../../shared/domain/edit.ts';
import type { Registration } from '../context.ts';
import { addSamplingOptions, addSliderOptions, type EditOptions, requestedEdits } from '../edit-options.ts';
import { collect } from '../options.ts';
import { formatDuration } from '../progress-text.ts';
import { runGenerate } from '../run-job.ts';
import { shorten } from '../tables.ts';

export const registerEdit: Registration = (program, run) => {
  const command = program
    .command('edit')
    .description('Makes a concept again with other words or other gains. The same command twice gives the same frames.')
    .argument('<concept>', 'an id, its beginning or a name')
    .option('--prompt <text>', 'static and dynamic part with [v] and [u]; several times makes several edits', collect)
    .option('--batch <file>', 'a JSON list of edits: [{"prompt": "...", "motion": 0.5, "seed": 2}, ...]');
  addSamplingOptions(addSliderOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  motif edit dance --prompt "a [v] person in a red shirt, in a park is dancing in [u] motion"
  motif edit dance --prompt "a [v] person on a beach" --identity 0.8 --motion 1.3 --direction 0=1.5 --direction 2=0
  motif edit dance --prompt "a [v] person, pencil drawing" --fidelity 0.4 --guidance 6 --steps 30 --seed 7
  motif edit dance --batch edits.json --json`,
    )
    .action(
      run(async (context, reference: string, options: EditOptions, command: Command) => {
        const edits = requestedEdits(options, command);
        await context.withServices({ access: 'write' }, async (services) => {
          const concept = services.concepts.get(reference);
          for (const { name, settings } of edits) {
            const asked = { fidelity: startFidelity(concept.clipIds.length), ...settings };
            const request = { conceptId: concept.id, settings: asked, name };
            const { editId, reused } = await runGenerate(context, services, request);
            const edit = services.edits.get(editId);
            const frames = edit.frames && { ...edit.frames, file: services.library.absolutePath(edit.frames.file) };
            if (reused) context.output.note('Made before with exactly these settings; taken from the library.');
            const took = edit.seconds === null ? '' : ` (${formatDuration(edit.seconds)})`;
            context.output.result(
              'edit',
              { edit: { ...edit, frames }, reused },
              `${edit.id}  ${shorten(settings.prompt, 90)}${took}`,
            );
          }
        });
      }),
    );
};
