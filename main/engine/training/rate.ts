/** Steps per second over the last seconds, and the time that the rest will take. */
export class Rate {
  private readonly times: number[] = [];
  private readonly window: number;

  /** `window`: over how many of the last steps the rate is taken. */
  constructor(window = 20) {
    this.window = window;
  }

  /** One more step is done at `now`, in milliseconds. */
  tick(now: number): void {
    this.times.push(now);
    if (this.times.length > this.window + 1) this.times.shift();
  }

  /** Null until two steps are known. */
  perSecond(): number | null {
    const [first] = this.times;
    const last = this.times.at(-1);
    if (first === undefined || last === undefined || last <= first) return null;
    return ((this.times.length - 1) * 1000) / (last - first);
  }

  etaSeconds(remaining: number): number | null {
    const rate = this.perSecond();
    return rate === null ? null : remaining / rate;
  }
}
