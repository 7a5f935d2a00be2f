/** Tells listeners of typed events, in the order in which they came. One that throws keeps neither the others nor the teller from theirs. */
export class Emitter<Events> {
  readonly #onError: (thrown: unknown) => void;
  readonly #listeners = new Map<keyof Events, Set<(payload: never) => void>>();

  constructor(onError: (thrown: unknown) => void) {
    this.#onError = onError;
  }

  /** Answers a function that stops listening. */
  on<E extends keyof Events>(event: E, listener: (payload: Events[E]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        (listener as (payload: Events[E]) => void)(payload);
      } catch (thrown) {
        this.#onError(thrown);
      }
    }
  }
}
