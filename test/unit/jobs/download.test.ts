import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Runner } from '../../../main/jobs/runner.ts';
import { downloadRunner } from '../../../main/jobs/runners/download.ts';
import { describeRemote, hubAddress } from '../../../main/jobs/runners/hub.ts';
import { type Library, openLibrary } from '../../../main/library/open.ts';
import { writeSettings } from '../../../main/library/settings.ts';
import type { DownloadInput, DownloadOutput } from '../../../shared/domain/job-input.ts';

/** A repository of the Hub on this machine, which may break off or spoil what it sends. */
const weights = Buffer.from('w'.repeat(5000));
const contents: Record<string, Buffer> = {
  'model_index.json': Buffer.from('{"_class_name":"WanPipeline"}'),
  'transformer/config.json': Buffer.from('{}'),
  'transformer/model.safetensors': weights,
  'assets/teaser.mp4': Buffer.from('not wanted'),
};
let folder: string;
let server: Server;
let library: Library;
let runner: Runner<DownloadInput, DownloadOutput>;
let asked: { path: string; range: string | undefined }[];
let breakAfter: number | null;
let spoil: boolean;
let endless: boolean;
/** What the list says of the weights' size. */
let claimed: number;
let endpoint: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'motif-download-'));
  asked = [];
  breakAfter = null;
  spoil = false;
  endless = false;
  claimed = weights.length;
  server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!.split('?')[0]!);
    asked.push({ path, range: request.headers.range });
    if (path === '/api/models/some/model/revision/main') {
      const siblings = Object.entries(contents).map(([rfilename, data]) => ({
        rfilename,
        size: data === weights ? claimed : data.length,
        blobId: createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex'),
        ...(rfilename.endsWith('.safetensors')
          ? {
              lfs: {
                sha256: createHash('sha256').update(data).digest('hex'),
                size: data === weights ? claimed : data.length,
              },
            }
          : {}),
      }));
      const cardData = { license: 'apache-2.0', language: ['en'] };
      return response.end(JSON.stringify({ sha: 'abc', siblings, tags: ['license:other'], cardData }));
    }
    const data = contents[path.replace('/some/model/resolve/abc/', '')];
    if (!data) return response.writeHead(404).end();
    if (endless && data === weights) {
      const timer = setInterval(() => response.write(Buffer.alloc(2 ** 16)), 1);
      response.on('close', () => clearInterval(timer));
      return;
    }
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'Content-Length': data.length - from });
    const sent = spoil && data === weights ? Buffer.from('x'.repeat(data.length)) : data;
    if (breakAfter === null || data !== weights) return response.end(sent.subarray(from));
    response.write(sent.subarray(from, from + breakAfter));
    const part = join(folder, 'job/model/transformer/model.safetensors.part');
    const watch = setInterval(() => {
      if (!existsSync(part) || statSync(part).size < breakAfter!) return;
      clearInterval(watch);
      response.destroy();
    }, 10);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  library = openLibrary({ home: join(folder, 'home'), program: 'test' });
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  runner = downloadRunner({ library, address: () => endpoint });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  library.close();
  rmSync(folder, { recursive: true, force: true });
});

const attempt = (repository = 'some/model') =>
  runner.run({
    jobId: 'job',
    input: { repository, revision: 'main' },
    target: 'model',
    folder: join(folder, 'job'),
    signal: new AbortController().signal,
    onProgress: () => {},
    onEvent: () => {},
  });

it('fetches the parts of a model and nothing else', async () => {
  const { output, move } = await attempt();
  expect(output).toEqual({ directory: 'models/model' });
  expect(readFileSync(join(move!.from, 'transformer/model.safetensors'))).toEqual(weights);
  expect(asked.some(({ path }) => path.includes('teaser'))).toBe(false);
});

it('leaves out files whose name is a path on some system', async () => {
  const names = [
    'LICENSE\\..\\..\\x',
    'LICENSE:x',
    'transformer/..\\..\\x.json',
    'transformer/../x.json',
    'vae/C:x.json',
  ];
  for (const name of names) contents[name] = Buffer.from('no');
  try {
    const { move } = await attempt();
    expect(readdirSync(move!.from, { recursive: true }).sort()).toEqual([
      'model_index.json',
      'transformer',
      'transformer/config.json',
      'transformer/model.safetensors',
    ]);
  } finally {
    for (const name of names) delete contents[name];
  }
});

