import { AppError } from '../../shared/ipc/result.ts';

interface Work<T> {
  result: Promise<T>;
  controller: AbortController;
  askers: number;
}

/** Work that several ask for at the same time is done once; it is given up when nobody waits for it any more. */
export class SharedWork<T> {
  readonly #works = new Map<string, Work<T>>();

  /** Rejects with `cancelled` as soon as its own asker gives up, whatever the others do. */
  async ask(key: string, signal: AbortSignal | undefined, make: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal?.aborted) throw cancelled();
    const work = this.#works.get(key) ?? this.#begin(key, make);
    work.askers++;
    let giveUp = () => {};
    const given = new Promise<never>((_, reject) => {
      giveUp = () => {
        reject(cancelled());
        work.askers--;
        if (work.askers > 0) return;
        this.#forget(key, work);
        work.controller.abort();
      };
    });
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([work.result, given]);
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #begin(key: string, make: (signal: AbortSignal) => Promise<T>): Work<T> {
    const controller = new AbortController();
    const work: Work<T> = { result: make(controller.signal), controller, askers: 0 };
    this.#works.set(key, work);
    work.result.catch(() => {}).finally(() => this.#forget(key, work));
    return work;
  }

  /** Work that was given up may still be ending while the same is begun anew. */
  #forget(key: string, work: Work<T>): void {
    if (this.#works.get(key) === work) this.#works.delete(key);
  }
}

const cancelled = () => new AppError('cancelled', 'Cancelled.');
