import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EditorWindow } from '../fixtures/editor-window.ts';
import { type Campaign, pick, randomNumbers, type Tally } from './campaign.ts';
import { countLosses } from './inspect-library.ts';
import { Host, motif, sample } from './programs.ts';

const answerMilliseconds = 15_000;

/** Sends the server messages that are no messages, calls that are none, and calls with whatever in them. */
export const messages: Campaign = {
  name: 'messages',
  times: { short: 150, long: 2000 },
  async run({ times, seed, folder, tally }) {
    const random = randomNumbers(seed);
    const home = join(folder, 'home');
    const exports = join(folder, 'exports');
    mkdirSync(exports);
    await motif(home, 'concepts', '--add', sample('dancer.motif'));
    const host = await Host.start(home);
    let window = await host.openWindow();
    // Learning and rendering are not what is tried here.
    await window.call('settings.set', { queuePaused: true });
    const calls = await validCalls(window, exports);
    for (let index = 0; index < times && !host.running.hasEnded; index++) {
      tally.figures.tried++;
      if (window.socket.readyState !== window.socket.OPEN) window = await host.openWindow();
      if (random() < 0.2) await sendRubbish(window, random);
      else await callSomehow(window, pick(random, calls), { random, exports, tally });
    }
    await sleep(300);
    if (host.running.hasEnded) tally.found('deaths', `the server: ${host.running.errors.slice(0, 500)}`);
    else if ((await (await host.openWindow()).call('library.status')).type !== 'reply') {
      tally.found('internalErrors', 'the server does not answer any more');
    }
    if (host.running.errors !== '') tally.found('deaths', host.running.errors.slice(0, 500));
    await host.running.stop();
    countLosses(home, tally, 'after all messages');
  },
};

type Call = [name: string, input: unknown];

/** Every call of the contract but those that fetch from the network, as a window would make it. */
async function validCalls(window: EditorWindow, exports: string): Promise<Call[]> {
  const id = async (name: string) => ((await window.call(name)).value as { id: string }[])[0]!.id;
  const [clip, concept] = [await id('clips.list'), await id('concepts.list')];
  const caption = { static: 'a [v] person', dynamic: 'is dancing in [u] motion' };
  const settings = { prompt: 'a [v] person on a beach', steps: 1 };
  const job = { reference: 'generate' };
  return [
    ['library.status', {}],
    ['library.search', { text: 'dancer', kinds: ['clip'], limit: 5 }],
    ['library.tags', {}],
    ['library.delete', { items: [{ kind: 'clip', id: 'none' }] }],
    ['library.restore', { deletionId: 'none' }],
    ['library.trash', {}],
    ['library.emptyTrash', {}],
    ['clips.list', { text: 'a', order: 'newest', tag: 'x' }],
    ['clips.get', { reference: clip }],
    ['clips.label', { reference: clip, labels: { name: 'x', tags: ['a', 'b'], notes: 'n' } }],
    ['clips.proxy', { clipId: clip, format: 'webm' }],
    ['concepts.list', { text: 'd' }],
    ['concepts.get', { reference: concept, version: 1 }],
    ['concepts.versions', { reference: concept }],
    ['concepts.label', { reference: concept, labels: { directionNames: { 0: 'smile' } } }],
    ['concepts.losses', { reference: concept }],
    ['concepts.exportFile', { reference: concept, target: join(exports, 'x.motif'), overwrite: 'replace' }],
    ['concepts.importFile', { file: '/nonexistent.motif' }],
    ['concepts.importLora', { file: '/nonexistent', clipId: clip, caption }],
    ['edits.list', { conceptId: concept }],
    ['edits.get', { reference: 'none' }],
    ['edits.label', { reference: 'none', labels: { starred: true } }],
    ['edits.preview', { conceptId: 'none', settings }],
    ['edits.preview', { conceptId: null, sourceClipId: 'none', settings }],
    ['twins.describe', {}],
    ['twins.reenact', { structureClipId: clip, dynamicsClipId: 'none', strengths: { dynamics: 1.2 }, view: 'both' }],
    ['twins.export', { structureClipId: 'none', dynamicsClipId: clip, name: 'x', preset: 'gif' }],
    ['looks.list', {}],
    [
      'looks.save',
      { look: { name: 'dusk', from: '{seen} by day', to: '{seen} at dusk', strength: 0.5, keepDetail: 1 } },
    ],
    ['looks.move', { id: 'none', before: null }],
    ['looks.remove', { id: 'none' }],
    ['jobs.list', { states: ['queued'], kinds: ['import'] }],
    ['jobs.enqueue', { kind: 'generate', conceptId: concept, settings }],
    ['jobs.enqueue', { kind: 'generate', sourceClipId: 'none', settings }],
    ['jobs.enqueue', { kind: 'import', path: '/nonexistent.mp4' }],
    ['jobs.enqueue', { kind: 'learn', clips: [{ clipId: clip, caption }], recipe: { stepsIdentity: 1 } }],
    ['jobs.enqueue', { kind: 'export', request: { what: 'clip', clipId: clip, output: join(exports, 'x') } }],
    ...['get', 'pause', 'resume', 'cancel', 'keep', 'retry', 'remove', 'events'].map(
      (act): Call => [`jobs.${act}`, job],
    ),
    ['jobs.move', { ...job, before: null }],
    ['models.list', {}],
    ['models.add', { directory: '/nonexistent' }],
    ['models.remove', { model: 'none' }],
    ['device.report', {}],
    ['settings.get', {}],
    ['settings.set', { previewSteps: 4, exportPresets: [{ name: 'x', settings: { preset: 'gif' } }] }],
    ['media.tools', {}],
    ['exports.inspect', { folder: exports, names: ['a'] }],
    ['caches.sizes', {}],
    ['caches.clear', {}],
    ['program.about', {}],
    ['program.logError', { message: 'x' }],
    ['program.saveReport', {}],
    ['media.address', { path: `clips/${clip}/frames.rgb` }],
  ];
}

