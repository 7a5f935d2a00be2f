import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Registration } from '../context.ts';
import { generalEdits } from '../demo/plan.ts';
import { type DemoRequest, runDemo } from '../demo/run-demo.ts';
import { bundledSample } from '../demo/sample.ts';
import { addRecipeOptions, captionsOf, type RecipeOptions, recipeOf } from '../learn-options.ts';
import { collect, parseInteger, parsePlace, parseSeconds } from '../options.ts';
import { checkRange } from './import.ts';

interface DemoOptions extends RecipeOptions {
  static?: string;
  dynamic?: string;
  edit?: string[];
  from?: number;
  to?: number;
  steps?: number;
  output: string;
}

export const registerDemo: Registration = (program, run) => {
  const command = program
    .command('demo')
    .description(
      'Gives a clip five looks, then learns it, edits it, and writes videos, contact sheets and a report of the measurements.',
    )
    .argument('[clip]', 'any video file; without one, the sample that comes with the program')
    .option('--static <caption>', 'what you see, with [v] for the subject')
    .option('--dynamic <caption>', 'what happens, with [u] for the motion')
    .option('--edit <prompt>', 'an edit to make; repeat for several', collect)
    .option('--from <time>', 'where the range to learn starts', parseSeconds)
    .option('--to <time>', 'where it ends', parseSeconds)
    .option('--steps <n>', 'sampling steps of each video', parseInteger(1, 200))
    .option('-o, --output <folder>', 'where to write, with a library of its own', parsePlace, 'out/demo');
  addRecipeOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  motif demo
  motif demo river.mp4 --static "[v] river with white water between rocks" --dynamic "rushing in [u] motion" \\
    --edit "[v] river with white water between rocks, at night rushing in [u] motion"
Run it again to continue where it stopped.`,
    )
    .action(
      run(async (context, clip: string | undefined, options: DemoOptions, command: Command) => {
        checkRange(options, command);
        const folder = resolve(options.output);
        const request: DemoRequest = {
          ...subjectOf(clip, options, command),
          recipe: recipeOf(options),
          sampling: { steps: options.steps, seed: options.seed ?? 1 },
          folder,
        };
        const home = context.global.home ?? join(folder, 'library');
        await context.withServices({ access: 'write', home }, async (services) => {
          const report = await runDemo(context, services, request);
          context.output.result(
            'demo',
            { folder, report },
            `${folder}: looks.png, contact-sheet.png, report.md and the videos`,
          );
        });
      }),
    );
};

function subjectOf(
  clip: string | undefined,
  options: DemoOptions,
  command: Command,
): Pick<DemoRequest, 'file' | 'looksFile' | 'fromSeconds' | 'toSeconds' | 'caption' | 'edits'> {
  const range = { fromSeconds: options.from, toSeconds: options.to };
  const asked = (options.edit ?? []).map((prompt, index) => ({
    name: `edit-${index + 1}`,
    label: `edit ${index + 1}`,
    prompt,
  }));
  if (clip === undefined) {
    if (options.static || options.dynamic) command.error('error: --static and --dynamic need a clip.');
    const sample = bundledSample();
    const { file, looksFile } = sample;
    return { file, looksFile, ...range, caption: sample.caption, edits: [...sample.edits, ...asked] };
  }
  if (!existsSync(clip)) throw new AppError('not-found', `There is no file ${clip}.`);
  if (!options.static)
    command.error('error: a clip of your own needs --static and --dynamic, captions of what it shows.');
  const captions = {
    ...options,
    static: [options.static],
    dynamic: options.dynamic === undefined ? undefined : [options.dynamic],
  };
  const [caption] = captionsOf(captions, 1, command);
  return { file: resolve(clip), ...range, caption: caption!, edits: asked.length > 0 ? asked : generalEdits(caption!) };
}
