import { type AppErrorShape, toErrorShape } from '../../shared/ipc/result.ts';

/**
 * The first change asks for a preview at once; while more follow, and while words are typed, the last one does,
 * after so long.
 */
const settleMilliseconds = 120;

interface Work<P> {
  /** Null: there is nothing to render. `full`: with all its steps, as a result would be. */
  render(full: boolean, signal: AbortSignal): Promise<P> | null;
  /** When nothing moved for so long after a preview, the full result follows in its place. */
  fullMilliseconds: number;
  onBegin?(): void;
  onShown?(): void;
  /** The engine is free again: the full result is there, or none can be had. */
  onRest(): void;
}

/** What is rendered of a draft while it changes: first with few steps, then in full. */
export class Preview<P extends object> {
  shown = $state.raw<(P & { full: boolean }) | null>(null);
  isWorking = $state(false);
  error = $state.raw<AppErrorShape | null>(null);

  readonly #work: Work<P>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #changedAt = Number.NEGATIVE_INFINITY;
  #asking: AbortController | null = null;

  constructor(work: Work<P>) {
    this.#work = work;
  }

  /** The draft has changed. */
  soon(isTyping = false): void {
    this.stop();
    const now = performance.now();
    const isFirst = now - this.#changedAt > settleMilliseconds;
    this.#changedAt = now;
    if (isFirst && !isTyping) this.now();
    else this.#timer = setTimeout(() => this.now(), settleMilliseconds);
  }

  now(): void {
    void this.#ask(false);
  }

  /** What is asked for is given up; what is shown stays. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = null;
    this.isWorking = false;
  }

  /** Nothing is shown any more. */
  clear(): void {
    this.stop();
    this.shown = null;
    this.error = null;
  }

  async #ask(full: boolean): Promise<void> {
    this.stop();
    const asking = new AbortController();
    const rendering = this.#work.render(full, asking.signal);
    if (rendering === null) return;
    this.#asking = asking;
    this.isWorking = true;
    this.#work.onBegin?.();
    try {
      const picture = await rendering;
      if (this.#asking !== asking) return;
      this.#end();
      this.shown = { ...picture, full };
      this.error = null;
      this.#work.onShown?.();
      if (full) this.#work.onRest();
      else this.#timer = setTimeout(() => void this.#ask(true), this.#work.fullMilliseconds);
    } catch (thrown) {
      if (this.#asking !== asking) return;
      this.#end();
      const error = toErrorShape(thrown);
      if (error.code === 'cancelled') return;
      this.error = error;
      this.#work.onRest();
    }
  }

  #end(): void {
    this.#asking = null;
    this.isWorking = false;
  }
}
