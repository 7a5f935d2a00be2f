import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClipStore } from '../../../main/library/clips.ts';
import { type EditorServer, startServer } from '../../../main/server/http-server.ts';
import type { Services } from '../../../main/services/services.ts';
import { EditorWindow, signIn } from '../../fixtures/editor-window.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { addClips, openTestServices } from '../../fixtures/services.ts';

let folder: string;
let services: Services;
let server: EditorServer;
let cookie: string;
const open = () => EditorWindow.open(server, cookie);

beforeEach(async () => {
  folder = makeTempFolder('server');
  addClips(folder, 'river-1a2b');
  services = await openTestServices(folder);
  server = await startServer(services, { rendererFolder: folder });
  cookie = await signIn(server.address);
});
afterEach(async () => {
  await server.close();
  await services.close();
  rmSync(folder, { recursive: true });
});

/** What goes over the wire when a client breaks the protocol; every frame from a client carries a mask. */
function frame(firstByte: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([firstByte, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

describe('a window that breaks the protocol is closed, and the server goes on', () => {
  it.each([
    ['a message over the limit', 1009, (window: EditorWindow) => window.socket.send('x'.repeat(2 ** 20 + 1))],
    ['bad UTF-8', 1007, (window: EditorWindow) => window.sendRaw(frame(0x81, Buffer.from([0xc3, 0x28])))],
    ['an unknown opcode', 1002, (window: EditorWindow) => window.sendRaw(frame(0x83, Buffer.alloc(0)))],
    ['reserved bits', 1002, (window: EditorWindow) => window.sendRaw(frame(0xf1, Buffer.alloc(0)))],
  ])('after %s', async (_what, code, send) => {
    const [bad, good] = [await open(), await open()];
    const closed = bad.closed();
    send(bad);
    expect(await closed).toBe(code);
    expect(await good.call('library.status', {})).toMatchObject({ type: 'reply' });
    expect(await (await open()).call('clips.list', {})).toMatchObject({ type: 'reply' });
  });

  it('after it leaves in the middle of the handshake', async () => {
    const head = `GET /rpc HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    for (let count = 0; count < 5; count++) {
      await new Promise<void>((done) => {
        const socket = connect(server.port, '127.0.0.1', () => socket.write(head, () => socket.resetAndDestroy()));
        socket.on('error', () => {}).on('close', () => done());
      });
    }
    expect(await (await open()).call('library.status', {})).toMatchObject({ type: 'reply' });
  });
});

describe('calls', () => {
  it('without an input are answered', async () => {
    expect(await (await open()).ask({ name: 'library.status' })).toMatchObject({ type: 'reply' });
    expect(await (await open()).ask({ name: 'clips.get' })).toMatchObject({ error: { code: 'invalid-input' } });
  });

  it('without a name are answered', async () => {
    expect(await (await open()).ask({})).toMatchObject({ error: { code: 'invalid-input' } });
    expect(await (await open()).ask({ name: 7 })).toMatchObject({ error: { code: 'invalid-input' } });
  });

  it('with a text over its limit are refused with a sentence', async () => {
    const window = await open();
    const settings = { prompt: 'word '.repeat(1000) };
    for (const [name, input, sentence] of [
      ['edits.preview', { conceptId: 'x', settings }, 'A prompt has at most 2,000 characters.'],
      ['library.search', { text: 'w '.repeat(30_000) }, 'A search has at most 300 characters.'],
      ['clips.list', { text: 'w '.repeat(30_000) }, 'A search has at most 300 characters.'],
      ['clips.get', { reference: 'x'.repeat(1000) }, 'An id or name has at most 300 characters.'],
      ['models.add', { directory: 'x'.repeat(5000) }, 'A path has at most 4,096 characters.'],
      ['concepts.duplicate', { reference: 'x', name: 'x'.repeat(201) }, 'A name has at most 200 characters.'],
    ] as const) {
      const { error } = await window.call(name, input);
      expect(error).toMatchObject({ code: 'invalid-input', message: expect.stringContaining(sentence) });
    }
  });
});

it('takes no more from a window that never reads, and all of it once it does', async () => {
  const notes = 'n'.repeat(19_000);
  await services.call['clips.label']({ reference: 'river-1a2b', labels: { notes } });
  const window = await open();
  let taken = 0;
  const [clip] = await services.call['clips.list']();
  const list = vi.spyOn(ClipStore.prototype, 'list').mockImplementation(() => {
    taken++;
    return Array.from({ length: 20 }, () => clip!);
  });
  onTestFinished(() => list.mockRestore());
  const count = 160; // answers of 380 kB
  window.socket.pause();
  const answers = Array.from({ length: count }, () => window.call('clips.list', {}));
  const settled = async () => {
    for (let before = -1; before !== taken; ) {
      before = taken;
      await new Promise((done) => setTimeout(done, 300));
    }
    return taken;
  };
  expect(await settled()).toBeLessThan(count / 2);
  window.socket.resume();
  expect(new Set((await Promise.all(answers)).map(({ type }) => type))).toEqual(new Set(['reply']));
});

it('answers a malformed address as such, not as a fault of the program', async () => {
  const status = (path: string) =>
    new Promise<number>((resolve, reject) => {
      request({ host: '127.0.0.1', port: server.port, path, headers: { Cookie: cookie } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode!);
      })
        .on('error', reject)
        .end();
    });
  for (const path of ['/%', '/media/%', '/media/clips/%E0%80', '//', 'http://[/']) {
    expect([path, await status(path)]).toEqual([path, expect.toSatisfy((code: number) => code >= 400 && code < 500)]);
  }
});
