/** Learning comes back when no preview was asked for, and none is being made, for so long: sliders move again and again. */
const quietMilliseconds = 15_000;

/**
 * Previews before learning, where somebody wishes it: what learns is paused at its next step, and goes on by itself once no more previews
 * are asked for. Without that wish a preview waits, because pausing costs a learning some seconds.
 */
export class Precedence {
  readonly #queue: { makeWay(): boolean; comeBack(): void };
  readonly #quiet: number;
  #making = 0;
  #hasPrecedence = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(queue: { makeWay(): boolean; comeBack(): void }, quiet = quietMilliseconds) {
    this.#queue = queue;
    this.#quiet = quiet;
  }

  /** Answers whether anything makes way. */
  begin(): boolean {
    this.#hasPrecedence = this.#queue.makeWay() || this.#hasPrecedence;
    this.#look();
    return this.#hasPrecedence;
  }

  /** Around every preview. */
  async during<T>(preview: () => Promise<T>): Promise<T> {
    this.#making++;
    clearTimeout(this.#timer);
    try {
      return await preview();
    } finally {
      this.#making--;
      this.#look();
    }
  }

  /** What made way waits in the queue again. */
  end(): void {
    clearTimeout(this.#timer);
    if (this.#hasPrecedence) this.#queue.comeBack();
    this.#hasPrecedence = false;
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (!this.#hasPrecedence || this.#making > 0) return;
    this.#timer = setTimeout(() => this.end(), this.#quiet);
    this.#timer.unref();
  }
}
