import { existsSync, mkdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Campaign, pick, randomNumbers, type Tally } from './campaign.ts';
import { countHalfFiles, countLosses, hashOf } from './inspect-library.ts';
import { Host, motif, sample, start } from './programs.ts';

const captions = ['--static', 'a [v] person in a park', '--dynamic', 'is dancing in [u] motion'];
const steps = ['--steps-identity', '6', '--steps-motion', '6', '--rank', '4', '--checkpoint-every', '2'];
const learning = ['learn', 'dancer', ...captions, ...steps, '--without', 'prior'];

/** Ends programs by SIGKILL at random moments of their work; the next start must find everything, and go on. */
export const kills: Campaign = {
  name: 'kills',
  times: { short: 5, long: 200 },
  async run({ times, seed, folder, tally, brief }) {
    const random = randomNumbers(seed);
    const home = join(folder, 'home');
    const exports = join(folder, 'exports');
    mkdirSync(exports);
    const added = await motif(home, 'concepts', '--add', sample('dancer.motif'));
    const concept: string = added.line('concept')!.concept.id;
    const undisturbed = brief ? null : await learnUndisturbed(home);
    const context: Context = { home, exports, concept, undisturbed, random, tally };
    for (let index = 0; index < times; index++) {
      tally.figures.tried++;
      if (index % 4 === 1) await killHost(context, index);
      else await killCommand(context, index);
    }
  },
};

interface Context {
  home: string;
  exports: string;
  /** The id of the sample's. */
  concept: string;
  /** A learning that nobody killed: how long it took, and the hash of what it ended with; null: nothing is learned or edited. */
  undisturbed: { milliseconds: number; weights: string } | null;
  random: () => number;
  tally: Tally;
}

async function learnUndisturbed(home: string): Promise<{ milliseconds: number; weights: string }> {
  const begun = performance.now();
  const learned = await motif(home, ...learning, '--name', 'undisturbed');
  const { file } = learned.line('concept')!.concept;
  return { milliseconds: performance.now() - begun, weights: hashOf(join(home, file)) };
}

async function killCommand(context: Context, index: number): Promise<void> {
  const { home, exports, concept, undisturbed, random } = context;
  const works: [words: string[], milliseconds: number][] = [
    [['import', sample('bonfire.mp4'), '--name', `c${index}`], 1500],
    [
      [
        'export',
        'dancer',
        '--preset',
        pick(random, ['h264', 'gif', 'png', 'prores']),
        '-o',
        join(exports, `x${index}`),
      ],
      2000,
    ],
    [['export', concept, '--lora', 'kohya', '-o', join(exports, `l${index}.safetensors`)], 1500],
    [['concepts', '--add', sample('dancer.motif')], 700],
    [['concepts', concept, '--save', join(exports, `s${index}.motif`)], 600],
  ];
  if (undisturbed !== null) {
    const prompt = 'a [v] person on a beach';
    works.push([[...learning, '--name', `l${index}`], undisturbed.milliseconds]);
    works.push([['edit', concept, '--prompt', prompt, '--steps', '2', '--seed', `${index}`], 2500]);
  }
  const [words, milliseconds] = pick(random, works);
  const running = start(home, ...words);
  await sleep(200 + random() * milliseconds);
  await running.kill();
  await checkAfter(context, `kill ${index} of ${words[0]}`);
}

/** With a queue at work, a window that labels, and an upload. */
async function killHost(context: Context, index: number): Promise<void> {
  const { home, exports, random, tally } = context;
  const host = await Host.start(home);
  const window = await host.openWindow();
  const [clip] = (await window.call('clips.list')).value as { id: string }[];
  const path = sample('bonfire.mp4');
  const forget = () => {}; // the kill leaves them unanswered
  window.call('jobs.enqueue', { kind: 'import', path, name: `h${index}`, fromSeconds: random() }).catch(forget);
  const settings = { preset: pick(random, ['h264', 'gif', 'png']), width: 512, height: 512 };
  const exported = { what: 'clip', clipId: clip!.id, settings, output: join(exports, `h${index}`) };
  window.call('jobs.enqueue', { kind: 'export', request: exported }).catch(forget);
  sendHalfUpload(host);
  let answered = '';
  let asked = '';
  const labelling = (async () => {
    for (let count = 0; ; count++) {
      asked = `${index} ${count}`;
      await window.call('clips.label', { reference: clip!.id, labels: { notes: asked } });
      answered = asked;
    }
  })().catch(forget);
  await sleep(100 + random() * 2500);
  await host.running.kill();
  await labelling;
  await checkAfter(context, `kill ${index} of the server`);
  const notes = (await motif(home, 'clips'))
    .line('clips')
    ?.clips.find(({ id }: { id: string }) => id === clip!.id)?.notes;
  if (notes !== answered && notes !== asked) tally.found('lost', `kill ${index}: an acknowledged note`);
}

/** A dropped file that never arrives whole. */
function sendHalfUpload({ port, cookie }: Host): void {
  const headers = { Cookie: cookie, Origin: `http://127.0.0.1:${port}`, 'Content-Length': 9e6 };
  request({ host: '127.0.0.1', port, method: 'POST', path: '/upload?name=u.mp4', headers })
    .on('error', () => {}) // the kill ends it
    .write(Buffer.alloc(8e6));
}

async function checkAfter(context: Context, when: string): Promise<void> {
  const { home, exports, undisturbed, random, tally } = context;
  countLosses(home, tally, `${when}, at once`);
  const list = await motif(home, 'jobs', 'list');
  if (list.code !== 0 || list.hasStackTrace) tally.found('deaths', `${when}: ${list.errors || list.error?.message}`);
  countHalfFiles(home, [exports], tally, when);
  const jobs = (list.line('jobs')?.jobs ?? []) as { id: string; kind: string; state: string }[];
  for (const { id, kind, state } of jobs) {
    if (state === 'running' || state === 'failed') tally.found('lost', `${when}: ${id} is ${state}`);
    if (!['interrupted', 'queued', 'paused'].includes(state)) continue;
    if (kind !== 'learn' && random() < 0.5) {
      await motif(home, 'jobs', 'cancel', id);
      continue;
    }
    const done = (await motif(home, 'jobs', 'resume', id)).line('job')?.job;
    if (done?.state !== 'done') tally.found('lost', `${when}: ${id} does not go on`);
    else if (kind === 'learn') {
      const file = join(home, `concepts/${done.output.conceptId}/v${done.output.version}/concept.safetensors`);
      if (hashOf(file) !== undisturbed?.weights) tally.found('lost', `${when}: ${id} ends in other weights`);
    } else if (kind === 'export' && !existsSync(done.output.file)) tally.found('lost', `${when}: ${done.output.file}`);
  }
  countLosses(home, tally, `${when}, at the end`);
}
