import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { forkEngine } from '../../../main/engine-host/child.ts';
import { EngineHost, type EngineHostOptions } from '../../../main/engine-host/host.ts';
import { editSettings } from '../../../shared/domain/edit.ts';
import type { GenerateRequest } from '../../../shared/domain/engine.ts';

const processFile = join(import.meta.dirname, '../../fixtures/fake-engine-process.ts');

let folder: string;
let host: EngineHost;
const states: string[] = [];

function openHost(options: EngineHostOptions = {}): EngineHost {
  host = new EngineHost({
    start: (processOptions) => forkEngine(processOptions, processFile),
    beatMilliseconds: 50,
    onState: (state) => states.push(state),
    ...options,
  });
  return host;
}

function request(prompt: string, steps = 2): GenerateRequest {
  return {
    model: 'fake',
    conceptFile: null,
    source: null,
    size: { width: 2, height: 2, frameCount: 1 },
    settings: editSettings.parse({ prompt, steps, seed: 7 }),
    output: join(folder, 'frames.rgb'),
  };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-host-'));
  states.length = 0;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await host.dispose();
  rmSync(folder, { recursive: true });
});

describe('a healthy engine', () => {
  it('starts with the first call, reports progress and answers', async () => {
    openHost();
    expect(host.pid).toBeUndefined();
    const events: string[] = [];
    const { frames } = await host.engine.generate(request('a dancer'), { onEvent: (event) => events.push(event.type) });
    expect(frames).toMatchObject({ width: 2, height: 2, frameCount: 1 });
    expect([...readFileSync(frames.file)]).toEqual(Array(12).fill(7));
    expect(events).toEqual(['progress', 'progress']);
    expect(states).toEqual(['starting', 'busy', 'ready']);
  });

  it('keeps its process between calls and stops it when idle for long enough', async () => {
    openHost({ idleStopSeconds: 0.3 });
    await host.engine.generate(request('a dancer'));
    const { pid } = host;
    await host.engine.generate(request('a dancer'));
    expect(host.pid).toBe(pid);
    await expect.poll(() => states.at(-1)).toBe('stopped');
    await host.engine.generate(request('a dancer'));
    expect(host.pid).not.toBe(pid);
  });

  it('outlives a device whose library ends the process when it is opened: the call is asked of the next one', async () => {
    openHost({ device: 'tensorflow', cacheFolder: folder });
    expect((await host.engine.generate(request('a dancer'))).frames).toMatchObject({ frameCount: 1 });
    expect(readFileSync(join(folder, 'starts'), 'utf8')).toBe('...');
  });

  it('says what computes after a change of the settings, also while it is at work', async () => {
    const started: (string | undefined)[] = [];
    openHost({
      start: (processOptions) => {
        started.push(processOptions.device);
        return forkEngine(processOptions, processFile);
      },
    });
    const work = host.engine.generate(request('long native run'));
    await expect.poll(() => states.at(-1)).toBe('busy');
    host.configure({ device: 'cpu' });
    await host.engine.device({});
    expect(started).toEqual([undefined, 'cpu']);
    expect((await work).frames.width).toBe(2);
  });

  it('cancels a call and stays usable in the same process', async () => {
    openHost();
    await host.engine.generate(request('a dancer'));
    const { pid } = host;
    const controller = new AbortController();
    const onEvent = () => controller.abort();
    const call = host.engine.generate(request('a dancer', 200), { signal: controller.signal, onEvent });
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    await host.engine.generate(request('a dancer'));
    expect(host.pid).toBe(pid);
  });

  it('computes one call at a time, and a cancelled one that waits never starts', async () => {
    openHost();
    const order: number[] = [];
    const controller = new AbortController();
    const calls = [
      host.engine.generate(request('a dancer', 30)).then(() => order.push(1)),
      host.engine
        .generate(request('crash'), { signal: controller.signal })
        .catch((error) => expect(error.code).toBe('cancelled')),
      host.engine.generate(request('a dancer', 1)).then(() => order.push(3)),
    ];
    controller.abort();
    await Promise.all(calls);
    expect(order).toEqual([1, 3]);
  });

  it('answers device while something computes', async () => {
    openHost();
    const endless = expect(host.engine.generate(request('wait forever'))).rejects.toMatchObject({
      code: 'disconnected',
    });
    expect((await host.engine.device({})).chosen).toBe('fake');
    await host.dispose();
    await endless;
  });

  it('gives the reason when the device cannot be opened', async () => {
    openHost({ device: 'webgpu' });
    await expect(host.engine.device({})).rejects.toMatchObject({ code: 'internal', message: 'no adapter answered' });
  });

  it('does not take a long native run for a hang', async () => {
    openHost({ limits: { idleSeconds: 1, beatSeconds: 10 } });
    await expect(host.engine.generate(request('long native run'))).resolves.toBeDefined();
  });
});

