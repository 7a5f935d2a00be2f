import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import { AppError } from '../../shared/ipc/result.ts';

const stderrLinesKept = 60;
const killAfterMilliseconds = 2000;

const environment = {
  AV_LOG_FORCE_NOCOLOR: '1',
  // The static binaries of npm crash when they load the system's character conversions (for names in
  // transport streams).
  GCONV_PATH: '/nonexistent',
};

export interface RunOptions {
  /** File names inside filter graphs need escaping; a name relative to this folder does not. */
  cwd?: string;
  signal?: AbortSignal | undefined;
  /** Gives way to other programs, where the system allows it. */
  background?: boolean;
  /** Without a byte of output for so long the program counts as hung. */
  stallMilliseconds?: number;
  /** Writes the standard input, which is closed afterwards. Without it there is none. */
  writeInput?: (input: Writable) => Promise<void>;
  /**
   * Called for each piece of standard output; the program waits while the promise is pending. `false` ends
   * the run early.
   */
  onOutput?: (chunk: Buffer) => Promise<boolean | undefined> | boolean | undefined;
  onErrorLine?: (line: string) => void;
}

export interface RunResult {
  /** null when it crashed, or was ended because `onOutput` answered false. */
  exitCode: number | null;
  /** The last lines of standard error. */
  errorTail: string[];
  /** Standard output as text, when no `onOutput` took it. */
  output: string;
}

/**
 * Runs a program with an argument array, never through a shell. Resolves with its exit code, whatever it is.
 * Rejects with `cancelled` when the signal aborts (SIGTERM, two seconds later SIGKILL; it has ended by then),
 * with `not-found` when the program cannot start, with `unsupported-media` when it hangs, with
 * `program-ended` when somebody else ends it: then nothing that it said or left unsaid means anything.
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { signal, stallMilliseconds = 120_000 } = options;
  if (signal?.aborted) throw cancelled();
  const child = spawn(program, args, {
    cwd: options.cwd,
    stdio: [options.writeInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    windowsHide: true,
    env: { ...process.env, ...environment },
  });
  if (options.background && child.pid !== undefined) lowerPriority(child.pid);
  let ending: 'early' | 'stalled' | 'aborted' | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const end = (why: NonNullable<typeof ending>) => {
    ending ??= why;
    child.kill('SIGTERM');
    killTimer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMilliseconds);
  };
  const onAbort = () => end('aborted');
  signal?.addEventListener('abort', onAbort, { once: true });
  let stallTimer = setTimeout(() => end('stalled'), stallMilliseconds);
  const alive = () => {
    clearTimeout(stallTimer);
    if (!ending) stallTimer = setTimeout(() => end('stalled'), stallMilliseconds);
  };

  let endedBy: NodeJS.Signals | null = null;
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(startError(program, cause)));
    child.once('close', (code, signal) => {
      endedBy = signal;
      resolve(code);
    });
  });
  const { stdin, stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('expected pipes from the program, found none');
  const errorTail: string[] = [];
  const reading = [
    readLines(stderr, (line) => {
      alive();
      errorTail.push(line);
      if (errorTail.length > stderrLinesKept) errorTail.shift();
      options.onErrorLine?.(line);
    }),
  ];
  let output = '';
  reading.push(
    (async () => {
      for await (const chunk of stdout) {
        alive();
        if (ending) continue; // drained, so that the program can end
        if (!options.onOutput) output += (chunk as Buffer).toString('utf8');
        else if ((await options.onOutput(chunk as Buffer)) === false) end('early');
      }
    })(),
  );
  if (options.writeInput && stdin) reading.push(feed(stdin, options.writeInput, alive));

  try {
    const [exitCode] = await Promise.all([exited, ...reading]);
    if (ending === 'aborted') throw cancelled();
    if (ending === 'stalled') {
      throw new AppError('unsupported-media', `ffmpeg did not respond for ${stallMilliseconds / 1000} s.`, {
        hint: 'The file may be on a slow or disconnected drive: copy it to a local folder and try again.',
        details: { errorTail },
      });
    }
    if (!ending && wasEnded(exitCode, endedBy, errorTail)) throw endedError(program, endedBy, errorTail);
    return { exitCode, errorTail, output };
  } catch (error) {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill('SIGKILL');
      await exited.catch(() => undefined);
    }
    throw error;
  } finally {
    clearTimeout(stallTimer);
    clearTimeout(killTimer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system forbids it: it runs as it is.
  }
}

/** By these a program ends itself when it crashes; every other signal comes from outside. */
const crashSignals = ['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE', 'SIGSYS', 'SIGTRAP'];

/**
 * ffmpeg answers a polite signal by exit code 255, which otherwise is a refusal of the system's that it
 * names.
 */
function wasEnded(exitCode: number | null, signal: NodeJS.Signals | null, errorTail: string[]): boolean {
  if (signal !== null) return !crashSignals.includes(signal);
  return exitCode === 255 && !errorTail.some((line) => line.includes('Operation not permitted'));
}

function endedError(program: string, signal: NodeJS.Signals | null, errorTail: string[]): AppError {
  const how = signal === null ? '' : ` by ${signal}`;
  return new AppError('program-ended', `${basename(program)} was terminated${how} before it finished.`, {
    hint: 'Try again. If it happens again, close other programs: the system ends programs when memory runs out.',
    details: { program, signal, errorTail },
  });
}

export function cancelled(): AppError {
  return new AppError('cancelled', 'Cancelled.');
}

function startError(program: string, cause: Error): AppError {
  return new AppError('not-found', `${program} cannot be started: ${cause.message}`, {
    hint: 'Run "motif doctor" to see which ffmpeg is used, or set FFMPEG_BIN and FFPROBE_BIN.',
    cause,
  });
}

async function readLines(stream: AsyncIterable<Buffer>, onLine: (line: string) => void): Promise<void> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + chunk.toString('utf8')).split(/[\r\n]+/);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line);
  }
  if (rest !== '') onLine(rest);
}

/**
 * The reader may end before everything is written (an error of its own): its exit code tells, not the broken
 * pipe.
 */
async function feed(input: Writable, write: (input: Writable) => Promise<void>, alive: () => void): Promise<void> {
  input.on('error', () => undefined); // arrives at the pending write as ReaderGone
  input.on('drain', alive);
  try {
    await write(input);
    input.end();
  } catch (error) {
    input.destroy();
    if (!(error instanceof ReaderGone)) throw error;
  }
}

class ReaderGone extends Error {}

/**
 * Writes and waits for room in the pipe. Rejects, in a way that `run` understands, when the reader has gone.
 */
export async function writeTo(output: Writable, bytes: Uint8Array): Promise<void> {
  if (output.destroyed) throw new ReaderGone();
  await new Promise<void>((resolve, reject) => {
    output.write(bytes, (error) => (error ? reject(new ReaderGone()) : resolve()));
  });
}