async function callSomehow(
  window: EditorWindow,
  [name, input]: Call,
  { random, exports, tally }: { random: () => number; exports: string; tally: Tally },
): Promise<void> {
  let given = random() < 0.7 ? changed(random, input) : random() < 0.4 ? pick(random, nasty) : input;
  // Nothing is to be written elsewhere, fetched, or begun.
  if (isObject(given) && 'target' in given) given = { ...given, target: join(exports, 'y.motif') };
  if (isObject(given) && 'queuePaused' in given) given = {};
  const message = given === undefined ? { name } : { name, input: given };
  const answer = await Promise.race([window.ask(message).catch(() => null), sleep(answerMilliseconds, null)]);
  const said = `${name} ${JSON.stringify(given)?.slice(0, 200)}`;
  if (answer === null) tally.found('internalErrors', `no answer to ${said}`);
  else if (answer.error?.code === 'internal') tally.found('internalErrors', `${answer.error.message} after ${said}`);
}

const nasty: readonly unknown[] = [
  ...[null, undefined, true, -1, 0, -0, 1.5, 1e308, 2 ** 53, [], {}, [[]], { toString: 1 }],
  ...['', 'x', 'x'.repeat(10_000), '__proto__', 'constructor', '\u0000', '\ud800', '../../etc/passwd', '%', '"', '*'],
  ...[
    "'; DROP TABLE clips;--",
    `${'a'.repeat(300)}*`,
    '9'.repeat(400),
    'a AND OR NOT (',
    '\ufeff',
    '\u202e',
    'word '.repeat(30_000),
  ],
  ...[['a'.repeat(100)], Array(2000).fill('x'), 'C:\\x', '/dev/zero', '/dev/full/x', '/proc/self/mem', '~'],
];

/** With one thing in it replaced, taken out, or named like a method of every object. */
function changed(random: () => number, value: unknown, depth = 0): unknown {
  if (value === null || typeof value !== 'object' || depth > 5 || random() < 0.15) return pick(random, nasty);
  const keys = Object.keys(value);
  if (keys.length === 0) return pick(random, nasty);
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  const key = pick(random, keys);
  const how = random();
  if (how < 0.12) delete copy[key];
  else if (how < 0.24) {
    Object.defineProperty(copy, pick(random, ['__proto__', 'constructor', 'extra']), {
      value: { x: 1 },
      enumerable: true,
    });
  } else copy[key] = changed(random, copy[key], depth + 1);
  return copy;
}

/** What is no message, or breaks the protocol beneath; for the latter the server closes this window. */
async function sendRubbish(window: EditorWindow, random: () => number): Promise<void> {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const name = pick(random, ['__proto__', 'constructor', 'toString', '', 'library']);
  const ignored = [
    '{',
    'null',
    Buffer.from('binary'),
    JSON.stringify({ type: 'call', id: 'x', name: 'library.status' }),
    JSON.stringify({ type: 'cancel', id: 1e6 }),
    JSON.stringify({ type: 'call', id: 1e6, name, input: {} }),
    `{"type":"call","id":1000000,"name":"clips.list","input":${deep}}`,
  ];
  if (random() < 0.7) return window.socket.send(pick(random, ignored));
  const closed = window.closed();
  pick(random, [
    () => window.socket.send('x'.repeat(2 ** 20 + 10)),
    () => window.sendRaw(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28])), // no UTF-8
    () => window.sendRaw(Buffer.from([0x8b, 0x80, 0, 0, 0, 0])), // an opcode that is none
  ])();
  await closed;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