describe('an engine that dies', () => {
  it.each([
    ['crash', 'engine-crashed', /exit code 139: terminate called: the graph is not a graph/],
    ['abort', 'out-of-memory', /std::bad_alloc/],
    ['heap', 'out-of-memory', /heap out of memory/],
  ])(
    'by %s fails the call as %s with its last words, and the next call finds a fresh one',
    async (fate, code, message) => {
      vi.stubEnv('NODE_OPTIONS', '--max-old-space-size=64');
      openHost();
      await expect(host.engine.generate(request(fate))).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
      await expect(host.engine.generate(request('a dancer'))).resolves.toBeDefined();
      expect(states).toContain('failed');
    },
  );

  it('keeps living when a native call reports that memory is short', async () => {
    openHost();
    await host.engine.generate(request('a dancer'));
    const { pid } = host;
    await expect(host.engine.generate(request('bad allocation'))).rejects.toMatchObject({ code: 'out-of-memory' });
    await host.engine.generate(request('a dancer'));
    expect(host.pid).toBe(pid);
  });

  it('is a crash when somebody kills it', async () => {
    openHost();
    await host.engine.generate(request('a dancer'));
    const call = host.engine.generate(request('wait forever'));
    await sleep(400);
    process.kill(host.pid!, 'SIGKILL');
    await expect(call).rejects.toMatchObject({ code: 'engine-crashed', details: { signal: 'SIGKILL' } });
  });

  it('is told its memory limit, which it plans for, and stopped above it, with both numbers', async () => {
    const told: unknown[] = [];
    openHost({
      limits: { memoryBytes: 250_000_000 },
      start(options) {
        told.push(options.memoryLimitBytes);
        return forkEngine(options, processFile);
      },
    });
    await expect(host.engine.generate(request('balloon'))).rejects.toMatchObject({
      code: 'out-of-memory',
      message: expect.stringMatching(/it took \d+ MB, and 250 MB is the limit/),
    });
    expect(told[0]).toBe(250_000_000);
  });
});

describe('an engine that hangs', () => {
  it.each([
    ['deadlock', { idleSeconds: 0.6 }, /neither computed nor reported/],
    ['wait forever', { idleSeconds: 0.6 }, /neither computed nor reported/],
    ['endless loop', { silentSeconds: 0.8 }, /without any progress/],
    ['stop', { beatSeconds: 2 }, /no sign of life/],
  ])('in a %s is stopped, and the next call finds a fresh one', async (fate, limits, message) => {
    openHost({ limits });
    await host.engine.generate(request('a dancer', 100)); // long enough for a first sign of life
    await expect(host.engine.generate(request(fate))).rejects.toMatchObject({
      code: 'engine-hung',
      message: expect.stringMatching(message),
    });
    await expect(host.engine.generate(request('a dancer'))).resolves.toBeDefined();
  });

  it('and cannot hear its cancellation is ended as cancelled', async () => {
    openHost({ cancelSeconds: 0.3 });
    await host.engine.generate(request('a dancer'));
    const controller = new AbortController();
    const call = host.engine.generate(request('endless loop'), { signal: controller.signal });
    await sleep(100);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  });
});
