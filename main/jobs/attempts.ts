import type { EngineEvent } from '../../shared/domain/engine.ts';
import type { Job, JobKind, Progress } from '../../shared/domain/job.ts';
import { jobInputs, jobOutputs } from '../../shared/domain/job-input.ts';
import { parseInput, toErrorShape } from '../../shared/ipc/result.ts';
import type { Library } from '../library/open.ts';
import { appendEvent } from './event-log.ts';
import type { JobFolders } from './folders.ts';
import type { JobListener, QueueEvents } from './queue.ts';
import type { Outcome, Runner } from './runner.ts';
import type { JobChange, JobStore } from './store.ts';

// biome-ignore lint/suspicious/noExplicitAny: each runner parses its own input; the queue only passes it on
type AnyRunner = Runner<any, unknown>;
export type Runners = { [K in JobKind]: AnyRunner };

/** Why a running job is stopped: it decides what becomes of it. */
type Stop = 'pause' | 'cancel' | 'close' | { broken: unknown };

interface Active {
  runner: AnyRunner;
  controller: AbortController;
  ended: Promise<Job>;
}

/** Progress is stored (for other programs and after a kill) at most this often, and told at most ten times as often. */
const storedProgressMilliseconds = 500;
const toldProgressMilliseconds = 50;

/**
 * The jobs that run in this program. Whatever happens to one, its end is told and stored, and nothing is thrown at who only brought a
 * message: a disk that is full, a listener that breaks.
 */
export class Attempts {
  readonly #library: Library;
  readonly #store: JobStore;
  readonly #folders: JobFolders;
  readonly #runners: Runners;
  readonly #events: QueueEvents;
  readonly #active = new Map<string, Active>();
  readonly #listeners = new Map<string, JobListener>();
  /** Ends that a full disk did not take: told, and stored as soon as it does. */
  readonly #unstored = new Map<string, JobChange>();

  constructor(parts: {
    library: Library;
    store: JobStore;
    folders: JobFolders;
    runners: Runners;
    events: QueueEvents;
  }) {
    this.#library = parts.library;
    this.#store = parts.store;
    this.#folders = parts.folders;
    this.#runners = parts.runners;
    this.#events = parts.events;
  }

  isBusy(lane: AnyRunner['lane']): boolean {
    return [...this.#active.values()].some(({ runner }) => runner.lane === lane);
  }

  isRunning(id: string): boolean {
    return this.#active.has(id);
  }

  /** As it is, which is not yet as it is stored where the disk did not take its end. */
  asItIs(job: Job): Job {
    return { ...job, ...this.#unstored.get(job.id) } as Job;
  }

  /** Throws when the start cannot be stored; then nothing has begun. `onEnd` is called when nothing of it runs any more. */
  begin(job: Job, onEnd: () => void, listener?: JobListener): Promise<Job> {
    const runner = this.#runners[job.kind];
    const controller = new AbortController();
    if (listener) this.#listeners.set(job.id, listener);
    try {
      const started = this.change(job.id, {
        state: 'running',
        attempts: job.attempts + 1,
        progress: null,
        error: null,
        startedAt: new Date().toISOString(),
        finishedAt: null,
      });
      this.#unstored.delete(job.id);
      const ended = this.#attempt(started, runner, controller.signal).finally(() => {
        this.#active.delete(job.id);
        this.#listeners.delete(job.id);
        onEnd();
      });
      this.#active.set(job.id, { runner, controller, ended });
      return ended;
    } catch (thrown) {
      this.#listeners.delete(job.id);
      throw thrown;
    }
  }

  stop(id: string, why: Stop): void {
    this.#active.get(id)?.controller.abort(why);
  }

