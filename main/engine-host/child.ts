import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Port } from '../../shared/ipc/rpc.ts';
import { type Beat, beat, beatMark, createdMark, type EngineProcessOptions } from './process-options.ts';

export interface ChildExit {
  code: number | null;
  signal: string | null;
}

/** A running engine process, however it was started. */
export interface EngineChild {
  readonly pid: number | undefined;
  readonly port: Port;
  /** Settles when the process has ended and its last words have been read. */
  readonly exited: Promise<ChildExit>;
  /** Answers a function that stops listening. */
  onBeat(listener: (beat: Beat) => void): () => void;
  /** Whether it got as far as choosing what computes. */
  isCreated(): boolean;
  /** The last lines of its standard error. */
  errorTail(): string;
  /** Ends it at once, whatever it does. */
  kill(): void;
}

export type StartEngineProcess = (options: EngineProcessOptions) => EngineChild;

const keptErrorLines = 60;

/**
 * What the engine's process is told beside this one's own variables. glibc keeps what its threads free apart for each of them, eight a
 * core; with two such stores a look needs a tenth less memory and no more time.
 */
export const engineEnvironment = (): NodeJS.ProcessEnv => ({ MALLOC_ARENA_MAX: '2', ...process.env });

/** Starts the engine as a child process of Node. `file` is for tests. */
export function forkEngine(options: EngineProcessOptions, file = engineProcessFile()): EngineChild {
  const child = fork(file, [JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: engineEnvironment(),
    execArgv: [],
    serialization: 'json',
  });
  const { errorLines, onBeat, isCreated } = readOutput(child.stdout!, child.stderr!);
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.on('error', (error) => {
      errorLines.push(error.message);
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  return {
    pid: child.pid,
    exited,
    port: {
      postMessage(message) {
        if (!child.connected) throw new Error('the engine process is gone');
        child.send(message as object);
      },
      onMessage: (listener) => child.on('message', listener),
      onClose: (listener) => void exited.then(listener),
    },
    onBeat,
    isCreated,
    errorTail: () => errorLines.join('\n'),
    kill: () => void child.kill('SIGKILL'),
  };
}

/**
 * What a process says of itself on its standard output, and the last lines of its standard error, kept up to date.
 */
export function readOutput(
  stdout: NodeJS.ReadableStream,
  stderr: NodeJS.ReadableStream,
): { errorLines: string[] } & Pick<EngineChild, 'onBeat' | 'isCreated'> {
  const errorLines: string[] = [];
  eachLine(stderr, (line) => {
    errorLines.push(line);
    if (errorLines.length > keptErrorLines) errorLines.shift();
  });
  const listeners = new Set<(beat: Beat) => void>();
  let created = false;
  eachLine(stdout, (line) => {
    if (line === createdMark) created = true;
    if (!line.startsWith(beatMark)) return;
    const sign = readBeat(line.slice(beatMark.length));
    if (sign !== null) for (const listener of listeners) listener(sign);
  });
  return {
    errorLines,
    isCreated: () => created,
    onBeat(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** null for a line that a library wrote into, or that a kill cut off. */
function readBeat(text: string): Beat | null {
  try {
    return beat.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Beside this file in the bundle; in dist/ when this runs from its source. */
export function engineProcessFile(): string {
  const places = ['./engine-process.js', '../../dist/engine-process.js'];
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((file) => existsSync(file));
  if (found === undefined) throw new Error('engine-process.js is missing: build it with "npm run build"');
  return found;
}

function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
