import { LruCache } from '../../../../shared/structures/lru-cache.ts';
import type { Executor, Program } from './executors/executor.ts';
import type { Segment } from './segment.ts';

/** Compiled programs by signature; the one that was used longest ago is given up first. */
export class ProgramCache {
  /** How often something was compiled: a step that recompiles every time is a mistake that this number shows. */
  compiled = 0;
  private readonly programs: LruCache<string, Program>;
  private readonly executor: Executor;

  constructor(executor: Executor, limit = 128) {
    this.executor = executor;
    this.programs = new LruCache(limit, (program) => program.dispose());
  }

  get(segment: Segment): Program {
    const { signature } = segment;
    const known = this.programs.get(signature);
    if (known) return known;
    const program = this.executor.compile(segment.encode(this.executor.products), segment.inputs, segment.outputs);
    this.compiled++;
    this.programs.set(signature, program);
    return program;
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
    const resting = [...this.programs.values()].filter(({ rest }) => rest !== undefined);
    for (const program of resting) program.rest!();
    return resting.length > 0;
  }

  get size(): number {
    return this.programs.size;
  }

  clear(): void {
    this.programs.clear();
  }
}
