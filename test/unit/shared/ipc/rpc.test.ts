import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { AppError } from '../../../../shared/ipc/result.ts';
import { type Contract, callsTo, connect, type Handlers, type Port, serve } from '../../../../shared/ipc/rpc.ts';
import { overMessagePort } from '../../../fixtures/message-port.ts';

const contract = {
  calls: {
    double: { input: z.object({ value: z.number(), times: z.int().default(2) }), output: z.number() },
    wait: { input: z.object({}), output: z.void() },
    fail: { input: z.enum(['expected', 'bug']), output: z.void() },
    nothing: { input: z.object({}), output: z.void() },
    lie: { input: z.object({}), output: z.string() },
    unsendable: { input: z.object({}), output: z.unknown() },
  },
  events: { tick: z.object({ count: z.int() }) },
} satisfies Contract;

let aborted = 0;
const handlers: Handlers<(typeof contract)['calls']> = {
  double: ({ value, times }) => value * times,
  wait: (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted++;
        reject(signal.reason);
      });
    }),
  fail: (kind) => {
    if (kind === 'expected') throw new AppError('not-found', 'No such clip.', { hint: 'See motif clips.' });
    throw new TypeError('x is not a function');
  },
  nothing: () => {},
  lie: () => 42 as unknown as string,
  unsendable: () => () => 1,
};

const open: MessagePort[] = [];
function portOf(port: MessagePort): Port {
  open.push(port);
  return overMessagePort(port);
}

function pair() {
  const { port1, port2 } = new MessageChannel();
  const server = serve(contract, portOf(port1), handlers);
  const client = connect(contract, portOf(port2));
  return { server, client, port1, port2 };
}

afterEach(() => {
  aborted = 0;
  for (const port of open.splice(0)) port.close();
});

it('answers with the value, and fills defaults at the receiver', async () => {
  const { client } = pair();
  const answer = await client.call.double({ value: 21 });
  expectTypeOf(answer).toEqualTypeOf<number>();
  expect(answer).toBe(42);
});

it('answers nothing through a pipe of JSON too', async () => {
  const { port1, port2 } = new MessageChannel();
  const asJson = (port: Port): Port => ({
    ...port,
    postMessage: (message) => port.postMessage(JSON.stringify(message)),
    onMessage: (listener) => port.onMessage((message) => listener(JSON.parse(String(message)))),
  });
  serve(contract, asJson(portOf(port1)), handlers);
  const client = connect(contract, asJson(portOf(port2)));
  expect(await client.call.nothing({})).toBeUndefined();
});

it('refuses an input that does not fit the contract, with the reason', async () => {
  const { client } = pair();
  const answer = client.call.double({ value: 'one' as unknown as number });
  await expect(answer).rejects.toMatchObject({ code: 'invalid-input', message: expect.stringMatching(/value/) });
});

it('carries an expected failure with its code and hint, and any other as internal', async () => {
  const { client } = pair();
  const expected = client.call.fail('expected');
  await expect(expected).rejects.toBeInstanceOf(AppError);
  await expect(expected).rejects.toMatchObject({
    code: 'not-found',
    message: 'No such clip.',
    hint: 'See motif clips.',
  });
  await expect(client.call.fail('bug')).rejects.toMatchObject({ code: 'internal' });
});

it('answers in the same process as through a port: defaults filled, wrong input refused, errors as they were thrown', async () => {
  const call = callsTo(contract.calls, handlers);
  expect(await call.double({ value: 21 })).toBe(42);
  await expect(call.double({ value: 'one' as unknown as number })).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(call.fail('expected')).rejects.toMatchObject({ code: 'not-found' });
  await expect(call.fail('bug')).rejects.toBeInstanceOf(TypeError);
  const waiting = call.wait({}, { signal: AbortSignal.timeout(10) });
  await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
});

it('answers not-found for a call that the contract does not have, even one named like a method of Object', async () => {
  const { port1, port2 } = new MessageChannel();
  serve(contract, portOf(port1), handlers);
  open.push(port2);
  const replies: unknown[] = [];
  port2.on('message', (message) => replies.push(message));
  port2.postMessage({ type: 'call', id: 1, name: 'toString', input: {} });
  await expect.poll(() => replies).toMatchObject([{ type: 'failure', id: 1, error: { code: 'not-found' } }]);
});

it('cancels across the wire and resolves only when the handler has ended', async () => {
  const { client } = pair();
  const controller = new AbortController();
  const answer = client.call.wait({}, { signal: controller.signal });
  await sleep(10);
  controller.abort();
  await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
  expect(aborted).toBe(1);
});

it('sends nothing when the signal was aborted before the call', async () => {
  const { client } = pair();
  await expect(client.call.wait({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  expect(aborted).toBe(0);
});

it('resolves waiting calls with disconnected when the other side goes away, and later calls at once', async () => {
  const { client, port1 } = pair();
  const answer = client.call.wait({});
  await sleep(10);
  port1.close();
  await expect(answer).rejects.toMatchObject({ code: 'disconnected' });
  await expect(client.call.double({ value: 1 })).rejects.toMatchObject({ code: 'disconnected' });
});

it('aborts what a caller was waiting for when the caller goes away', async () => {
  const { client, port2 } = pair();
  client.call.wait({}).catch(() => {});
  await sleep(10);
  port2.close();
  await expect.poll(() => aborted).toBe(1);
});

it('answers internal when the other side answers something else than the contract says', async () => {
  const { client } = pair();
  await expect(client.call.lie({})).rejects.toMatchObject({ code: 'internal' });
});

it('answers internal when a value cannot be sent', async () => {
  const { client } = pair();
  await expect(client.call.unsendable({})).rejects.toMatchObject({ code: 'internal' });
});

it('delivers events in order until the listener is removed', async () => {
  const { client, server } = pair();
  const counts: number[] = [];
  const stop = client.on('tick', ({ count }) => counts.push(count));
  server.emit('tick', { count: 1 });
  server.emit('tick', { count: 2 });
  await expect.poll(() => counts).toEqual([1, 2]);
  stop();
  server.emit('tick', { count: 3 });
  await client.call.double({ value: 1 });
  expect(counts).toEqual([1, 2]);
});

it('ignores messages that are none of its own', async () => {
  const { client, port1, port2 } = pair();
  port1.postMessage({ type: 'reply', id: 'seven' });
  port2.postMessage('hello');
  expect(await client.call.double({ value: 3 })).toBe(6);
});
