import type { Beat } from './process-options.ts';

export interface WatchLimits {
  /** Longest time with neither an event of the engine nor computing, seconds. */
  idleSeconds: number;
  /**
   * Longest time without an event although it computes, seconds: compiling a large model or loading one from
   * disk takes minutes.
   */
  silentSeconds: number;
  /**
   * Longest time without a beat, which a thread of its own gives each second: the whole process stands
   * still, seconds.
   */
  beatSeconds: number;
  /**
   * Longest time from the start of the process to its first beat, seconds. The limits above count from
   * there.
   */
  startSeconds: number;
  /** null: no limit. */
  memoryBytes: number | null;
}

export const defaultLimits: WatchLimits = {
  idleSeconds: 180,
  silentSeconds: 3600,
  beatSeconds: 20,
  startSeconds: 120,
  memoryBytes: null,
};

export type Fault = { code: 'engine-hung' | 'out-of-memory'; reason: string };

/**
 * A process counts as computing when it used at least this share of one core since the last beat. One that only gives its beats uses a
 * two-thousandth (measured), and beside many other programs one at work may get no more than a few hundredths.
 */
const busyShare = 0.03;

/**
 * Tells a hang from hard work, for one call. Pure: time comes in as milliseconds of any clock. A blocked
 * thread is no hang while the process computes; a graphics card computes without the processor, but then
 * events come after every step.
 */
export class Watch {
  /** `check` is to be called this often, milliseconds. */
  readonly interval: number;
  readonly #limits: WatchLimits;
  #lastEvent: number;
  #lastWork: number;
  #lastBeat: { at: number; cpuSeconds: number } | null = null;
  #lastCheck: number;
  #beatAt: number;

  #starting: boolean;

  /** `starting`: the process has not given its first sign of life yet. */
  constructor(limits: WatchLimits, now: number, starting: boolean) {
    this.#limits = limits;
    this.interval = Math.min(5000, 250 * Math.min(limits.beatSeconds, limits.idleSeconds, limits.silentSeconds));
    this.#starting = starting;
    this.#lastEvent = this.#lastWork = this.#lastCheck = this.#beatAt = now;
  }

  event(now: number): void {
    this.#lastEvent = this.#lastWork = now;
  }

  beat({ cpuSeconds, residentBytes }: Beat, now: number): Fault | null {
    if (this.#starting) {
      this.#starting = false;
      this.#lastEvent = this.#lastWork = now;
    }
    const before = this.#lastBeat;
    if (
      before !== null &&
      now > before.at &&
      (cpuSeconds - before.cpuSeconds) / ((now - before.at) / 1000) >= busyShare
    ) {
      this.#lastWork = now;
    }
    this.#lastBeat = { at: now, cpuSeconds };
    this.#beatAt = now;
    const limit = this.#limits.memoryBytes;
    if (limit !== null && residentBytes > limit) {
      return {
        code: 'out-of-memory',
        reason: `it took ${megabytes(residentBytes)}, and ${megabytes(limit)} is the limit.`,
      };
    }
    return null;
  }

  /**
   * A check that comes late says that this process stood still itself: a closed laptop, a machine that swaps or has
   * other work. For that time nobody is blamed, and beats that came in meanwhile are still to be read.
   */
  check(now: number): Fault | null {
    const late = now - this.#lastCheck - this.interval;
    this.#lastCheck = now;
    if (late > 0) {
      const later = (moment: number) => Math.min(now, moment + late);
      this.#lastEvent = later(this.#lastEvent);
      this.#lastWork = later(this.#lastWork);
      this.#beatAt = later(this.#beatAt);
    }
    const since = (moment: number) => (now - moment) / 1000;
    if (this.#starting) {
      const silence = since(this.#beatAt);
      return silence > this.#limits.startSeconds ? hung(`its process did not start within ${seconds(silence)}.`) : null;
    }
    if (since(this.#beatAt) > this.#limits.beatSeconds) {
      return hung(`its process has given no sign of life for ${seconds(since(this.#beatAt))}.`);
    }
    if (since(this.#lastWork) > this.#limits.idleSeconds) {
      return hung(`it has neither computed nor reported anything for ${seconds(since(this.#lastWork))}.`);
    }
    if (since(this.#lastEvent) > this.#limits.silentSeconds) {
      return hung(`it has computed for ${seconds(since(this.#lastEvent))} without any progress.`);
    }
    return null;
  }
}

const hung = (reason: string): Fault => ({ code: 'engine-hung', reason });
const seconds = (value: number) => (value < 120 ? `${Math.round(value)} seconds` : `${Math.round(value / 60)} minutes`);
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
