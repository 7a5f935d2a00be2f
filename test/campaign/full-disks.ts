import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canMount, SmallDisk } from '../fixtures/small-disk.ts';
import { type Campaign, pick, randomNumbers, type Tally } from './campaign.ts';
import { countHalfFiles, countLosses } from './inspect-library.ts';
import { Host, motif, type Running, sample, start } from './programs.ts';

const captions = ['--static', 'a [v] person', '--dynamic', 'is dancing in [u] motion'];
const steps = ['--steps-identity', '6', '--steps-motion', '6', '--rank', '32', '--checkpoint-every', '1'];

/** Fills the disk of the library at random moments of work; everything must say so, and go on when there is room. */
export const fullDisks: Campaign = {
  name: 'full disks',
  times: { short: 3, long: 60 },
  hindrance: () => (canMount() ? null : 'this user may not mount a disk in memory'),
  async run({ times, seed, folder, tally, brief }) {
    const random = randomNumbers(seed);
    const base = join(folder, 'base');
    await motif(base, 'concepts', '--add', sample('dancer.motif'));
    for (let index = 0; index < times; index++) {
      tally.figures.tried++;
      const disk = SmallDisk.mount(160)!;
      try {
        await fillOne({ disk, base, index, random, tally, brief });
      } finally {
        disk.unmount();
      }
    }
  },
};

interface Context {
  disk: SmallDisk;
  base: string;
  index: number;
  random: () => number;
  tally: Tally;
  brief: boolean;
}

async function fillOne({ disk, base, index, random, tally, brief }: Context): Promise<void> {
  const home = join(disk.folder, 'home');
  const exports = join(disk.folder, 'exports');
  cpSync(base, home, { recursive: true });
  mkdirSync(exports);
  const works: [words: string[], milliseconds: number][] = [
    [['import', sample('bonfire.mp4')], 1000],
    [['export', 'dancer', '--preset', 'prores', '--size', '1024x1024', '-o', join(exports, 'x')], 1200],
    [['export', 'Dancer', '--lora', 'kohya', '-o', join(exports, 'l.safetensors')], 1000],
    [['concepts', '--add', sample('dancer.motif')], 500],
    [['concepts', 'Dancer', '--save', join(exports, 's.motif')], 500],
  ];
  if (!brief) {
    works.push([['learn', 'dancer', ...captions, ...steps, '--without', 'prior'], 8000]);
    works.push([['edit', 'Dancer', '--prompt', 'a [v] person on a beach', '--steps', '2'], 4000]);
  }
  const [words, milliseconds] = works[index % works.length]!;
  const when = `full disk ${index}, ${words[0]}`;
  const leave = pick(random, [0, 0, 4096, 20_000, 120_000, 600_000, 3e6]);
  // A library that never had a start with room to spare has no reserve.
  if (random() < 0.3) rmSync(join(home, 'reserve'), { force: true });
  const isFullBefore = random() < 0.3;
  if (isFullBefore) disk.fill(leave);
  const running = start(home, ...words);
  if (!isFullBefore) {
    await sleep(300 + random() * milliseconds);
    disk.fill(leave);
  }
  await running.ended;
  checkEnd(running, when, tally);
  checkEnd(await motif(home, 'jobs', 'list'), `${when}, list while full`, tally);
  if (index % 4 === 0) await checkHost(home, when, tally);
  countLosses(home, tally, `${when}, while full`);

  disk.empty();
  const list = await motif(home, 'jobs', 'list');
  checkEnd(list, `${when}, list with room`, tally);
  countHalfFiles(home, [exports], tally, when);
  for (const { id, state } of (list.line('jobs')?.jobs ?? []) as { id: string; state: string }[]) {
    if (state === 'running') tally.found('lost', `${when}: ${id} is said to run`);
    if (!['failed', 'interrupted', 'queued', 'paused'].includes(state)) continue;
    const again = await motif(home, 'jobs', 'resume', id);
    if (again.line('job')?.job.state !== 'done')
      tally.found('lost', `${when}: ${id} does not go on: ${again.error?.message}`);
  }
  countLosses(home, tally, `${when}, at the end`);
  if (existsSync(join(home, 'library.db')) === false) tally.found('lost', `${when}: the library`);
}

function checkEnd({ error, code, hasStackTrace, errors }: Running, when: string, tally: Tally): void {
  if (hasStackTrace || code === null) tally.found('deaths', `${when}: ${errors.slice(0, 300)}`);
  if (error?.code === 'internal' || (code !== 0 && !error)) {
    tally.found('internalErrors', `${when}: ${error?.message ?? errors.slice(0, 300)}`);
  }
}

/** Opens where nothing can be written, and says why. */
async function checkHost(home: string, when: string, tally: Tally): Promise<void> {
  try {
    const host = await Host.start(home);
    const window = await host.openWindow();
    for (const name of ['library.status', 'clips.list', 'jobs.list', 'caches.clear']) {
      const { error } = await window.call(name);
      if (error?.code === 'internal') tally.found('internalErrors', `${when}, ${name}: ${error.message}`);
    }
    await host.running.stop();
    if (host.running.hasStackTrace) tally.found('deaths', `${when}: ${host.running.errors.slice(0, 300)}`);
  } catch (thrown) {
    tally.found('deaths', `${when}, the server: ${(thrown as Error).message}`);
  }
}
