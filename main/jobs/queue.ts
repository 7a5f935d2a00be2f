import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineEvent } from '../../shared/domain/engine.ts';
import type { Job, JobKind, JobState, Progress } from '../../shared/domain/job.ts';
import { jobInputs, jobOutputs } from '../../shared/domain/job-input.ts';
import type { ItemKind } from '../../shared/domain/library.ts';
import { AppError, parseInput, toErrorShape } from '../../shared/ipc/result.ts';
import { makeItemId } from '../library/ids.ts';
import type { Library } from '../library/open.ts';
import { type ControlAction, requestControl, takeControlRequests } from './control.ts';
import { appendEvent, readEvents } from './event-log.ts';
import { JobFolders } from './folders.ts';
import type { Outcome, Runner } from './runner.ts';
import { type JobChange, JobStore } from './store.ts';
import { isFinished, nextState, requireNextState } from './transitions.ts';

export interface JobListener {
  onChange?(job: Job): void;
  onEvent?(event: EngineEvent): void;
}

export interface QueueEvents {
  changed(job: Job): void;
  removed(id: string): void;
  event(id: string, event: EngineEvent): void;
  libraryChanged(kind: ItemKind): void;
  /** The library's folder was deleted or moved away while it was open; told once. */
  libraryLost(): void;
}

export interface QueueOptions {
  /** Whether what waits is to go on waiting, asked whenever something could begin. */
  isPaused(): boolean;
}

/** Why a running job is stopped: it decides what becomes of it. */
type Stop = 'pause' | 'cancel' | 'close';

interface Active {
  runner: AnyRunner;
  controller: AbortController;
  ended: Promise<Job>;
}

// biome-ignore lint/suspicious/noExplicitAny: each runner parses its own input; the queue only passes it on
type AnyRunner = Runner<any, unknown>;
export type Runners = { [K in JobKind]: AnyRunner };

const controlMilliseconds = 500;
/** Progress is stored (for other programs and after a kill) at most this often, and told at most ten times as often. */
const storedProgressMilliseconds = 500;
const toldProgressMilliseconds = 50;
const keptFinishedDays = 90;

/**
 * The durable queue. Every state is in the database before anything acts on it: a program that is killed finds its running jobs
 * `interrupted` at the next start, and what they had made so far in their folders.
 */
export class JobQueue {
  readonly #library: Library;
  readonly #store: JobStore;
  readonly #folders: JobFolders;
  readonly #runners: Runners;
  readonly #events: QueueEvents;
  readonly #options: QueueOptions;
  readonly #active = new Map<string, Active>();
  readonly #listeners = new Map<string, JobListener>();
  #controlTimer: NodeJS.Timeout | undefined;
  #started = false;
  #closed = false;

  constructor(library: Library, runners: Runners, events: QueueEvents, options: QueueOptions) {
    this.#library = library;
    this.#store = new JobStore(library);
    this.#folders = new JobFolders(library.folder);
    this.#runners = runners;
    this.#events = events;
    this.#options = options;
    if (library.canWrite) {
      this.#store.markInterrupted();
      this.#store.forgetFinished(new Date(Date.now() - keptFinishedDays * 24 * 3600 * 1000));
      this.#folders.removeLeftovers(this.#store.list());
      this.#obeyRequests();
    }
  }

  list(filter?: { states?: JobState[]; kinds?: JobKind[] }): Job[] {
    return this.#store.list(filter);
  }

  get(reference: string): Job {
    return this.#store.resolve(reference);
  }

