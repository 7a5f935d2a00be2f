import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { locateMediaTools } from '../../../main/media/locate.ts';
import { run } from '../../../main/media/run.ts';
import { useSmallModel } from '../../fixtures/small-model.ts';

const program = resolve(import.meta.dirname, '../../../dist/motif.js');

/** One line of `--json`. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever a command answers
export type Line = { type: string } & Record<string, any>;

export interface Ended {
  code: number | null;
  lines: Line[];
  out: string;
  err: string;
}

/** Everything a test needs to call the built program with a library of its own, in which the embedded model is the default, or a small one. */
export async function createWorkplace(model: 'embedded' | 'small' = 'embedded') {
  if (!existsSync(program)) throw new Error('dist/motif.js is missing: npm run build');
  const folder = await mkdtemp(join(tmpdir(), 'motif-command-'));
  const home = join(folder, 'library');
  const running = new Set<ChildProcess>();
  if (model === 'small') useSmallModel(home);

  /** Runs a command to its end; `onLine` sees each JSON line as it comes and may kill or interrupt the process. */
  async function motif(
    words: string[],
    onLine?: (line: Line, child: ChildProcess) => void,
    environment: NodeJS.ProcessEnv = {},
  ): Promise<Ended> {
    const child = spawn(process.execPath, [program, '--home', home, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MOTIF_DEBUG: '', ...environment },
    });
    running.add(child);
    const lines: Line[] = [];
    let out = '';
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    createInterface({ input: child.stdout }).on('line', (text) => {
      out += `${text}\n`;
      if (!words.includes('--json')) return;
      const line = JSON.parse(text) as Line;
      lines.push(line);
      onLine?.(line, child);
    });
    const code = await new Promise<number | null>((done) => child.on('close', done));
    running.delete(child);
    return { code, lines, out, err };
  }

  /** Runs a command with --json, expects it to succeed and answers its last line of that type. */
  async function answer(type: string, words: string[]): Promise<Line> {
    const { code, lines, err } = await motif([...words, '--json']);
    const found = lines.findLast((line) => line.type === type);
    if (code !== 0 || !found)
      throw new Error(`motif ${words.join(' ')}: exit code ${code}, ${err}${JSON.stringify(lines.at(-1))}`);
    return found;
  }

  /** A moving test picture as a real file; at the model's rate its 0.6 seconds are five frames, the fewest that move. */
  async function makeClip(name = 'moving.mp4', picture = 'testsrc2', seconds = 0.6): Promise<string> {
    const file = join(folder, name);
    const { ffmpeg } = await locateMediaTools();
    const source = `${picture}=size=160x160:rate=24:duration=${seconds}`;
    const { exitCode, errorTail } = await run(ffmpeg.path, [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      source,
      '-pix_fmt',
      'yuv420p',
      file,
    ]);
    if (exitCode !== 0) throw new Error(errorTail.join('\n'));
    return file;
  }

  return {
    folder,
    home,
    motif,
    answer,
    makeClip,
    async close() {
      for (const child of running) child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

export type Workplace = Awaited<ReturnType<typeof createWorkplace>>;

/** Few steps of both stages: what a test can wait for. */
export function quickRecipe(steps = 2): string[] {
  const captions = ['--static', 'a [v] test picture', '--dynamic', 'is moving in [u] motion'];
  const counts = [
    '--rank',
    '2',
    '--steps-identity',
    `${steps}`,
    '--steps-motion',
    `${steps}`,
    '--checkpoint-every',
    '2',
  ];
  return [...captions, ...counts, '--without', 'prior'];
}

export async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
