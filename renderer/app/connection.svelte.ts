import { type AppContract, appContract } from '../../shared/ipc/app-contract.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { type Client, callsOf, connect, type EventName, type EventPayload } from '../../shared/ipc/rpc.ts';
import type { Host } from '../host/host.ts';
import { text } from '../text/en.ts';

type AppClient = Client<AppContract>;
type AppCalls = AppClient['call'];
export type CallValue<K extends keyof AppCalls> = Awaited<ReturnType<AppCalls[K]>>;

/** What the states of the window ask and hear. */
export type Services = Pick<Connection, 'call' | 'on' | 'whenOpen'>;

const retryMilliseconds = 1000;

/** The services behind the window; connects again by itself when they come back. */
export class Connection {
  state = $state<'connecting' | 'open' | 'lost'>('connecting');
  /** The library was deleted or moved away under the program, which has ended for that. */
  libraryLost = $state.raw<{ message: string; hint: string } | null>(null);
  /**
   * `connection.call['clips.get']({ reference })`: rejects with AppError, `disconnected` while there is
   * nobody to ask.
   */
  readonly call = callsOf(appContract.calls, async (name, input, options?: { signal?: AbortSignal }) => {
    if (this.#client === null) throw new AppError('disconnected', text.connection.noAnswer);
    const ask = this.#client.call[name] as (input: unknown, options?: object) => Promise<unknown>;
    return ask(input, options);
  });
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

  on<E extends EventName<AppContract>>(name: E, listener: (payload: EventPayload<AppContract, E>) => void): void {
    const listen = (client: AppClient) => void client.on(name, listener as never);
    this.#listeners.push(listen);
    if (this.#client) listen(this.#client);
  }
}
