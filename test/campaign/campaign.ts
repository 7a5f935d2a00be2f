/** What came of trying one thing many times; all but `tried` are to be 0. */
export interface Figures {
  tried: number;
  /** Rows or files that were there and are not, or not whole; other weights than without the trouble. */
  lost: number;
  /** What lies half somewhere after the next start. */
  halfFiles: number;
  /** Programs that ended by themselves, or with a stack trace. */
  deaths: number;
  /** Answers that call it a fault of the program, or none at all. */
  internalErrors: number;
}

/** Where what went wrong is counted and told. */
export class Tally {
  readonly figures: Figures = { tried: 0, lost: 0, halfFiles: 0, deaths: 0, internalErrors: 0 };
  readonly findings: string[] = [];

  found(what: Exclude<keyof Figures, 'tried'>, finding: string): void {
    this.figures[what]++;
    this.findings.push(`${what}: ${finding}`);
  }
}

export interface Surroundings {
  times: number;
  /** The same seed tries the same things. */
  seed: number;
  /** Empty; it goes afterwards. */
  folder: string;
  tally: Tally;
  /** Leaves out what computes for long: learning and edits. */
  brief: boolean;
}

export interface Campaign {
  /** As in '200 kills'. */
  name: string;
  /** How often in `npm test`, and in `npm run campaign`. */
  times: { short: number; long: number };
  /** Why it cannot be run here; null: it can. */
  hindrance?(): string | null;
  run(surroundings: Surroundings): Promise<void>;
}

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of them. */
export function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}
