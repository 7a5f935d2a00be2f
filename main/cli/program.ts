import { Command } from 'commander';
import { registerBench } from './commands/bench.ts';
import { registerClips } from './commands/clips.ts';
import { registerCompose } from './commands/compose.ts';
import { registerConcepts } from './commands/concepts.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerEdit } from './commands/edit.ts';
import { registerEvaluate } from './commands/evaluate.ts';
import { registerExport } from './commands/export.ts';
import { registerImport } from './commands/import.ts';
import { registerJobs } from './commands/jobs.ts';
import { registerLearn } from './commands/learn.ts';
import { registerLook } from './commands/look.ts';
import { registerLooks } from './commands/looks.ts';
import { registerModels } from './commands/models.ts';
import { registerStudy } from './commands/study.ts';
import { registerTwin } from './commands/twin.ts';
import type { ActionWrapper } from './context.ts';
import { parseDevice, parsePlace } from './options.ts';
import type { Streams } from './output.ts';

/**
 * The whole command line. Parsing it throws CommanderError for wrong use, help and version; nothing here ends
 * the process.
 */
export function createProgram(version: string, streams: Streams, run: ActionWrapper): Command {
  const program = new Command('motif')
    .description(
      'Changes video clips with prompts: looks in seconds, and concepts that are learned, edited with prompts and sliders, and exported.',
    )
    .version(version)
    .option('--json', 'results and progress as JSON lines on stdout')
    .option(
      '--device <name>',
      'compute device, as `motif doctor` lists them (default: that of the settings, or auto: the best that works)',
      parseDevice,
    )
    .option(
      '--home <folder>',
      "the library's folder (default: MOTIF_HOME, or the platform's application-data folder)",
      parsePlace,
    )
    .option(
      '--model <name|folder>',
      'a model listed by `motif models`, or a folder in the diffusers layout of Wan (default: that of the settings, or the embedded one)',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      // Wrong use is reported in one place, by whoever catches the CommanderError.
      writeErr: () => {},
    })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Examples:
  motif look dance.mp4 --look sunset -o dance-sunset.mp4
  motif learn dance.mp4 --static "a [v] person in a park" --dynamic "is dancing in [u] motion"
  motif edit dance --prompt "a [v] person on a beach is dancing in [u] motion"
  motif export EDIT --preset h264 --size 512x512
  motif COMMAND --help`,
    );
  for (const register of [
    registerDoctor,
    registerImport,
    registerClips,
    registerLook,
    registerLooks,
    registerLearn,
    registerConcepts,
    registerEdit,
    registerCompose,
    registerExport,
    registerJobs,
    registerModels,
    registerTwin,
    registerBench,
    registerDemo,
    registerEvaluate,
    registerStudy,
  ]) {
    register(program, run);
  }
  return program;
}