  enqueue({ kind, ...given }: { kind: JobKind } & Record<string, unknown>): Job {
    this.#library.requireWriting();
    const runner = this.#runners[kind];
    const { input, title, targetName } = runner.prepare(parseInput(jobInputs[kind], given));
    const target = makeItemId(this.#library, targetName, (id) => this.#store.isReserved(id));
    const job = this.#store.insert({ kind, title, input, target });
    this.#tell(job);
    this.goOn();
    return job;
  }

  /** Runs one job here and now. Aborting pauses it if it can go on later, otherwise cancels it. */
  async run(reference: string, { signal, ...listener }: JobListener & { signal?: AbortSignal } = {}): Promise<Job> {
    this.#library.requireWriting();
    const job = this.#store.resolve(reference);
    if (job.state === 'done') return job;
    if (job.state === 'running') throw new AppError('conflict', `"${job.title}" is running already.`);
    const onAbort = () => this.#stop(job.id, this.#runners[job.kind].resumes ? 'pause' : 'cancel');
    this.#listeners.set(job.id, listener);
    this.#watchControl();
    try {
      const { ended } = this.#begin(job);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      return await ended;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#listeners.delete(job.id);
    }
  }

  /** Works through the queue from now on. */
  start(): void {
    this.#library.requireWriting();
    this.#started = true;
    this.#watchControl();
    this.goOn();
  }

  /** For pause, resume and cancel: `requested` means that another program was asked to do it. */
  control(reference: string, action: ControlAction): { job: Job; requested: boolean } {
    const job = this.#store.resolve(reference);
    if (this.#library.canWrite) return { job: this.#obey(job, action), requested: false };
    requireNextState(job, action);
    if (this.#library.status().holder === null) this.#library.requireWriting();
    requestControl(join(this.#library.folder, 'control'), job.id, action);
    return { job, requested: true };
  }

  /** Ends a learning with what it has so far; one that waits or was stopped goes on for that. */
  keep(reference: string): { job: Job; requested: boolean } {
    const job = this.#store.resolve(reference);
    if (job.kind !== 'learn' || isFinished(job.state))
      throw new AppError('conflict', `"${job.title}" is no learning that goes on.`);
    if (!readEvents(this.#folders.eventFile(job.id)).some(({ type }) => type === 'loss'))
      throw new AppError('conflict', `"${job.title}" has not begun to learn: there is nothing to keep yet.`);
    this.#folders.requestKeeping(job.id);
    if (job.state === 'paused' || job.state === 'interrupted') return this.control(job.id, 'resume');
    return { job, requested: !this.#library.canWrite };
  }

  retry(reference: string): Job {
    const job = this.#store.resolve(reference);
    requireNextState(job, 'retry');
    return this.#queued(job);
  }

  /** Moves a waiting job before another one, or to the end of the queue. */
  move(reference: string, before: string | null): Job {
    const job = this.#store.resolve(reference);
    if (isFinished(job.state)) {
      throw new AppError('conflict', `"${job.title}" is ${job.state}: it has no place in the queue any more.`);
    }
    const others = this.#store.list().filter(({ id }) => id !== job.id);
    const place = before === null ? others.length : others.findIndex(({ id }) => id === this.#store.resolve(before).id);
    const previous = others[place - 1]?.position ?? (others[place]?.position ?? 1) - 2;
    const next = others[place]?.position ?? previous + 2;
    return this.#change(job.id, { position: (previous + next) / 2 });
  }

  remove(reference: string): void {
    const job = this.#store.resolve(reference);
    if (job.state === 'running') {
      throw new AppError('conflict', `"${job.title}" is running.`, { hint: 'Cancel it first.' });
    }
    this.#store.delete(job.id);
    this.#folders.remove(job.id);
    this.#events.removed(job.id);
  }

  events(reference: string): EngineEvent[] {
    return readEvents(this.#folders.eventFile(this.#store.resolve(reference).id));
  }

  /** Stops what runs; it is `interrupted` and goes on at the next start. Nothing runs any more when this resolves. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#controlTimer);
    const ends = [...this.#active].map(([id, { ended }]) => {
      this.#stop(id, 'close');
      return ended;
    });
    await Promise.all(ends);
  }

  /** Starts what is queued and has its lane free. */
  goOn(): void {
    if (!this.#started || this.#closed) return;
    const isPaused = this.#options.isPaused();
    for (const job of this.#store.list({ states: ['queued'] })) {
      if (isPaused && job.kind !== 'import') continue;
      const { lane } = this.#runners[job.kind];
      const isBusy = [...this.#active.values()].some(({ runner }) => runner.lane === lane);
      if (!isBusy) this.#begin(job);
    }
  }

  #begin(job: Job): Active {
    const runner = this.#runners[job.kind];
    const controller = new AbortController();
    const started = this.#change(job.id, {
      state: 'running',
      attempts: job.attempts + 1,
      progress: null,
      error: null,
      startedAt: new Date().toISOString(),
      finishedAt: null,
    });
    const ended = this.#attempt(started, runner, controller.signal).finally(() => {
      this.#active.delete(job.id);
      this.goOn();
    });
    const active = { runner, controller, ended };
    this.#active.set(job.id, active);
    return active;
  }

  /** Never rejects. */
  async #attempt(job: Job, runner: AnyRunner, signal: AbortSignal): Promise<Job> {
    const folder = this.#folders.of(job.id);
    try {
      const outcome = await runner.run({
        jobId: job.id,
        input: parseInput(jobInputs[job.kind], job.input),
        target: this.#store.target(job.id)!,
        folder,
        signal,
        onProgress: this.#progressTeller(job.id),
        onEvent: (event) => this.#hear(job.id, runner, event),
      });
      return this.#finish(job, outcome);
    } catch (thrown) {
      return this.#fail(job, thrown, signal);
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
    this.#folders.remove(job.id);
    this.#tell(done);
    if (changed) this.#events.libraryChanged(changed);
    return done;
  }

  #fail(job: Job, thrown: unknown, signal: AbortSignal): Job {
    const stop = signal.aborted ? (signal.reason as Stop) : null;
    const finishedAt = new Date().toISOString();
    const { resumes } = this.#runners[job.kind];
    switch (stop) {
      case 'pause':
        if (resumes) return this.#change(job.id, { state: 'paused' });
        this.#folders.remove(job.id);
        return this.#change(job.id, { state: 'paused', progress: null });
      case 'close':
        return this.#change(job.id, { state: 'interrupted' });
      case 'cancel':
        this.#folders.remove(job.id);
        return this.#change(job.id, { state: 'cancelled', checkpoint: null, finishedAt });
      case null:
        if (!resumes) this.#folders.remove(job.id);
        return this.#change(job.id, { state: 'failed', error: toErrorShape(thrown), finishedAt });
      default:
        return stop satisfies never;
    }
  }

  #hear(id: string, runner: AnyRunner, heard: EngineEvent): void {
    const event = this.#withLibraryPath(heard);
    if (event.type === 'checkpoint' && this.#store.byId(id).checkpoint === null) {
      this.#change(id, { checkpoint: this.#library.relativePath(this.#folders.of(id)) });
    }
    if (runner.resumes && event.type !== 'progress') appendEvent(this.#folders.eventFile(id), event);
    this.#listeners.get(id)?.onEvent?.(event);
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
      if (now - stored >= storedProgressMilliseconds || progress.done >= progress.total) {
        stored = now;
        this.#change(id, { progress });
      } else {
        this.#tell({ ...this.#store.byId(id), progress });
      }
    };
  }

  #stop(id: string, why: Stop): void {
    this.#active.get(id)?.controller.abort(why);
  }

  #obey(job: Job, action: ControlAction): Job {
    const state = requireNextState(job, action);
    if (job.state === 'running') {
      this.#stop(job.id, action === 'cancel' ? 'cancel' : 'pause');
      return job;
    }
    if (state === 'queued') return this.#queued(job);
    if (state === 'cancelled') this.#folders.remove(job.id);
    const isEnd = state === 'cancelled';
    return this.#change(job.id, {
      state,
      ...(isEnd ? { checkpoint: null, finishedAt: new Date().toISOString() } : {}),
    });
  }

  #queued(job: Job): Job {
    const queued = this.#change(job.id, { state: 'queued', error: null, finishedAt: null });
    this.goOn();
    return queued;
  }

  #watchControl(): void {
    this.#controlTimer ??= setInterval(() => this.#lookAround(), controlMilliseconds);
    this.#controlTimer.unref();
  }

  #lookAround(): void {
    if (existsSync(join(this.#library.folder, 'library.db'))) {
      this.#obeyRequests();
      return;
    }
    clearInterval(this.#controlTimer);
    this.#closed = true;
    this.#events.libraryLost();
  }

  #obeyRequests(): void {
    for (const { jobId, action } of takeControlRequests(join(this.#library.folder, 'control'))) {
      const job = this.#store.list().find(({ id }) => id === jobId);
      // It may have ended, or been asked twice, since the request was written.
      if (job && nextState(job, action) !== null) this.#obey(job, action);
    }
  }

  #change(id: string, change: JobChange): Job {
    const job = this.#store.update(id, change);
    this.#tell(job);
    return job;
  }

  #tell(job: Job): void {
    this.#listeners.get(job.id)?.onChange?.(job);
    this.#events.changed(job);
  }
}
