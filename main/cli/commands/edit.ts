import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { hasOwnClip, learnedPrompt } from '../../../shared/domain/concept.ts';
import type { EditSettingsInput } from '../../../shared/domain/edit.ts';
import type { ItemReference } from '../../../shared/domain/library.ts';
import { startSettings, startStrength, strengthSettings } from '../../../shared/domain/strength.ts';
import { usualFor } from '../../../shared/domain/things.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext, Registration } from '../context.ts';
import {
  addSamplingOptions,
  addSliderOptions,
  type EditOptions,
  type RequestedEdit,
  requestedEdits,
} from '../edit-options.ts';
import { tellEditTime } from '../expected-time.ts';
import { oneByOne } from '../one-by-one.ts';
import { collect, collectConcept, parseNumber, parseSeconds, type WithConcept } from '../options.ts';
import { formatDuration } from '../progress-text.ts';
import { runGenerate } from '../run-job.ts';
import { shorten } from '../tables.ts';
import { clipIdOf } from './import.ts';

interface ConceptEditOptions extends EditOptions {
  with?: WithConcept[];
  on?: string;
  from?: number;
  to?: number;
}

export const registerEdit: Registration = (program, run) => {
  const command = program
    .command('edit')
    .description(
      'Renders a concept with another prompt or other gains, or changes a clip from a prompt alone. The same command gives the same frames.',
    )
    .argument('<concept|clip|file>', 'an id, the start of one, or a name; or a video file, which is imported')
    .option('--seen <text>', 'for a clip: what it shows (default: the description kept with it)')
    .option(
      '--on <clip|file>',
      'for a concept: another clip of the same scene, or a video file, to change instead of its own',
    )
    .option(
      '--with <concept>',
      'for a concept: another that acts beside it, with gains if other than 1: dog:identity=0.8:motion=0; repeat for up to three. In the prompt its tokens are [v2] and [u2], then [v3] ...',
      collectConcept,
    )
    .option('--from <time>', 'for a file: where the range to change starts, such as 2.0 or 1:02.5', parseSeconds)
    .option('--to <time>', 'where it ends', parseSeconds)
    .option(
      '--part <p>',
      'how much of the concept acts, 0 to 1 (default: 1; 0.75 where the words change only what is worn or held)',
      parseNumber(0, 1),
    )
    .option('--prompt <text>', 'static and dynamic part with [v] and [u]; repeat for several edits', collect)
    .option('--batch <file>', 'a JSON list of edits: [{"prompt": "...", "motion": 0.5, "seed": 2}, ...]');
  addSamplingOptions(addSliderOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  motif edit dance --prompt "a [v] person in a red shirt, in a park is dancing in [u] motion"
  motif edit dance --prompt "a [v] person on a beach" --identity 0.8 --motion 1.3 --direction 0=1.5 --direction 2=0
  motif edit dance --prompt "a [v] person, pencil drawing" --strength 0.75 --steps 30 --seed 7
  motif edit walk.mp4 --from 2 --to 4 --seen "a red car in a street" --prompt "a blue car in a street"
  motif edit walk --seen "a photograph of a dog by day" --prompt "a photograph of a dog at night" --strength 0.7
  motif edit dance --on rehearsal.mp4 --from 12 --prompt "a [v] person in a red shirt is dancing in [u] motion"
  motif edit dance --with dog --prompt "a [v] person is dancing in [u] motion and a [v2] dog is running in [u2] motion"
  motif edit dance --batch edits.json --json`,
    )
    .action(
      run(async (context, reference: string, options: ConceptEditOptions, command: Command) => {
        const edits = requestedEdits(options, command);
        const isFile = statSync(reference, { throwIfNoEntry: false })?.isFile() ?? false;
        if (options.on === undefined && !isFile && (options.from !== undefined || options.to !== undefined))
          command.error('error: --from and --to need a file, given as such or with --on.');
        await context.withServices({ access: 'write' }, async (services) => {
          const item = isFile
            ? { kind: 'clip' as const, id: await clipIdOf(context, services, reference, options) }
            : await services.call['library.resolve']({ reference, kinds: ['concept', 'clip'] });
          const subject = await subjectOf(context, services, item, options.with !== undefined);
          if (options.with !== undefined && subject.request.conceptId === undefined)
            command.error('error: --with is for concepts; a clip is changed by words alone.');
          const others = options.with && (await othersOf(services, options.with));
          if (options.on !== undefined) {
            if (subject.request.conceptId === undefined)
              command.error('error: --on is for concepts; a clip is changed itself.');
            subject.request.sourceClipId = await clipIdOf(context, services, options.on, options);
          }
          const editOne = async ({ name, settings }: RequestedEdit) => {
            const usual = { ...subject.usual, ...usualFor(settings.shown || subject.shown, settings.prompt) };
            const request = { ...subject.request, settings: { ...usual, ...settings, others }, name };
            const { editId, reused } = await runGenerate(context, services, request, () =>
              tellEditTime(context, services, request),
            );
            const edit = await services.call['edits.get']({ reference: editId });
            const frames = edit.frames && { ...edit.frames, file: services.library.absolutePath(edit.frames.file) };
            if (reused) context.output.note('Rendered before with exactly these settings; taken from the library.');
            const took = edit.seconds === null ? '' : ` (${formatDuration(edit.seconds)})`;
            context.output.result(
              'edit',
              { edit: { ...edit, frames }, reused },
              `${edit.id}  ${shorten(settings.prompt, 90)}${took}`,
            );
          };
          await oneByOne(context, edits, ({ settings }) => shorten(settings.prompt, 60), editOne);
        });
      }),
    );
};

/** The newest versions of the concepts that act beside an edit's own. */
async function othersOf(services: Services, asked: readonly WithConcept[]): Promise<EditSettingsInput['others']> {
  const found = asked.map(async ({ reference, sliders }) => {
    const { id } = await services.call['library.resolve']({ reference, kinds: ['concept'] });
    return { conceptId: id, sliders };
  });
  return Promise.all(found);
}

/** What a new edit of a concept, or of a clip by words alone, is asked of and begins with. */
async function subjectOf(
  { global }: CommandContext,
  services: Services,
  { kind, id }: ItemReference,
  isBesideOthers: boolean,
): Promise<{
  request: { conceptId?: string; sourceClipId?: string; model?: string };
  usual: Partial<EditSettingsInput>;
  /** What is seen, in words. */
  shown: string;
}> {
  if (kind === 'concept') {
    const concept = await services.call['concepts.get']({ reference: id });
    return {
      request: { conceptId: id },
      usual: startSettings(hasOwnClip(concept) && !isBesideOthers),
      shown: learnedPrompt(concept.captions),
    };
  }
  const { seen } = await services.call['clips.get']({ reference: id });
  return {
    request: { sourceClipId: id, ...(global.model !== undefined && { model: global.model }) },
    usual: { ...strengthSettings(startStrength), shown: seen },
    shown: seen,
  };
}
