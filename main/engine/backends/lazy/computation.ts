import { Serialiser } from '../../../../shared/structures/serialiser.ts';
import { Brought } from './brought.ts';
import type { Executor } from './executors/executor.ts';
import type { DeviceBuffer, Graph, Inspect, Value } from './graph.ts';
import { type Plan, planFor, runPlan } from './plan.ts';
import { ProgramCache } from './program-cache.ts';

/** Work that goes on when what it handed out was computed. */
export type Work<T> = Generator<Promise<DeviceBuffer[]> | undefined, T, DeviceBuffer[] | undefined>;

/** Computes what a graph has pending on an executor: one program for each segment, one computation after the other. */
export class Computation {
  readonly programs: ProgramCache;
  inspect: Inspect | undefined;
  private readonly graph: Graph;
  private readonly executor: Executor;
  private readonly brought: Brought;
  private readonly turns = new Serialiser();
  private isRunning = false;

  constructor(graph: Graph, executor: Executor, inspect?: Inspect) {
    this.graph = graph;
    this.executor = executor;
    this.inspect = inspect;
    this.programs = new ProgramCache(executor);
    this.brought = new Brought(executor);
  }

  /** Computes everything that is pending, and at least one value where that is asked for. */
  async compute(asked?: Value): Promise<void> {
    await this.alone(() => this.pending(asked));
  }

  computeSync(asked: Value): void {
    if (this.isRunning) throw new Error('values are being computed: await data() instead of reading synchronously');
    driveSync(this.pending(asked));
  }

  /** Runs work when no other is running. */
  alone<T>(work: () => Work<T>): Promise<T> {
    return this.turns.run(async () => {
      this.isRunning = true;
      try {
        return await driveAsync(work());
      } finally {
        this.isRunning = false;
      }
    });
  }

  /**
   * Computes all that is pending, so that graphs never grow from one read to the next. If that fails, the
   * value that was asked for is tried alone, and what may have been at fault is from then on computed only
   * when it is itself asked for.
   */
  *pending(asked?: Value): Work<void> {
    if (asked && !asked.node) return;
    const wanted = [...this.graph.unread].filter((value) => !value.suspect || value === asked);
    if (wanted.length === 0) return;
    try {
      yield* this.evaluate(wanted);
    } catch (error) {
      for (const value of wanted) value.suspect = true;
      if (!asked || wanted.length === 1) throw error;
      yield* this.evaluate([asked]);
      asked.suspect = false;
    }
  }

  private *evaluate(wanted: readonly Value[]): Work<void> {
    for (const value of wanted) this.graph.hold(value);
    try {
      const plan = planFor(wanted, this.inspect);
      const buffers = yield* this.runPlanned(
        plan,
        plan.sources.map(({ value }) => value.buffer),
      );
      for (const [index, value] of wanted.entries()) this.graph.settle(value, buffers[index]!);
    } finally {
      for (const value of wanted) this.graph.drop(value);
    }
  }

  runPlanned(plan: Plan, sources: readonly (DeviceBuffer | undefined)[], signal?: AbortSignal): Work<DeviceBuffer[]> {
    signal?.throwIfAborted();
    this.programs.prepare(plan.stages.map(({ segment }) => segment));
    return runPlan(plan, sources, {
      program: (segment) => this.programs.get(segment),
      bring: (values) => this.brought.bring(values),
      release: (buffer) => this.brought.release(buffer),
      keptBytes: () => this.executor.memory().keptBytes,
      trim: () => this.executor.trim(),
      signal,
    });
  }

  /**
   * Compiled programs give back the memory that they hold between runs, where their next run has it again in
   * a moment. Answers whether there was any.
   */
  rest(): boolean {
    this.executor.trim();
    return this.programs.rest();
  }
}

function driveSync<T>(work: Work<T>): T {
  let step = work.next();
  while (!step.done)
    step = step.value
      ? work.throw(new Error('this device computes asynchronously: await data() instead of reading synchronously'))
      : work.next(undefined);
  return step.value;
}

/** Lets other work of this thread have its turn after every segment. */
async function driveAsync<T>(work: Work<T>): Promise<T> {
  let step = work.next();
  while (!step.done) {
    let produced: DeviceBuffer[] | undefined;
    try {
      if (step.value) produced = await step.value;
      else await new Promise(setImmediate);
    } catch (error) {
      step = work.throw(error);
      continue;
    }
    step = work.next(produced);
  }
  return step.value;
}
