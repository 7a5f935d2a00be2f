import type { z } from 'zod';
import { type AppContract, appContract } from '../../shared/ipc/app-contract.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { type Client, connect, unwrap } from '../../shared/ipc/rpc.ts';
import type { Host } from '../host/host.ts';
import { text } from '../text/en.ts';

type AppClient = Client<AppContract>;
type CallName = keyof AppClient['call'];
type CallInput<K extends CallName> = Parameters<AppClient['call'][K]>[0];
export type CallValue<K extends CallName> = Extract<Awaited<ReturnType<AppClient['call'][K]>>, { ok: true }>['value'];
type EventName = keyof AppContract['events'] & string;
type EventPayload<E extends EventName> = z.output<AppContract['events'][E]>;

const retryMilliseconds = 1000;

/** The services behind the window; connects again by itself when they come back. */
export class Connection {
  state = $state<'connecting' | 'open' | 'lost'>('connecting');
  /** The library was deleted or moved away under the program, which has ended for that. */
  libraryLost = $state.raw<{ message: string; hint: string } | null>(null);
  #client: AppClient | null = null;
  readonly #host: Host;
  readonly #listeners: ((client: AppClient) => void)[] = [];
  readonly #whenOpen: (() => void)[] = [];

  constructor(host: Host) {
    this.#host = host;
    this.on('library.lost', (lost) => {
      this.libraryLost = lost;
    });
  }

  async open(): Promise<void> {
    try {
      const port = await this.#host.connect();
      const client = connect(appContract, port);
      port.onClose(() => {
        this.#client = null;
        this.state = 'lost';
        setTimeout(() => void this.open(), retryMilliseconds);
      });
      this.#client = client;
      for (const listen of this.#listeners) listen(client);
      this.state = 'open';
      for (const listener of this.#whenOpen) listener();
    } catch {
      this.state = 'lost';
      setTimeout(() => void this.open(), retryMilliseconds);
    }
  }

  /** Called at every connection: what was known before may be out of date. */
  whenOpen(listener: () => void): void {
    this.#whenOpen.push(listener);
  }

  /** Throws AppError. */
  async call<K extends CallName>(
    name: K,
    input: CallInput<K>,
    options?: { signal?: AbortSignal },
  ): Promise<CallValue<K>> {
    if (this.#client === null) throw new AppError('disconnected', text.connection.noAnswer);
    const ask = this.#client.call[name] as (input: unknown, options?: object) => Promise<never>;
    return unwrap<CallValue<K>>(await ask(input, options));
  }

  on<E extends EventName>(name: E, listener: (payload: EventPayload<E>) => void): void {
    const listen = (client: AppClient) => void client.on(name, listener as never);
    this.#listeners.push(listen);
    if (this.#client) listen(this.#client);
  }
}
