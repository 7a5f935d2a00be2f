import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EditorWindow, signIn } from '../fixtures/editor-window.ts';

export const root = resolve(import.meta.dirname, '../..');
export const sample = (name: string) => join(root, 'resources/samples', name);

/** A line of `--json`. */
// biome-ignore lint/suspicious/noExplicitAny: looked into as whatever a command answers
type Line = { type: string } & Record<string, any>;

const stackTrace = /^\s+at .+:\d+:\d+\)?$/m;

/** A built program in a process group of its own, so that a kill takes its ffmpeg and its engine along. */
export class Running {
  readonly ended: Promise<void>;
  out = '';
  errors = '';
  /** null while it runs, and when a signal ended it. */
  code: number | null = null;
  hasEnded = false;
  readonly #child: ChildProcess;

  constructor(file: 'motif.js' | 'server.js', home: string, words: string[]) {
    const child = spawn(process.execPath, [join(root, 'dist', file), ...words], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MOTIF_HOME: home, MOTIF_DEBUG: '' },
      cwd: root,
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.ended = new Promise((done) =>
      child.on('close', (code) => {
        this.code = code;
        this.hasEnded = true;
        done();
      }),
    );
  }

  async kill(): Promise<void> {
    try {
      process.kill(-this.#child.pid!, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    await this.ended;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended;
  }

  get lines(): Line[] {
    return this.out.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as Line];
      } catch {
        return []; // cut off by a kill
      }
    });
  }

  line(type: string): Line | undefined {
    return this.lines.findLast((line) => line.type === type);
  }

  get hasStackTrace(): boolean {
    return stackTrace.test(this.errors);
  }

  get error(): { code: string; message: string } | undefined {
    return this.line('error')?.error;
  }
}

export function start(home: string, ...words: string[]): Running {
  return new Running('motif.js', home, [...words, '--json']);
}

/** Runs a command to its end. */
export async function motif(home: string, ...words: string[]): Promise<Running> {
  const running = start(home, ...words);
  await running.ended;
  return running;
}

/** The editor's server, with a window open. */
export class Host {
  readonly running: Running;
  readonly address: string;
  readonly port: number;
  readonly cookie: string;

  private constructor(running: Running, address: string, cookie: string) {
    this.running = running;
    this.address = address;
    this.port = Number(new URL(address).port);
    this.cookie = cookie;
  }

  static async start(home: string): Promise<Host> {
    const running = new Running('server.js', home, ['--no-open']);
    let address: string | undefined;
    while (address === undefined && !running.hasEnded) {
      await sleep(20);
      address = /Motif is at (\S+)/.exec(running.out)?.[1];
    }
    if (address === undefined) throw new Error(`the server did not start: ${running.errors}`);
    return new Host(running, address, await signIn(address));
  }

  openWindow(): Promise<EditorWindow> {
    return EditorWindow.open(this, this.cookie);
  }
}