  /** Nothing runs any more when this resolves. */
  async stopAll(): Promise<void> {
    const ends = [...this.#active].map(([id, { ended }]) => {
      this.stop(id, 'close');
      return ended;
    });
    await Promise.all(ends);
  }

  /** Throws while the disk still does not take them. */
  storeEnds(): void {
    for (const [id, change] of this.#unstored) {
      if (this.#store.find(id) !== null) this.#store.update(id, change);
      this.#unstored.delete(id);
    }
  }

  change(id: string, change: JobChange): Job {
    const job = this.#store.update(id, change);
    this.tell(job);
    return job;
  }

  tell(job: Job): void {
    const { onChange } = this.#listeners.get(job.id) ?? {};
    if (onChange) this.quietly(() => onChange(job));
    this.#events.changed(job);
  }

  /** Answers whether it could be done. */
  quietly(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (thrown) {
      this.#events.trouble(thrown);
      return false;
    }
  }

  /** Never rejects. */
  async #attempt(job: Job, runner: AnyRunner, signal: AbortSignal): Promise<Job> {
    try {
      const outcome = await runner.run({
        jobId: job.id,
        input: parseInput(jobInputs[job.kind], job.input),
        target: this.#store.target(job.id)!,
        folder: this.#folders.of(job.id),
        signal,
        onProgress: this.#progressTeller(job.id),
        onEvent: (event) => this.#hear(job.id, runner, event),
      });
      return this.#finish(job, outcome);
    } catch (thrown) {
      return this.#fail(job, thrown, signal.aborted ? (signal.reason as Stop) : null);
    }
  }

  #finish(job: Job, { output, move, writeRows, changed }: Outcome<unknown>): Job {
    const write = () => {
      writeRows?.();
      return this.#store.update(job.id, {
        state: 'done',
        output: jobOutputs[job.kind].parse(output),
        checkpoint: null,
        finishedAt: new Date().toISOString(),
      });
    };
    const done = this.#library.adopt(move ? [move] : [], write);
    this.#removeFolder(job.id);
    this.tell(done);
    if (changed) this.#events.libraryChanged(changed);
    return done;
  }

  #fail(job: Job, thrown: unknown, stop: Stop | null): Job {
    const finishedAt = new Date().toISOString();
    const { resumes } = this.#runners[job.kind];
    // What is not needed goes first: on a full disk that makes room for the state.
    if (stop === 'cancel' || (stop !== 'close' && !resumes)) this.#removeFolder(job.id);
    switch (stop) {
      case 'pause':
        return this.#end(job, { state: 'paused', ...(resumes ? {} : { progress: null }) });
      case 'close':
        return this.#end(job, { state: 'interrupted' });
      case 'cancel':
        return this.#end(job, { state: 'cancelled', checkpoint: null, finishedAt });
      default:
        return this.#end(job, { state: 'failed', error: toErrorShape(stop?.broken ?? thrown), finishedAt });
    }
  }

  #end(job: Job, change: JobChange): Job {
    try {
      return this.change(job.id, change);
    } catch (thrown) {
      this.#events.trouble(thrown);
      this.#unstored.set(job.id, change);
      const ended = this.asItIs(job);
      this.tell(ended);
      return ended;
    }
  }

  /** What stays lying is removed at the next start. */
  #removeFolder(id: string): void {
    this.quietly(() => this.#folders.remove(id));
  }

  /** What cannot be kept of a message ends the job. */
  #hear(id: string, runner: AnyRunner, heard: EngineEvent): void {
    const event = this.#withLibraryPath(heard);
    try {
      if (event.type === 'checkpoint' && this.#store.byId(id).checkpoint === null) {
        this.change(id, { checkpoint: this.#library.relativePath(this.#folders.of(id)) });
      }
      if (runner.resumes && event.type !== 'progress') appendEvent(this.#folders.eventFile(id), event);
    } catch (thrown) {
      this.stop(id, { broken: thrown });
      return;
    }
    const { onEvent } = this.#listeners.get(id) ?? {};
    if (onEvent) this.quietly(() => onEvent(event));
    this.#events.event(id, event);
  }

  /** The engine knows absolute paths only; everybody else paths of the library. */
  #withLibraryPath(event: EngineEvent): EngineEvent {
    if (event.type !== 'sample') return event;
    return { ...event, frames: { ...event.frames, file: this.#library.relativePath(event.frames.file) } };
  }

  #progressTeller(id: string): (progress: Progress) => void {
    let told = Number.NEGATIVE_INFINITY;
    let stored = Number.NEGATIVE_INFINITY;
    return (progress) => {
      const now = performance.now();
      if (now - told < toldProgressMilliseconds && progress.done < progress.total) return;
      told = now;
      const isDue = now - stored >= storedProgressMilliseconds || progress.done >= progress.total;
      if (isDue) stored = now;
      // Where it cannot be stored it is told all the same.
      if (isDue && this.quietly(() => this.change(id, { progress }))) return;
      this.quietly(() => this.tell({ ...this.#store.byId(id), progress }));
    };
  }
}
