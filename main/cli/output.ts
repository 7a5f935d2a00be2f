import type { Writable } from 'node:stream';
import type { Progress } from '../../shared/domain/job.ts';
import type { AppErrorShape } from '../../shared/ipc/result.ts';
import { ProgressBar } from './progress-bar.ts';
import { formatProgress } from './progress-text.ts';

/** Where a command's words go: results to stdout, everything else to stderr; with `--json` one JSON object a line, all on stdout. */
export interface Output {
  readonly json: boolean;
  /** What the command was asked for: `text` for people, `value` for machines under `type`. */
  result(type: string, value: object, text: string): void;
  note(text: string): void;
  warning(text: string): void;
  progress(title: string, progress: Progress): void;
  /** A detail that only machines want, such as a point of the loss curve. */
  event(type: string, value: object): void;
  error(error: AppErrorShape): void;
  /** Ends a progress bar that is being drawn. */
  endProgress(): void;
}

export interface Streams {
  stdout: Writable;
  stderr: Writable & { isTTY?: boolean };
}

/** A line every so often where no bar can be drawn, as in a log file. */
const plainProgressSeconds = 5;

export function createHumanOutput({ stdout, stderr }: Streams, now = () => performance.now() / 1000): Output {
  const bar = stderr.isTTY ? new ProgressBar(stderr) : null;
  let last = { key: '', seconds: Number.NEGATIVE_INFINITY, finished: false };
  const say = (text: string) => {
    bar?.stop();
    stderr.write(`${text}\n`);
  };
  return {
    json: false,
    result(_type, _value, text) {
      bar?.stop();
      stdout.write(`${text}\n`);
    },
    note: say,
    warning: (text) => say(`Warning: ${text}`),
    progress(title, progress) {
      if (bar) {
        bar.update(title, progress);
        return;
      }
      const key = `${title}/${progress.phase}`;
      const finished = progress.total > 0 && progress.done >= progress.total;
      const due = finished ? !last.finished : now() - last.seconds >= plainProgressSeconds;
      if (key === last.key && !due) return;
      last = { key, seconds: now(), finished };
      say(formatProgress(title, progress));
    },
    event() {},
    error(error) {
      say(`Error: ${error.message}`);
      if (error.hint) say(error.hint);
    },
    endProgress() {
      bar?.stop();
    },
  };
}

export function createJsonOutput({ stdout }: Streams): Output {
  const write = (type: string, value: object) => stdout.write(`${JSON.stringify({ type, ...value })}\n`);
  return {
    json: true,
    result: (type, value) => write(type, value),
    note: (text) => write('note', { text }),
    warning: (text) => write('warning', { text }),
    progress: (title, progress) => write('progress', { title, progress }),
    event: (type, value) => write(type, value),
    error: (error) => write('error', { error }),
    endProgress() {},
  };
}
