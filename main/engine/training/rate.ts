import { type Pace, paceOf } from '../../../shared/domain/job.ts';

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
  pace(remaining: number): Pace {
    const [first = 0] = this.times;
    const last = this.times.at(-1) ?? 0;
    return paceOf(this.times.length - 1, (last - first) / 1000, remaining);
  }
}
