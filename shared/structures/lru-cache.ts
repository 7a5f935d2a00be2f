/** Keeps the values that were used last, at most so many, and tells of those that it lets go. */
export class LruCache<Key, Value> {
  readonly limit: number;
  readonly #values = new Map<Key, Value>();
  readonly #onDrop: (value: Value) => void;

  constructor(limit: number, onDrop: (value: Value) => void = () => {}) {
    this.limit = limit;
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#values.size;
  }

  has(key: Key): boolean {
    return this.#values.has(key);
  }

  /** From that used longest ago to that used last. */
  values(): IterableIterator<Value> {
    return this.#values.values();
  }

  /** The value, which is now the last used. */
  get(key: Key): Value | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) this.#use(key, value);
    return value;
  }

  /** Lets another value of the same key go, and those used longest ago where there are more than `limit`. */
  set(key: Key, value: Value): void {
    const before = this.#values.get(key);
    this.#use(key, value);
    if (before !== undefined && before !== value) this.#onDrop(before);
    this.trim(this.limit);
  }

  /** Makes room: at most `limit` values stay. */
  trim(limit: number): void {
    for (const [key, value] of this.#values) {
      if (this.#values.size <= limit) return;
      this.#values.delete(key);
      this.#onDrop(value);
    }
  }

  delete(key: Key): void {
    const value = this.#values.get(key);
    if (this.#values.delete(key)) this.#onDrop(value as Value);
  }

  clear(): void {
    this.trim(0);
  }

  #use(key: Key, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
  }
}
