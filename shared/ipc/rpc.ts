import { z } from 'zod';
import { AppError, appErrorShape, fromErrorShape, parseInput, type Result, toErrorShape } from './result.ts';

/**
 * Any pipe that carries structured-cloneable messages in order: Electron IPC, a child process, a WebSocket,
 * a MessageChannel.
 */
export interface Port {
  /** Throws when the pipe is closed. */
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the other side is gone; at once when it is gone already. */
  onClose(listener: () => void): void;
}

/** What may be asked, by name. Types are inferred from the schemas. */
type CallSchemas = Record<string, { input: z.ZodType; output: z.ZodType }>;

/** What one side may ask of the other, and what it is told unasked. */
export interface Contract {
  calls: CallSchemas;
  events: Record<string, z.ZodType>;
}

/** What answers the calls of a contract, or of one area of it. */
export type Handlers<Calls extends CallSchemas> = {
  [K in keyof Calls]: (
    input: z.output<Calls[K]['input']>,
    context: { signal: AbortSignal },
  ) => z.input<Calls[K]['output']> | Promise<z.input<Calls[K]['output']>>;
};

interface CallOptions {
  signal?: AbortSignal;
}

/**
 * The calls as whoever asks sees them, across a port or in the same process. What cannot be done rejects
 * with AppError. An editor's "go to definition" leads from `call['clips.get']` to the contract, "go to
 * implementations" to the handler.
 */
export type Calls<Schemas extends CallSchemas, Options = CallOptions> = {
  [K in keyof Schemas]: (
    ...given: Given<z.input<Schemas[K]['input']>, Options>
  ) => Promise<z.output<Schemas[K]['output']>>;
};

/** An input of which everything may be left out may itself be left out. */
type Given<Input, Options> = undefined extends Input
  ? [input?: Input, options?: Options]
  : [input: Input, options?: Options];

export type EventName<C extends Contract> = keyof C['events'] & string;
export type EventPayload<C extends Contract, E extends EventName<C>> = z.output<C['events'][E]>;

const toServer = z.discriminatedUnion('type', [
  // Through JSON a call with nothing to say has no `input` at all.
  z.object({ type: z.literal('call'), id: z.int(), name: z.string(), input: z.unknown().optional() }),
  z.object({ type: z.literal('cancel'), id: z.int() }),
]);
/** Far more than a window ever asks at once. */
const maximumRunning = 1000;

/** A call that is none, from a caller who waits for the answer to it all the same. */
const brokenCall = z.object({ type: z.literal('call'), id: z.int() });
const toClient = z.discriminatedUnion('type', [
  // Through JSON an answer of nothing has no `value` at all.
  z.object({ type: z.literal('reply'), id: z.int(), value: z.unknown().optional() }),
  z.object({ type: z.literal('failure'), id: z.int(), error: appErrorShape }),
  z.object({ type: z.literal('event'), name: z.string(), payload: z.unknown() }),
]);

export interface Server<C extends Contract> {
  emit<E extends EventName<C>>(name: E, payload: z.input<C['events'][E]>): void;
}

/**
 * Answers the contract's calls that come through the port. Inputs are parsed here; a handler that throws
 * answers the AppError of what it threw. `signal` aborts when the caller cancels or goes away. Messages of
 * other kinds are left alone, so that both sides of a port may serve.
 */
export function serve<C extends Contract>(contract: C, port: Port, handlers: Handlers<C['calls']>): Server<C> {
  const running = new Map<number, AbortController>();
  let open = true;

  function send(message: z.input<typeof toClient>): void {
    if (!open) return;
    try {
      port.postMessage(message);
    } catch (thrown) {
      // A value that cannot be cloned must not leave its caller waiting; a closed pipe has nobody to tell.
      if (message.type === 'reply') {
        port.postMessage({ type: 'failure', id: message.id, error: toErrorShape(thrown) });
      }
    }
  }

  async function answer(id: number, name: string, input: unknown): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      if (running.size > maximumRunning) throw new AppError('conflict', 'Too many calls are waiting for an answer.');
      if (!Object.hasOwn(contract.calls, name)) throw new AppError('not-found', `There is no call named "${name}".`);
      const parsed = parseInput(contract.calls[name]!.input, input);
      const value = await handlerOf(handlers, name)(parsed, { signal: controller.signal });
      send({ type: 'reply', id, value });
    } catch (thrown) {
      const cancelled = controller.signal.aborted && (thrown === controller.signal.reason || isAbort(thrown));
      send({ type: 'failure', id, error: cancelled ? cancelledShape : toErrorShape(thrown) });
    } finally {
      running.delete(id);
    }
  }

  port.onMessage((raw) => {
    const message = toServer.safeParse(raw);
    if (!message.success) {
      const call = brokenCall.safeParse(raw);
      if (call.success) send({ type: 'failure', id: call.data.id, error: brokenShape });
      return;
    }
    if (message.data.type === 'cancel') running.get(message.data.id)?.abort();
    else void answer(message.data.id, message.data.name, message.data.input);
  });
  port.onClose(() => {
    open = false;
    for (const controller of running.values()) controller.abort();
  });
  return {
    emit(name, payload) {
      send({ type: 'event', name, payload });
    },
  };
}

