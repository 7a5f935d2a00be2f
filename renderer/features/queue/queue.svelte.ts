import type { LossPoint } from '../../../shared/domain/engine.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { exportOutput, importOutput } from '../../../shared/domain/job-input.ts';
import type { Connection } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { text } from '../../text/en.ts';

const unfinished: Job['state'][] = ['queued', 'running', 'paused', 'interrupted'];

/** All jobs of the queue, and the loss curves of those that learn. */
export class QueueState {
  jobs = $state.raw<Job[]>([]);
  losses = $state.raw<Record<string, LossPoint[]>>({});

  readonly running = $derived(this.jobs.filter(({ state }) => state === 'running'));
  readonly waiting = $derived(this.jobs.filter(({ state }) => state === 'queued'));
  readonly open = $derived(this.jobs.filter(({ state }) => unfinished.includes(state)));
  readonly learning = $derived(this.jobs.filter(({ kind, state }) => kind === 'learn' && unfinished.includes(state)));
  /** Imports that have not become a clip: their cards show how far they are, or why not. */
  readonly imports = $derived(
    this.jobs.filter(({ kind, state }) => kind === 'import' && (unfinished.includes(state) || state === 'failed')),
  );

  readonly #connection: Connection;
  readonly #notices: Notices;
  readonly #whenDone = new Set<(job: Job) => void>();

  constructor(connection: Connection, notices: Notices) {
    this.#connection = connection;
    this.#notices = notices;
    connection.whenOpen(() => void this.load());
    connection.on('job.changed', ({ job }) => this.#take(job));
    connection.on('job.removed', ({ id }) => {
      this.jobs = this.jobs.filter((job) => job.id !== id);
    });
    connection.on('job.event', ({ id, event }) => {
      if (event.type !== 'loss') return;
      this.losses = { ...this.losses, [id]: [...(this.losses[id] ?? []), event.point] };
    });
  }

  async load(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.jobs = await this.#connection.call('jobs.list', {});
      for (const job of this.learning) await this.#loadLosses(job.id);
    });
  }

  byId(id: string | null): Job | null {
    return this.jobs.find((job) => job.id === id) ?? null;
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
    void this.#notices.attempt(() => this.#connection.call(name, { reference: id }) as Promise<unknown>);
  }

  /** One place earlier among those that wait. */
  async moveUp(id: string): Promise<void> {
    const at = this.waiting.findIndex((job) => job.id === id);
    const before = this.waiting[at - 1];
    if (!before) return;
    await this.#notices.attempt(() => this.#connection.call('jobs.move', { reference: id, before: before.id }));
    await this.load();
  }

  clearFinished(): void {
    for (const job of this.jobs) if (!unfinished.includes(job.state)) this.act('jobs.remove', job.id);
  }

  async #loadLosses(id: string): Promise<void> {
    const events = await this.#connection.call('jobs.events', { reference: id });
    this.losses = { ...this.losses, [id]: events.flatMap((event) => (event.type === 'loss' ? [event.point] : [])) };
  }

  #take(job: Job): void {
    const before = this.byId(job.id);
    this.jobs = before ? this.jobs.map((known) => (known.id === job.id ? job : known)) : [...this.jobs, job];
    if (unfinished.includes(job.state) || before?.state === job.state) return;
    if (job.state === 'done') this.#tellDone(job);
    for (const listener of [...this.#whenDone]) listener(job);
  }

  #tellDone(job: Job): void {
    if (job.kind === 'import' && importOutput.safeParse(job.output).data?.duplicate) {
      this.#notices.tell(text.library.duplicate(job.title));
    }
    if (job.kind === 'export') {
      const file = exportOutput.safeParse(job.output).data?.file;
      if (file) this.#notices.tell(text.exporting.done(file));
    }
    if (job.kind === 'learn') this.#notices.tell(text.learn.done(job.title));
  }
}
