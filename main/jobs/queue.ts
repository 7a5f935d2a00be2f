import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineEvent } from '../../shared/domain/engine.ts';
import type { Job, JobKind } from '../../shared/domain/job.ts';
import { jobInputs } from '../../shared/domain/job-input.ts';
import type { ItemKind } from '../../shared/domain/library.ts';
import { AppError, parseInput } from '../../shared/ipc/result.ts';
import { makeItemId } from '../library/ids.ts';
import type { Library } from '../library/open.ts';
import { Attempts, type Runners } from './attempts.ts';
import { type ControlAction, requestControl, takeControlRequests } from './control.ts';
import { readEvents } from './event-log.ts';
import { JobFolders } from './folders.ts';
import { type JobFilter, JobStore } from './store.ts';
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
  /** Something that could not be done and is tried again: for the log. */
  trouble(thrown: unknown): void;
}

export interface QueueOptions {
  /** Whether what waits is to go on waiting, asked whenever something could begin. */
  isPaused(): boolean;
}

const controlMilliseconds = 500;
const keptFinishedDays = 90;
const keptFailedDays = 30;

/**
 * The durable queue. Every state is in the database before anything acts on it: a program that is killed
 * finds its running jobs `interrupted` at the next start, and what they had made so far in their folders.
 */
export class JobQueue {
  readonly #library: Library;
  readonly #store: JobStore;
  readonly #folders: JobFolders;
  readonly #runners: Runners;
  readonly #events: QueueEvents;
  readonly #options: QueueOptions;
  readonly #attempts: Attempts;
  /** Something that waits could not be begun. */
  #isBehind = false;
  #controlTimer: NodeJS.Timeout | undefined;
  /** Learnings that were paused for previews. */
  readonly #madeWay = new Set<string>();
  #started = false;
  #closed = false;

  constructor(library: Library, runners: Runners, events: QueueEvents, options: QueueOptions) {
    this.#library = library;
    this.#store = new JobStore(library);
    this.#folders = new JobFolders(library.folder);
    this.#runners = runners;
    this.#events = events;
    this.#options = options;
    this.#attempts = new Attempts({ library, store: this.#store, folders: this.#folders, runners, events });
    if (library.canWrite) {
      this.#store.markInterrupted();
      this.#attempts.quietly(() => this.#store.forgetFinished(keptFinishedDays));
      this.#attempts.quietly(() => this.#folders.removeLeftovers(new Set(this.#store.needingFolders(keptFailedDays))));
      this.#attempts.quietly(() => this.#obeyRequests());
    }
  }

  list(filter?: JobFilter): Job[] {
    return this.#store.list(filter).map((job) => this.#attempts.asItIs(job));
  }

  get(reference: string): Job {
    return this.#attempts.asItIs(this.#store.resolve(reference));
  }

