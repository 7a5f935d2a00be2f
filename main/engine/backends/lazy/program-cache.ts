import { totalmem } from 'node:os';
import { LruCache } from '../../../../shared/structures/lru-cache.ts';
import type { Executor, Program } from './executors/executor.ts';
import type { Segment } from './segment.ts';

/** What programs that nobody uses may hold together, in bytes. */
const restingLimit = Math.max(2 ** 30, totalmem() / 8);

/** A program that was used so recently is about to be used again: stages that take turns never put each other to rest. */
const recentMilliseconds = 15_000;

/** OpenVINO 2026.4 held 490 and 590 MB for steps of training whose graphs count 134 and 215 MB. */
const heldPerWorkingByte = 3;

interface Held {
  readonly program: Program;
  /** What it holds between runs, by its graph; 0 while it rests. */
  bytes: number;
  usedAt: number;
}

/** Compiled programs by signature; the one that was used longest ago is given up first, and rests before that where many hold much memory. */
export class ProgramCache {
  /** How often something was compiled: a step that recompiles every time is a mistake that this number shows. */
  compiled = 0;
  private readonly programs: LruCache<string, Held>;
  private readonly executor: Executor;
  private readonly now: () => number;
  private readonly restingLimit: number;

  constructor(executor: Executor, options: { limit?: number; restingLimit?: number; now?: () => number } = {}) {
    this.executor = executor;
    this.restingLimit = options.restingLimit ?? restingLimit;
    this.now = options.now ?? (() => performance.now());
    this.programs = new LruCache(options.limit ?? 128, ({ program }) => program.dispose());
  }

  get(segment: Segment): Program {
    const { signature } = segment;
    let held = this.programs.get(signature);
    if (!held) {
      const program = this.executor.compile(segment.encode(this.executor.products), segment.inputs, segment.outputs);
      this.compiled++;
      held = { program, bytes: 0, usedAt: 0 };
      this.programs.set(signature, held);
    }
    held.usedAt = this.now();
    if (held.bytes === 0) {
      held.bytes = segment.workingBytes * heldPerWorkingByte;
      this.restUnused();
    }
    return held.program;
  }

  /**
   * Compiles what is missing of these before the first of them runs: an executor that compiles off this thread then does several at
   * once. More than the cache holds are left to be compiled one after the other. What cannot be compiled says so when its turn comes.
   */
  prepare(segments: readonly Segment[]): void {
    const missing = new Map(
      segments.filter(({ signature }) => !this.programs.has(signature)).map((segment) => [segment.signature, segment]),
    );
    if (missing.size < 2 || new Set(segments.map(({ signature }) => signature)).size > this.programs.limit) return;
    try {
      for (const segment of segments) this.get(segment);
    } catch {
      return;
    }
  }

  /** All give back what they hold between runs. Answers whether any holds such memory at all. */
  rest(): boolean {
    const resting = [...this.programs.values()].filter(({ program }) => program.rest !== undefined);
    for (const held of resting) layToRest(held);
    return resting.length > 0;
  }

  /** Puts to rest what was used longest ago until the rest holds no more than it may. */
  private restUnused(): void {
    const before = this.now() - recentMilliseconds;
    let total = 0;
    for (const { bytes } of this.programs.values()) total += bytes;
    for (const held of this.programs.values()) {
      if (total <= this.restingLimit || held.usedAt > before) return;
      if (!held.program.rest) continue;
      total -= held.bytes;
      layToRest(held);
    }
  }

  get size(): number {
    return this.programs.size;
  }

  clear(): void {
    this.programs.clear();
  }
}

function layToRest(held: Held): void {
  held.program.rest!();
  held.bytes = 0;
}
