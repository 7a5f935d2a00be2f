import { amend, type History, record, redo, startHistory, undo } from '../../shared/domain/history.ts';

/** Plain data that is being edited, with undo. */
export class Draft<T> {
  #history: History<T>;
  /** What it was before the movement that is going on. */
  #before: { value: T; isOthers: boolean } | null = null;

  readonly value = $derived.by(() => this.#history.present);
  readonly canUndo = $derived.by(() => this.#history.past.length > 0);
  readonly canRedo = $derived.by(() => this.#history.future.length > 0);

  constructor(value: T) {
    this.#history = $state.raw(startHistory(value));
  }

  /** Another value, which nothing came before. */
  start(value: T): void {
    this.#before = null;
    this.#history = startHistory(value);
  }

  /** One step of undo; the same again is none. */
  record(value: T): void {
    this.settle();
    if (!isSame(value, this.#history.present)) this.#history = record(this.#history, value);
  }

  /**
   * A change in the middle of typing or of a slider's movement: all of them, until `settle`, are one step.
   * What is done in another window (`isOthers`) is a step apart from what is done here.
   */
  amend(value: T, isOthers = false): void {
    if (this.#before && this.#before.isOthers !== isOthers) this.settle();
    this.#before ??= { value: this.#history.present, isOthers };
    this.#history = amend(this.#history, value);
  }

  /** The movement is over. */
  settle(): void {
    if (this.#before === null) return;
    const { past, present } = this.#history;
    const before = this.#before.value;
    this.#before = null;
    if (!isSame(before, present)) this.#history = record({ past, present: before, future: [] }, present);
  }

  /** The same with something added that is no step of its own. */
  replace(value: T): void {
    this.settle();
    this.#history = amend(this.#history, value);
  }

  undo(): void {
    this.settle();
    this.#history = undo(this.#history);
  }

  redo(): void {
    this.settle();
    this.#history = redo(this.#history);
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
