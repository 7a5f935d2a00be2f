import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommandLine } from '../../../main/cli/main.ts';
import type { JobRequest, Services, ServicesOptions } from '../../../main/services/services.ts';
import { editSettings } from '../../../shared/domain/edit.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { recipe } from '../../../shared/domain/recipe.ts';
import { startStrength } from '../../../shared/domain/strength.ts';
import { AppError } from '../../../shared/ipc/result.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const idle: Job = {
  id: 'j1',
  kind: 'learn',
  title: 'Learn dance',
  state: 'queued',
  input: {},
  output: null,
  progress: null,
  checkpoint: 'jobs/j1',
  error: null,
  attempts: 0,
  position: 0,
  createdAt: '2026-01-02T03:04:05Z',
  startedAt: null,
  finishedAt: null,
};

/** A library in which every job ends as told. Only what the commands under test call is there. */
function fakeServices(end: (requests: JobRequest[]) => Partial<Job>) {
  const requests: JobRequest[] = [];
  const opened: ServicesOptions[] = [];
  /** What files of concepts were added. */
  const added: object[] = [];
  let closed = 0;
  const known: Partial<Services['call']> = {
    'library.resolve': async ({ reference: id, kinds = ['clip', 'concept', 'edit'] }) => {
      const kind = id.startsWith('e') ? 'edit' : 'concept';
      if (id === 'nothing' || !kinds.includes(kind)) {
        throw new AppError('not-found', `Nothing is called ${id}.`, { hint: 'Look again.' });
      }
      return { kind, id };
    },
    'clips.get': async ({ reference: id }) => ({ id, source: { path: 'a.mp4' } }) as never,
    'clips.list': async () => [],
    'concepts.get': async ({ reference: id }) =>
      ({
        id,
        name: id,
        version: 1,
        metrics: {},
        recipe: { method: 'lora' },
        rank: 8,
        model: 'm',
        clipIds: ['c'],
        captions: [{ static: 's', dynamic: 'd' }],
      }) as never,
    'concepts.importFile': async ({ file }) => {
      added.push({ file });
      return { concept: { id: 'k1', name: 'waltz' } as never, duplicate: added.length > 1 };
    },
    'concepts.mix': async (request) => {
      added.push(request);
      return { id: 'k4', version: 1, captions: [{ static: 'a [v] dog', dynamic: 'is dancing' }] } as never;
    },
    'concepts.importLora': async (request) => {
      added.push(request);
      const notes = 'Imported from waltz.safetensors (comfyui, rank 8, 80 layers).';
      return { id: 'k2', name: 'waltz', notes } as never;
    },
    'edits.get': async ({ reference: id }) => ({ id, seconds: 2, frames: null }) as never,
    'jobs.enqueue': async (request) => {
      requests.push(request);
      return idle;
    },
    'jobs.get': async () => idle,
    'jobs.list': async () => [],
  };
  const services = {
    library: {
      status: () => ({ folder: 'library', access: 'write', holder: null }),
      absolutePath: (path: string) => `/library/${path}`,
    },
    call: known,
    queue: { run: async () => ({ ...idle, ...end(requests) }) },
    close: async () => {
      closed += 1;
    },
  } as unknown as Services;
  return {
    requests,
    opened,
    added,
    closed: () => closed,
    openServices: async (options: ServicesOptions) => {
      opened.push(options);
      return services;
    },
  };
}

