import { CommanderError } from 'commander';
import { AppError, type AppErrorShape, toErrorShape } from '../../shared/ipc/result.ts';
import type { Services, ServicesOptions } from '../services/services.ts';
import type { ActionWrapper, CommandContext, GlobalOptions } from './context.ts';
import { exitCode, exitCodeOf } from './exit-code.ts';
import { type SignalSource, watchInterruption } from './interruption.ts';
import { createHumanOutput, createJsonOutput, type Streams } from './output.ts';
import { createProgram } from './program.ts';

export interface Surroundings {
  version: string;
  streams: Streams;
  signals: SignalSource;
  openServices(options: ServicesOptions): Promise<Services>;
  /** Stack traces of bugs, for whoever repairs them (MOTIF_DEBUG). */
  debug: boolean;
}

/** Runs one command line (without `node` and the script) -> the exit code. Never throws, never ends the process but on a second Ctrl-C. */
export async function runCommandLine(words: string[], surroundings: Surroundings): Promise<number> {
  const { streams, version } = surroundings;
  let code: number = exitCode.done;
  const output = (words.includes('--json') ? createJsonOutput : createHumanOutput)(streams);

  const report = (thrown: unknown): number => {
    const error = forPeople(toErrorShape(thrown), surroundings.debug);
    output.error(error);
    if (surroundings.debug && thrown instanceof Error) streams.stderr.write(`${thrown.stack}\n`);
    return exitCodeOf(error);
  };

  const run: ActionWrapper =
    (action) =>
    async (...given) => {
      const interruption = watchInterruption(surroundings.signals, (text) => output.note(text));
      const context: CommandContext = {
        output,
        global: program.opts<GlobalOptions>(),
        signal: interruption.signal,
        fail() {
          code = exitCode.failed;
        },
        async withServices({ access, home }, work) {
          const services = await surroundings.openServices({
            home: home ?? context.global.home,
            device: context.global.device,
            program: `motif ${words.find((word) => !word.startsWith('-')) ?? ''}`.trim(),
            access,
          });
          try {
            return await work(services);
          } finally {
            await services.close();
          }
        },
      };
      try {
        await action(context, ...given);
      } catch (thrown) {
        if (thrown instanceof CommanderError) throw thrown;
        code = report(interruption.signal.aborted ? asCancelled(thrown) : thrown);
      } finally {
        output.endProgress();
        interruption.dispose();
      }
    };

  const program = createProgram(version, streams, run);
  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) return report(thrown);
    if (thrown.exitCode === 0) return exitCode.done;
    if (thrown.code === 'commander.help') {
      // `motif` alone: the help is the answer, but nothing was asked for.
      streams.stderr.write(program.helpInformation());
      return exitCode.wrongUse;
    }
    output.error({
      code: 'invalid-input',
      message: thrown.message.replace(/^error: /, ''),
      hint: 'See motif --help, or motif COMMAND --help.',
    });
    return exitCode.wrongUse;
  }
}

/** After Ctrl-C whatever comes out of the work is its interruption, unless it already says so better. */
function asCancelled(thrown: unknown): unknown {
  if (thrown instanceof AppError) return thrown;
  return new AppError('cancelled', 'Stopped.', { cause: thrown });
}

/** A bug is told in a line too, with the way to its stack trace. */
function forPeople(error: AppErrorShape, debug: boolean): AppErrorShape {
  if (error.code !== 'internal' || debug) return error;
  return { ...error, hint: error.hint ?? 'This is a fault of the program; MOTIF_DEBUG=1 shows where it happened.' };
}