it('goes on where the connection broke off', async () => {
  breakAfter = 2000;
  await expect(attempt()).rejects.toMatchObject({
    code: 'disconnected',
    message: expect.stringContaining('127.0.0.1'),
    hint: expect.stringContaining('what has arrived is kept'),
  });
  breakAfter = null;
  const { move } = await attempt();
  expect(asked.at(-1)).toEqual({ path: '/some/model/resolve/abc/transformer/model.safetensors', range: 'bytes=2000-' });
  expect(readFileSync(join(move!.from, 'transformer/model.safetensors'))).toEqual(weights);
});

it('breaks off a file that is longer than announced, and keeps nothing of it', async () => {
  endless = true;
  await expect(attempt()).rejects.toMatchObject({
    code: 'damaged-file',
    message: expect.stringContaining('longer than the 5000 bytes'),
  });
  expect(existsSync(join(folder, 'job/model/transformer/model.safetensors.part'))).toBe(false);
});

it('says so when it is answered no list of files', async () => {
  const page = createServer((_request, response) => response.end('<html>Please sign in to the network</html>'));
  await new Promise<void>((done) => page.listen(0, '127.0.0.1', done));
  try {
    runner = downloadRunner({ library, address: () => `http://127.0.0.1:${(page.address() as AddressInfo).port}` });
    await expect(attempt()).rejects.toMatchObject({ code: 'damaged-file', message: expect.stringContaining('list') });
  } finally {
    page.close();
  }
});

it('refuses an answer that only ends with the connection', async () => {
  const old = createNetServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(`HTTP/1.0 200 OK\r\n\r\n${'x'.repeat(2 ** 22)}`));
  });
  await new Promise<void>((done) => old.listen(0, '127.0.0.1', done));
  try {
    runner = downloadRunner({ library, address: () => `http://127.0.0.1:${(old.address() as AddressInfo).port}` });
    await expect(attempt()).rejects.toMatchObject({
      code: 'disconnected',
      message: expect.stringContaining('does not say where its answer ends'),
    });
  } finally {
    old.close();
  }
});

it('refuses a file whose hash is another, and fetches it anew the next time', async () => {
  spoil = true;
  await expect(attempt()).rejects.toMatchObject({ code: 'damaged-file' });
  spoil = false;
  const { move } = await attempt();
  expect(readFileSync(join(move!.from, 'transformer/model.safetensors'))).toEqual(weights);
});

it('says what is wrong with a name, a repository without a model, and no network', async () => {
  await expect(attempt('some/other')).rejects.toMatchObject({ code: 'not-found' });
  const { 'model_index.json': index, ...others } = contents;
  delete contents['model_index.json'];
  await expect(attempt()).rejects.toMatchObject({ code: 'invalid-input' });
  Object.assign(contents, { 'model_index.json': index }, others);
  runner = downloadRunner({ library, address: () => 'http://127.0.0.1:1' });
  await expect(attempt()).rejects.toMatchObject({ code: 'disconnected' });
});

it('tells licence and size before anything is fetched', async () => {
  const signal = new AbortController().signal;
  const remote = await describeRemote(endpoint, { repository: 'some/model', revision: 'main' }, signal);
  const wanted = ['model_index.json', 'transformer/config.json', 'transformer/model.safetensors'];
  const sizeBytes = wanted.reduce((bytes, name) => bytes + contents[name]!.length, 0);
  expect(remote).toEqual({ license: 'apache-2.0', sizeBytes, files: 3, from: new URL(endpoint).host });
  expect(asked.map(({ path }) => path)).toEqual(['/api/models/some/model/revision/main']);
});

it('refuses a file that is shorter than was said, and one that no disk can hold before a byte is fetched', async () => {
  claimed = weights.length + 100;
  await expect(attempt()).rejects.toMatchObject({ code: 'damaged-file' });
  expect(existsSync(join(folder, 'job/model/transformer/model.safetensors'))).toBe(false);
  claimed = 1e18;
  asked = [];
  await expect(attempt()).rejects.toMatchObject({ code: 'out-of-space' });
  expect(asked).toHaveLength(1);
});

it('fetches from the mirror of the settings, whatever stands behind its address', async () => {
  expect(hubAddress(library)).toBe(process.env.HF_ENDPOINT ?? 'https://huggingface.co');
  writeSettings(library, { modelMirror: `${endpoint}/` });
  expect(hubAddress(library)).toBe(endpoint);
  runner = downloadRunner({ library });
  const { move } = await attempt();
  expect(readFileSync(join(move!.from, 'transformer/model.safetensors'))).toEqual(weights);
  expect(() => writeSettings(library, { modelMirror: 'file:///etc' })).toThrow(/A mirror is an address/);
});
