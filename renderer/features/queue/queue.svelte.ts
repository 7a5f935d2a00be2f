import type { EngineEvent, LossPoint } from '../../../shared/domain/engine.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { importOutput } from '../../../shared/domain/job-input.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';
import { text } from '../../text/en.ts';

const unfinished: Job['state'][] = ['queued', 'running', 'paused', 'interrupted'];

type Sample = Extract<EngineEvent, { type: 'sample' }>;

/** All jobs of the queue, and the loss curves of those that learn. */
export class QueueState {
  jobs = $state.raw<Job[]>([]);
  losses = $state.raw<Record<string, LossPoint[]>>({});
  /** What learnings made on their way, in the order of their steps. */
  samples = $state.raw<Record<string, Sample[]>>({});
  /** What runs goes on to its end; nothing else begins. */
  isPaused = $state(false);

  readonly running = $derived(this.jobs.filter(({ state }) => state === 'running'));
  /** In the order in which they will begin. */
  readonly waiting = $derived(
    this.jobs.filter(({ state }) => state === 'queued').toSorted((a, b) => a.position - b.position),
  );
  readonly stopped = $derived(this.jobs.filter(({ state }) => state === 'paused' || state === 'interrupted'));
  /** The newest first. */
  readonly ended = $derived(
    this.jobs
      .filter(({ state }) => !unfinished.includes(state))
      .toSorted((a, b) => (b.finishedAt ?? '').localeCompare(a.finishedAt ?? '')),
  );
  readonly open = $derived(this.jobs.filter(({ state }) => unfinished.includes(state)));
  readonly learning = $derived(this.jobs.filter(({ kind, state }) => kind === 'learn' && unfinished.includes(state)));
  readonly downloads = $derived(
    this.jobs.filter(({ kind, state }) => kind === 'download' && (unfinished.includes(state) || state === 'failed')),
  );
  /** Imports that have not become a clip: their cards show how far they are, or why not. */
  readonly imports = $derived(
    this.jobs.filter(({ kind, state }) => kind === 'import' && (unfinished.includes(state) || state === 'failed')),
  );

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #host: Pick<Host, 'notify'>;
  readonly #whenLoaded: (() => void)[] = [];
  readonly #whenDone = new Set<(job: Job) => void>();

  constructor(connection: Services, notices: Notices, host: Pick<Host, 'notify'>) {
    this.#host = host;
    this.#connection = connection;
    this.#notices = notices;
    connection.whenOpen(() => void this.load());
    connection.on('job.changed', ({ job }) => this.#take(job));
    connection.whenOpen(() => void this.#loadPaused());
    connection.on('settings.changed', ({ settings }) => {
      this.isPaused = settings.queuePaused;
    });
    connection.on('job.removed', ({ id }) => {
      this.jobs = this.jobs.filter((job) => job.id !== id);
    });
    connection.on('job.event', ({ id, event }) => {
      if (event.type === 'loss') this.losses = { ...this.losses, [id]: [...(this.losses[id] ?? []), event.point] };
      if (event.type === 'sample') this.samples = { ...this.samples, [id]: withSample(this.samples[id] ?? [], event) };
    });
  }

  async load(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.jobs = await this.#connection.call['jobs.list']({});
      for (const job of this.learning) await this.#loadEvents(job.id);
      for (const listener of this.#whenLoaded) listener();
    });
  }

  byId(id: string | null): Job | null {
    return this.jobs.find((job) => job.id === id) ?? null;
  }

  whenLoaded(listener: () => void): void {
    this.#whenLoaded.push(listener);
  }

  whenDone(listener: (job: Job) => void): void {
    this.#whenDone.add(listener);
  }

  /** Settles when the job is no longer waiting or running. */
  finished(id: string): Promise<Job> {
    return new Promise((resolve) => {
      const listener = (job: Job) => {
        if (job.id !== id) return;
        this.#whenDone.delete(listener);
        resolve(job);
      };
      this.#whenDone.add(listener);
      const known = this.byId(id);
      if (known && !unfinished.includes(known.state)) listener(known);
    });
  }

  act(
    name: 'jobs.pause' | 'jobs.resume' | 'jobs.keep' | 'jobs.cancel' | 'jobs.retry' | 'jobs.remove',
    id: string,
  ): void {
    void this.#notices.attempt(() => this.#connection.call[name]({ reference: id }) as Promise<unknown>);
  }

  /** One place earlier or later among those that wait. */
  async move(id: string, places: -1 | 1): Promise<void> {
    const at = this.waiting.findIndex((job) => job.id === id);
    if (at < 0 || !this.waiting[at + places]) return;
    await this.place(id, this.waiting[places === -1 ? at - 1 : at + 2]?.id ?? null);
  }

  /** Before another one that waits, or behind them all. */
  async place(id: string, before: string | null): Promise<void> {
    await this.#notices.attempt(() => this.#connection.call['jobs.move']({ reference: id, before }));
  }

  /** What learns is paused for previews, and goes on by itself. */
  makeWay(): void {
    void this.#notices.attempt(() => this.#connection.call['jobs.makeWay']({}));
  }

  pause(paused: boolean): void {
    void this.#notices.attempt(() => this.#connection.call['settings.set']({ queuePaused: paused }));
  }

  clearFinished(): void {
    for (const job of this.jobs) if (!unfinished.includes(job.state)) this.act('jobs.remove', job.id);
  }

  async #loadPaused(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.isPaused = (await this.#connection.call['settings.get']({})).queuePaused;
    });
  }

  async #loadEvents(id: string): Promise<void> {
    const events = await this.#connection.call['jobs.events']({ reference: id });
    this.losses = { ...this.losses, [id]: events.flatMap((event) => (event.type === 'loss' ? [event.point] : [])) };
    this.samples = { ...this.samples, [id]: events.filter((event) => event.type === 'sample') };
  }

  #take(job: Job): void {
    const before = this.byId(job.id);
    this.jobs = before ? this.jobs.map((known) => (known.id === job.id ? job : known)) : [...this.jobs, job];
    if (!before && this.isPaused && job.state === 'queued' && job.kind !== 'import') {
      this.#notices.tell(text.queue.held, { label: text.queue.resumeAll, run: () => this.pause(false) });
    }
    if (unfinished.includes(job.state) || before?.state === job.state) return;
    if (job.state === 'done') this.#tellDone(job);
    for (const listener of [...this.#whenDone]) listener(job);
  }

  #tellDone(job: Job): void {
    if (job.kind === 'import' && importOutput.safeParse(job.output).data?.duplicate) {
      this.#notices.tell(text.library.duplicate(job.title));
    }
    if (job.kind === 'download') this.#notices.tell(text.queue.done(job.title));
    if (job.kind === 'learn' && document.hidden) this.#host.notify(text.product, text.queue.done(job.title));
  }
}

/** A run that was resumed makes what came after its last checkpoint again. */
function withSample(samples: readonly Sample[], made: Sample): Sample[] {
  return [...samples.filter(({ stage, step }) => stage !== made.stage || step !== made.step), made];
}