  enqueue({ kind, ...given }: { kind: JobKind } & Record<string, unknown>): Job {
    this.#library.requireWriting();
    const runner = this.#runners[kind];
    const { input, title, targetName } = runner.prepare(parseInput(jobInputs[kind], given));
    const target = makeItemId(this.#library, targetName, (id) => this.#store.isReserved(id));
    const job = this.#store.insert({ kind, title, input, target });
    this.#attempts.tell(job);
    this.goOn();
    return job;
  }

  /** Runs one job here and now. Aborting pauses it if it can go on later, otherwise cancels it. */
  async run(reference: string, { signal, ...listener }: JobListener & { signal?: AbortSignal } = {}): Promise<Job> {
    this.#library.requireWriting();
    const job = this.get(reference);
    if (job.state === 'done') return job;
    if (job.state === 'running') throw new AppError('conflict', `"${job.title}" is already running.`);
    const onAbort = () => this.#attempts.stop(job.id, this.#runners[job.kind].resumes ? 'pause' : 'cancel');
    this.#watchControl();
    try {
      const ended = this.#attempts.begin(job, () => this.goOn(), listener);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      return await ended;
    } finally {
      signal?.removeEventListener('abort', onAbort);
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
    const job = this.get(reference);
    if (this.#library.canWrite) return { job: this.#obey(job, action), requested: false };
    requireNextState(job, action);
    if (this.#library.status().holder === null) this.#library.requireWriting();
    requestControl(join(this.#library.folder, 'control'), job.id, action);
    return { job, requested: true };
  }

  /** Ends a learning with what it has so far; one that waits or was stopped goes on for that. */
  keep(reference: string): { job: Job; requested: boolean } {
    const job = this.get(reference);
    if (job.kind !== 'learn' || isFinished(job.state))
      throw new AppError('conflict', `"${job.title}" is not a learning job in progress.`);
    if (!readEvents(this.#folders.eventFile(job.id)).some(({ type }) => type === 'loss'))
      throw new AppError('conflict', `"${job.title}" has not started learning: there is nothing to keep yet.`);
    this.#folders.requestKeeping(job.id);
    if (job.state === 'paused' || job.state === 'interrupted') return this.control(job.id, 'resume');
    return { job, requested: !this.#library.canWrite };
  }

  retry(reference: string): Job {
    const job = this.get(reference);
    requireNextState(job, 'retry');
    return this.#queued(job);
  }

  /** Moves a waiting job before another one, or to the end of the queue. */
  move(reference: string, before: string | null): Job {
    const job = this.get(reference);
    if (isFinished(job.state)) {
      throw new AppError('conflict', `"${job.title}" is ${job.state}: it is no longer in the queue.`);
    }
    const moved = this.#store.move(job.id, before === null ? null : this.#store.resolve(before).id);
    // Those that made room have other places too: every window has to know the order, or it moves what it
    // does not see.
    for (const waiting of this.#store.list({ states: ['queued'] })) {
      if (waiting.id === moved.id || waiting.position > moved.position) this.#attempts.tell(waiting);
    }
    if (moved.state !== 'queued') this.#attempts.tell(moved);
    return moved;
  }

  remove(reference: string): void {
    const job = this.get(reference);
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

  /** What learns is paused, and no other learning begins, until it comes back. Answers whether any does. */
  makeWay(): boolean {
    this.#library.requireWriting();
    for (const { id } of this.#store.list({ states: ['running'], kinds: ['learn'] })) {
      if (!this.#attempts.isRunning(id)) continue;
      this.#madeWay.add(id);
      this.#attempts.stop(id, 'pause');
    }
    return this.#madeWay.size > 0;
  }

  /** Unless somebody resumed or cancelled it meanwhile, what made way is queued again, in its old place. */
  comeBack(): void {
    const ids = [...this.#madeWay];
    this.#madeWay.clear();
    for (const id of ids) {
      const job = this.#store.find(id);
      if (job?.state === 'paused') this.#attempts.quietly(() => this.#queued(job));
    }
    this.goOn();
  }

  /**
   * Stops what runs; it is `interrupted` and goes on at the next start. Nothing runs any more when this
   * resolves.
   */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#controlTimer);
    await this.#attempts.stopAll();
  }

  /**
   * Starts what is queued and has its lane free. What cannot be started now is tried again at the next look
   * around.
   */
  goOn(): void {
    if (!this.#started || this.#closed) return;
    this.#isBehind = !this.#attempts.quietly(() => this.#beginNext());
  }

  #beginNext(): void {
    const isPaused = this.#options.isPaused();
    for (const job of this.#store.list({ states: ['queued'] })) {
      if (isPaused && job.kind !== 'import') continue;
      if (this.#madeWay.size > 0 && job.kind === 'learn' && !this.#madeWay.has(job.id)) continue;
      const isFree = !this.#attempts.isBusy(this.#runners[job.kind].lane);
      if (isFree && !this.#attempts.isRunning(job.id)) void this.#attempts.begin(job, () => this.goOn());
    }
  }

  #obey(job: Job, action: ControlAction): Job {
    const state = requireNextState(job, action);
    if (job.state === 'running') {
      this.#attempts.stop(job.id, action === 'cancel' ? 'cancel' : 'pause');
      return job;
    }
    if (state === 'queued') return this.#queued(job);
    if (state === 'cancelled') this.#folders.remove(job.id);
    const isEnd = state === 'cancelled';
    return this.#attempts.change(job.id, {
      state,
      ...(isEnd ? { checkpoint: null, finishedAt: new Date().toISOString() } : {}),
    });
  }

  #queued(job: Job): Job {
    const queued = this.#attempts.change(job.id, { state: 'queued', error: null, finishedAt: null });
    this.goOn();
    return queued;
  }

  #watchControl(): void {
    this.#controlTimer ??= setInterval(() => this.#attempts.quietly(() => this.#lookAround()), controlMilliseconds);
    this.#controlTimer.unref();
  }

  #lookAround(): void {
    if (existsSync(join(this.#library.folder, 'library.db'))) {
      this.#attempts.storeEnds();
      if (this.#isBehind) this.goOn();
      this.#obeyRequests();
      return;
    }
    clearInterval(this.#controlTimer);
    this.#closed = true;
    this.#events.libraryLost();
  }

  #obeyRequests(): void {
    for (const { jobId, action } of takeControlRequests(join(this.#library.folder, 'control'))) {
      const job = this.#store.find(jobId);
      // It may have ended, or been asked twice, since the request was written.
      if (job && nextState(job, action) !== null) this.#obey(job, action);
    }
  }
}