export interface Client<C extends Contract> {
  readonly call: Calls<C['calls']>;
  /** Answers a function that stops listening. */
  on<E extends EventName<C>>(name: E, listener: (payload: EventPayload<C, E>) => void): () => void;
}

/**
 * Calls the contract that the other side of the port serves. A call always ends: with the value, with the
 * error of the other side, or with `disconnected` when that side goes away. Aborting asks the other side to
 * stop, and its answer is still awaited, so that a caller knows when the work has really ended.
 */
export function connect<C extends Contract>(contract: C, port: Port): Client<C> {
  const waiting = new Map<number, { name: string; resolve(result: Result<unknown>): void }>();
  const listeners = new Map<string, Set<(payload: unknown) => void>>();
  let nextId = 1;
  let open = true;

  function request(name: string, input: unknown, signal?: AbortSignal): Promise<Result<unknown>> {
    if (signal?.aborted) return Promise.resolve({ ok: false, error: cancelledShape });
    if (!open) return Promise.resolve({ ok: false, error: disconnectedShape });
    const id = nextId++;
    return new Promise((resolve) => {
      const cancel = () => {
        if (open) port.postMessage({ type: 'cancel', id } satisfies z.input<typeof toServer>);
      };
      signal?.addEventListener('abort', cancel, { once: true });
      waiting.set(id, {
        name,
        resolve(result) {
          waiting.delete(id);
          signal?.removeEventListener('abort', cancel);
          resolve(result);
        },
      });
      try {
        port.postMessage({ type: 'call', id, name, input } satisfies z.input<typeof toServer>);
      } catch (thrown) {
        waiting.get(id)?.resolve({ ok: false, error: { ...disconnectedShape, details: { reason: String(thrown) } } });
      }
    });
  }

  port.onMessage((raw) => {
    const message = toClient.safeParse(raw);
    if (!message.success) return;
    if (message.data.type === 'event') {
      const payload = contract.events[message.data.name]?.safeParse(message.data.payload);
      if (payload?.success) for (const listener of listeners.get(message.data.name) ?? []) listener(payload.data);
      return;
    }
    const call = waiting.get(message.data.id);
    if (call === undefined) return;
    if (message.data.type === 'failure') return call.resolve({ ok: false, error: message.data.error });
    const value = contract.calls[call.name]!.output.safeParse(message.data.value);
    call.resolve(
      value.success
        ? { ok: true, value: value.data }
        : { ok: false, error: { code: 'internal', message: `${call.name} answered ${z.prettifyError(value.error)}` } },
    );
  });
  port.onClose(() => {
    open = false;
    for (const call of [...waiting.values()]) call.resolve({ ok: false, error: disconnectedShape });
  });

  return {
    call: callsOf(contract.calls, async (name, input, options?: CallOptions) =>
      unwrap(await request(name, input, options?.signal)),
    ),
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener as (payload: unknown) => void));
      return () => set.delete(listener as (payload: unknown) => void);
    },
  };
}

/** One function for each call, all of which ask `ask`. */
export function callsOf<Schemas extends CallSchemas, Options = CallOptions>(
  schemas: Schemas,
  ask: (name: keyof Schemas & string, input: unknown, options?: Options) => Promise<unknown>,
): Calls<Schemas, Options> {
  const entries = Object.keys(schemas).map((name) => [
    name,
    (input: unknown, options?: Options) => ask(name, input, options),
  ]);
  return Object.fromEntries(entries) as Calls<Schemas, Options>;
}

/**
 * The calls answered in this process, without a port: the input is parsed, and the handler's own answer and
 * error come back.
 */
export function callsTo<Schemas extends CallSchemas>(schemas: Schemas, handlers: Handlers<Schemas>): Calls<Schemas> {
  const neverAborted = new AbortController().signal;
  return callsOf(schemas, async (name, input, options?: CallOptions) =>
    handlerOf(handlers, name)(parseInput(schemas[name]!.input, input), { signal: options?.signal ?? neverAborted }),
  );
}

/**
 * Only the types of one call at a time are known to TypeScript; the value that it is given was parsed by the
 * call's schema.
 */
function handlerOf(handlers: object, name: string) {
  return (handlers as Record<string, (input: unknown, context: { signal: AbortSignal }) => unknown>)[name]!;
}

function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw fromErrorShape(result.error);
}

const brokenShape = { code: 'invalid-input', message: 'A call needs a name.' } as const;
const cancelledShape = { code: 'cancelled', message: 'Cancelled.' } as const;
const disconnectedShape = { code: 'disconnected', message: 'The other side is gone.' } as const;

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