async function motif(words: string[], library = fakeServices(() => ({ state: 'done', output: {} })), debug = false) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const signals = Object.assign(new EventEmitter(), { exit: () => {} });
  const code = await runCommandLine(words, {
    version: '1.2.3',
    streams: { stdout, stderr },
    signals,
    openServices: library.openServices,
    debug,
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

const commands = 'doctor import clips learn concepts edit compose export jobs models bench demo evaluate'.split(' ');
const captions = ['--static', 'a [v] dog', '--dynamic', 'is running in [u] motion'];

test.each(commands)('the help of %s has an example and goes to stdout with exit code 0', async (command) => {
  const { code, out } = await motif([command, '--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/Examples?:\n {2}\S/);
});

test.each([
  [[]],
  [['dance']],
  [['learn']],
  [['learn', 'c1']],
  [['learn', 'c1', '--static', 'a dog', '--dynamic', 'in [u] motion']],
  [['learn', 'c1', '--static', 'a [v] dog']],
  [['learn', 'c1', 'c2', '--static', 'a [v]', '--static', 'a [v]', '--static', 'a [v]', '--dynamic', '[u]']],
  [['learn', 'c1', ...captions, '--rank', 'many']],
  [['learn', 'c1', ...captions, '--from', '3', '--to', '2']],
  [['edit', 'k1']],
  [['edit', 'k1', '--prompt', 'x', '--fidelity', '2']],
  [['edit', 'k1', '--prompt', ' ']],
  [['export', 'e1', '--size', '20000x64']],
  [['compose', 'k1']],
  [['export', 'e1', '--motion', '1']],
  [['export', 'k1', '--lora', 'diffusers', '--crf', '20']],
  [['export', 'e1', '--preset', 'mpeg2']],
  [['export', 'e1', '-o', '']],
  [['export', 'e1', '--audio', 'none', '--sound', '2']],
  [['concepts', 'k1', '--save', '']],
  [['demo', '-o', ' ']],
  [['clips', '--home', '']],
  [['bench', '--only', 'everything']],
  [['bench', 'everything']],
  [['clips', '--device', 'an abacus']],
  [['concepts', '--add', 'waltz.safetensors']],
  [['concepts', '--add', 'waltz.safetensors', '--clip', 'c1']],
  [['concepts', '--add', 'waltz.motif', '--clip', 'c1', '--static', 'a couple']],
  [['concepts', 'k1', '--name', 'waltz']],
  [['doctor', '--install', 'openvino']],
  [['doctor', '--install', 'cuda']],
  [['doctor', '--install', 'cuda', 'one', 'two']],
  [['doctor', '--install', 'abacus', 'file']],
])('wrong use %j ends with 2, one message and no work', async (words) => {
  const library = fakeServices(() => ({}));
  const { code, out, err } = await motif(words, library);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).not.toMatch(/\n\s+at /);
  expect(err.length).toBeGreaterThan(0);
  expect(library.requests).toEqual([]);
});

test('the help tells what holds where an option is not given, as the domain has it', async () => {
  const help = async (command: string) => (await motif([command, '--help'])).out.replace(/\s+/g, ' ');
  const { rank, stepsIdentity, stepsMotion } = recipe.parse({});
  const learn = await help('learn');
  for (const value of [rank, stepsIdentity, stepsMotion]) expect(learn).toContain(`(default: ${value})`);
  const { steps, keepDetail } = editSettings.parse({ prompt: '' });
  const edit = await help('edit');
  for (const value of [steps, keepDetail, startStrength]) expect(edit).toContain(`(default: ${value})`);
});

test('doctor says how to get OpenVINO and CUDA, as the reasons for their absence promise', async () => {
  expect((await motif(['doctor', '--install', 'openvino'])).err).toMatch(/pip download .*openvino.*archive/);
  expect((await motif(['doctor', '--install', 'cuda'])).err).toMatch(/pip download .*onnxruntime-gpu==\d+\.\d+\.\d+/);
});

test('learning passes on what was given and leaves the rest to the recipe', async () => {
  const library = fakeServices(() => ({ state: 'done', output: { conceptId: 'k1', version: 1 } }));
  const words = ['learn', 'c1', 'c2', ...captions, '--rank', '4', '--name', 'pair', '--home', 'h', '--model', 'm'];
  const { code, out } = await motif(words, library);
  expect(code).toBe(0);
  expect(out).toMatch(/^k1 /);
  const caption = { static: 'a [v] dog', dynamic: 'is running in [u] motion' };
  expect(JSON.parse(JSON.stringify(library.requests))).toEqual([
    {
      kind: 'learn',
      name: 'pair',
      model: 'm',
      recipe: { rank: 4 },
      clips: [
        { clipId: 'c1', caption },
        { clipId: 'c2', caption },
      ],
    },
  ]);
  expect(library.opened).toMatchObject([{ home: 'h', access: 'write', program: 'motif learn' }]);
  expect(library.closed()).toBe(1);
});

test('a learning that was paused ends with 130 and says how to go on', async () => {
  const { code, err } = await motif(
    ['learn', 'c1', ...captions],
    fakeServices(() => ({ state: 'paused' })),
  );
  expect(code).toBe(130);
  expect(err).toContain('motif jobs resume j1');
});

test('a failed job ends with 1, its reason and its hint, without a stack trace', async () => {
  const error = { code: 'unsupported-media' as const, message: 'No video stream.', hint: 'Give another file.' };
  const library = fakeServices(() => ({ state: 'failed', error }));
  const { code, out, err } = await motif(['learn', 'c1', ...captions], library);
  expect({ code, out, err }).toEqual({ code: 1, out: '', err: 'Error: No video stream.\nGive another file.\n' });
  expect(library.closed()).toBe(1);
});

test('a fault of the program is one line, and a stack trace only when asked for', async () => {
  const broken = { ...fakeServices(() => ({})), openServices: () => Promise.reject(new Error('expected 3, found 4')) };
  const quiet = await motif(['clips'], broken);
  expect(quiet.code).toBe(1);
  expect(quiet.err).not.toMatch(/\n\s+at /);
  expect((await motif(['clips'], broken, true)).err).toMatch(/\n\s+at /);
});

test('with --json, before or after the command, every line is JSON, errors and wrong use too', async () => {
  for (const words of [
    ['--json', 'clips'],
    ['clips', '--json'],
    ['export', 'nothing', '--json'],
    ['--json', 'learn'],
  ]) {
    const { out, err } = await motif(words);
    expect(err).toBe('');
    for (const line of out.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('type');
  }
});

test('several prompts and a batch file make several edits, with the options as defaults', async () => {
  const batch = join(folder, 'edits.json');
  await writeFile(
    batch,
    JSON.stringify([
      { prompt: 'c', motion: 0.5, seed: 9 },
      { prompt: 'd', name: 'last' },
    ]),
  );
  const library = fakeServices(() => ({ state: 'done', output: { editId: 'e1', reused: false } }));
  const words = ['edit', 'k1', '--prompt', 'a', '--prompt', 'b', '--batch', batch, '--seed', '3', '--direction', '2=0'];
  const { code, out } = await motif(words, library);
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(4);
  expect(library.requests.map((request) => request.kind === 'generate' && request.settings)).toMatchObject([
    { prompt: 'a', seed: 3, sliders: { directions: { 2: 0 } } },
    { prompt: 'b', seed: 3 },
    { prompt: 'c', seed: 9, sliders: { motion: 0.5, directions: { 2: 0 } } },
    { prompt: 'd', seed: 3 },
  ]);
  expect(library.requests.at(-1)).toMatchObject({ name: 'last' });
});

test.each([
  ['{"prompt": "a"}', /not a list of edits/],
  ['[{"prompt": "a", "motoin": 1}]', /not a list of edits.*motoin/],
  ['[{"prompt": ', /not JSON/],
])('a batch file such as %s is refused with the reason', async (content, reason) => {
  const batch = join(folder, 'wrong.json');
  await writeFile(batch, content);
  const { code, err } = await motif(['edit', 'k1', '--batch', batch]);
  expect(code).toBe(1);
  expect(err).toMatch(reason);
});

test('a concept exports as LoRA with its gains, an edit as video, and not the other way round', async () => {
  const library = fakeServices(() => ({ state: 'done', output: { file: 'f', sizeBytes: 3, notes: [] } }));
  expect((await motif(['export', 'k1', '--lora', 'kohya', '--motion', '0.5'], library)).code).toBe(0);
  expect((await motif(['export', 'e1', '--preset', 'gif', '--size', '64x32'], library)).code).toBe(0);
  expect(library.requests).toMatchObject([
    { request: { what: 'lora', dialect: 'kohya', sliders: { motion: 0.5 } } },
    { request: { what: 'edit', editId: 'e1', settings: { preset: 'gif', width: 64, height: 32 } } },
  ]);
  expect((await motif(['export', 'e1', '--sound', '2', '-o', 'there/'], library)).code).toBe(0);
  expect(library.requests.at(-1)).toMatchObject({
    request: { output: expect.stringMatching(/there[/\\]$/), settings: { audio: 'original', sound: 2 } },
  });
  expect((await motif(['export', 'k1'], library)).code).toBe(1);
  expect((await motif(['export', 'e1', '--lora', 'kohya'], library)).code).toBe(1);
});

test('a LoRA file is added with the clip and the words that it was given, for the model in use', async () => {
  const library = fakeServices(() => ({}));
  const words = ['--clip', 'c1', '--static', 'a couple in a hall', '--dynamic', 'is dancing', '--name', 'waltz'];
  const { code, out, err } = await motif(
    ['concepts', '--add', 'waltz.safetensors', ...words, '--model', 'Wan'],
    library,
  );
  expect({ code, out }).toEqual({ code: 0, out: 'k2  waltz\n' });
  expect(err).toContain('Imported from waltz.safetensors');
  expect(library.opened).toMatchObject([{ access: 'write' }]);
  const caption = { static: 'a couple in a hall', dynamic: 'is dancing' };
  expect(library.added).toEqual([
    { file: resolve('waltz.safetensors'), clipId: 'c1', caption, name: 'waltz', model: 'Wan' },
  ]);
});

test('a package that is in the library already is said to be, and is the answer', async () => {
  const library = fakeServices(() => ({}));
  await motif(['concepts', '--add', 'waltz.motif'], library);
  const { code, out, err } = await motif(['concepts', '--add', 'waltz.motif'], library);
  expect({ code, out }).toEqual({ code: 0, out: 'k1  waltz\n' });
  expect(err).toContain('in the library already; nothing was added');
});

test('a concept or LoRA given to import is told where it goes', async () => {
  const file = join(folder, 'waltz.safetensors');
  await writeFile(file, '');
  const { code, err } = await motif(['import', file]);
  expect(code).toBe(1);
  expect(err).toContain('motif concepts --add');
});

test('composing without learning takes the identity of one concept and the motion of another, and says how to see it', async () => {
  const library = fakeServices(() => ({}));
  const { code, err } = await motif(['compose', '--identity', 'dog', '--motion', 'waltz', '--name', 'both'], library);
  expect(code).toBe(0);
  expect(library.added).toEqual([{ identity: 'dog', motion: 'waltz', name: 'both' }]);
  expect(library.requests).toEqual([]);
  expect(err).toContain('motif edit k4 --prompt "a [v] dog is dancing"');
  for (const wrong of [
    ['--identity', 'dog'],
    ['--motion', 'waltz'],
    ['k1', '--identity', 'dog', '--motion', 'waltz'],
  ])
    expect((await motif(['compose', ...wrong], library)).code).toBe(2);
});

test('composing takes the clips and captions of both concepts', async () => {
  const library = fakeServices(() => ({ state: 'done', output: { conceptId: 'k3', version: 1 } }));
  expect((await motif(['compose', 'k1', 'k2'], library)).code).toBe(0);
  expect(library.requests).toMatchObject([{ kind: 'learn', name: 'k1 and k2', model: 'm' }]);
  expect(library.requests[0]!.kind === 'learn' && library.requests[0]!.clips).toHaveLength(2);
});
