import type { RaterState, SideAnswer } from '../../../shared/domain/study.ts';
import { toErrorShape } from '../../../shared/ipc/result.ts';
import type { Calls } from '../../../shared/ipc/rpc.ts';
import type { raterCalls } from '../../../shared/ipc/study-calls.ts';

/** One rater at the page of a study: who it is, where it is, and what it answers. */
export class StudyPageState {
  about = $state.raw<{ name: string; items: number } | null>(null);
  name = $state('');
  /** Null before the rater has begun, and while it pauses. */
  shown = $state.raw<RaterState | null>(null);
  /** Somebody of that name has answered before, in another browser as it seems. */
  asksWhetherKnown = $state.raw<RaterState | null>(null);
  paused = $state.raw<RaterState | null>(null);
  problem = $state<string | null>(null);
  isBusy = $state(false);
  /** Nobody answers what cannot be seen yet. */
  readonly canAnswer = $derived.by(() => this.shown?.current != null && this.shown.current.item.id === this.#seen);
  #seen = $state<string | null>(null);

  readonly #code: string;
  readonly #call: Calls<typeof raterCalls>;
  readonly #memory: Storage;
  #askedAt = 0;

  constructor(code: string, call: Calls<typeof raterCalls>, memory: Storage) {
    this.#code = code;
    this.#call = call;
    this.#memory = memory;
    this.name = memory.getItem(this.#key) ?? '';
  }

  get #key(): string {
    return `motif.study.${this.#code}`;
  }

  async load(): Promise<void> {
    await this.#attempt(async () => {
      this.about = await this.#call['study.about']({ code: this.#code });
    });
  }

  async begin(): Promise<void> {
    const name = this.name.trim();
    if (name === '') return;
    await this.#attempt(async () => {
      const state = await this.#call['study.join']({ code: this.#code, rater: name });
      const isRemembered = this.#memory.getItem(this.#key)?.toLowerCase() === name.toLowerCase();
      if (state.done > 0 && !isRemembered) this.asksWhetherKnown = state;
      else this.#enter(state);
    });
  }

  isMe(): void {
    if (this.asksWhetherKnown) this.#enter(this.asksWhetherKnown);
  }

  isNotMe(): void {
    this.asksWhetherKnown = null;
    this.name = '';
  }

  async answer(answer: SideAnswer): Promise<void> {
    const current = this.shown?.current;
    if (!current || !this.canAnswer) return;
    const milliseconds = Math.min(86_400_000, Math.round(performance.now() - this.#askedAt));
    const { item, question } = current;
    const given = { code: this.#code, rater: this.shown!.rater, item: item.id, question, answer, milliseconds };
    await this.#attempt(async () => {
      try {
        this.#show(await this.#call['study.answer'](given));
      } catch (thrown) {
        // Answered in another window: shown where that one is, with the reason.
        if (toErrorShape(thrown).code === 'conflict')
          this.#show(await this.#call['study.join']({ code: this.#code, rater: given.rater }));
        throw thrown;
      }
    });
  }

  /** The clips of an item are on screen. */
  see(itemId: string): void {
    this.#seen = itemId;
    this.#askedAt = performance.now();
  }

  async undo(): Promise<void> {
    if (!this.shown?.canUndo) return;
    const given = { code: this.#code, rater: this.shown.rater };
    await this.#attempt(async () => this.#show(await this.#call['study.undo'](given)));
  }

  pause(): void {
    this.paused = this.shown;
    this.shown = null;
    this.#seen = null;
  }

  #enter(state: RaterState): void {
    this.#memory.setItem(this.#key, state.rater);
    this.name = state.rater;
    this.asksWhetherKnown = null;
    this.paused = null;
    this.#show(state);
  }

  #show(state: RaterState): void {
    this.shown = state;
    this.#askedAt = performance.now();
  }

  /** One thing at a time: a key that is held down answers once. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.problem = null;
    try {
      await work();
    } catch (thrown) {
      const { message, hint } = toErrorShape(thrown);
      this.problem = hint ? `${message} ${hint}` : message;
    } finally {
      this.isBusy = false;
    }
  }
}
