import { AppError } from '../ipc/result.ts';

/** Does one thing after the other, in the order of asking, however those before ended. */
export class Serialiser {
  #last: Promise<unknown> = Promise.resolve();

  /** Whoever gives up while waiting hears `cancelled` at once, and the work never begins. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let begun = false;
    const turn = this.#last.then(() => {
      if (signal?.aborted) throw cancelled();
      begun = true;
      return work();
    });
    this.#last = turn.catch(() => {});
    if (!signal) return turn;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        if (!begun) reject(cancelled());
      };
      if (signal.aborted) giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
    });
  }
}

const cancelled = () => new AppError('cancelled', 'Cancelled.');
